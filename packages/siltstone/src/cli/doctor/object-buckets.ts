/** Checks buckets of objects on S3, and what tells a worker of their changes. */
import type { ObjectBucketFacts, ObjectFacts, QueueNotification } from '../../drivers/aws/inspect-objects.ts'
import type { QueueFacts } from '../../drivers/aws/inspect.ts'
import { loadAws } from '../../drivers/load-aws.ts'
import { checkFact, checkQueueFacts } from './aws.ts'
import { type Check, fail, ok, warn } from './check.ts'
import { inspectionServices } from './inspection.ts'
import { checkProcessors } from './objects.ts'

export interface ObjectBucketsOptions {
  objectsBucket?: string[]
  objectsQueue?: string
}

/** Nothing without a bucket that is named. @param data of the store: its endpoint, region and the like are also those of the buckets */
export async function checkObjectBuckets(
  data: string,
  { objectsBucket = [], objectsQueue }: ObjectBucketsOptions,
): Promise<Check[]> {
  if (objectsBucket.length === 0) return []
  const { inspectObjects } = await loadAws()
  const settings = new URLSearchParams(/\?(.*)$/s.exec(data)?.[1] ?? '')
  // These are the store's.
  for (const name of ['queueUrl', 'lockTable']) settings.delete(name)
  const query = settings.size === 0 ? '' : `?${settings.toString()}`
  const facts = await inspectObjects(
    objectsBucket.map((bucket) => `s3://${bucket}${query}`),
    objectsQueue,
    inspectionServices(),
  )
  return [...checksOfObjects(facts, objectsQueue), ...(await checkProcessors())]
}

export function checksOfObjects({ buckets, queue }: ObjectFacts, queueUrl = ''): Check[] {
  const name = 'objects queue'
  const arn = queue !== undefined && 'value' in queue ? queue.value.arn : undefined
  return [
    ...buckets.flatMap((facts) => checksOfBucket(facts, queue === undefined ? 'none' : arn)),
    queue === undefined
      ? ok(name, 'none: sweeps find what was not told, every five minutes')
      : checkFact(name, queue, (value: QueueFacts) => ({ ...checkQueueFacts(value, queueUrl), name }), fail),
  ]
}

/** @param queueArn `none`: no queue was named; undefined: it could not be looked at */
function checksOfBucket(facts: ObjectBucketFacts, queueArn: string | undefined): Check[] {
  const { bucket, reachable, notifications, cors, versioning, lifecycle, checksums } = facts
  const named = (what: string) => `objects ${bucket}: ${what}`
  const expires =
    lifecycle !== undefined &&
    'value' in lifecycle &&
    lifecycle.value.some(({ Status, Expiration }) => Status === 'Enabled' && Expiration?.Days !== undefined)
  return [
    checkFact(`objects ${bucket}`, reachable, () => ok(`objects ${bucket}`, 'can be reached'), fail),
    ...(notifications
      ? [
          checkFact(
            named('notifications'),
            notifications,
            ({ queues, hasEventBridge }) =>
              checkNotifications(named('notifications'), { queues, hasEventBridge, queueArn, expires }),
            warn,
          ),
        ]
      : []),
    ...(cors ? [checkFact(named('CORS'), cors, (rules) => checkCors(named('CORS'), rules), warn)] : []),
    ...(versioning
      ? [
          checkFact(
            named('versioning'),
            versioning,
            (status) =>
              ok(
                named('versioning'),
                status === 'Enabled' ? 'on: what is deleted can be brought back' : 'off: what is deleted is gone',
              ),
            warn,
          ),
        ]
      : []),
    ...(checksums
      ? [checkFact(named('checksums'), checksums, (kept) => checkChecksums(named('checksums'), kept), fail)]
      : []),
  ]
}

interface Told {
  queues: QueueNotification[]
  hasEventBridge: boolean
  queueArn: string | undefined
  /** Whether a rule of the bucket deletes objects because of their age. */
  expires: boolean
}

function checkNotifications(name: string, { queues, hasEventBridge, queueArn, expires }: Told): Check {
  const [first] = queues
  if (queueArn === 'none')
    return first === undefined
      ? ok(name, 'none: sweeps find what others change')
      : warn(
          name,
          `they go to ${first.queueArn}, and no queue was named`,
          'Give its URL with --objects-queue, to this command and to "siltstone serve": changes are then told at once.',
        )
  const own = queueArn === undefined ? queues : queues.filter((one) => one.queueArn === queueArn)
  if (own.length === 0)
    return hasEventBridge
      ? ok(name, 'EventBridge gets them; whether a rule sends them to the queue is not looked at')
      : fail(
          name,
          first === undefined ? 'none' : `they go to ${first.queueArn}, not to the queue that was named`,
          'Send s3:ObjectCreated:*, s3:ObjectRemoved:* and s3:LifecycleExpiration:* to the queue ("aws s3api put-bucket-notification-configuration"), and let s3.amazonaws.com send to it from this bucket.',
        )
  const suffixes = own.filter(({ suffix }) => suffix !== '').map(({ suffix }) => suffix)
  if (suffixes.length > 0)
    return warn(
      name,
      `only of keys that end with ${suffixes.join(' or ')}`,
      'Leave the filter by suffix out: it tells a.PDF from a.pdf, and types are told from the content.',
    )
  const events = own.flatMap((one) => one.events)
  const isTold = (kind: string) => events.some((event) => event.startsWith(`s3:${kind}:`))
  const wanted = ['ObjectCreated', 'ObjectRemoved', ...(expires ? ['LifecycleExpiration'] : [])]
  const missing = wanted.filter((kind) => !isTold(kind))
  if (missing.length > 0)
    return warn(
      name,
      `the queue is not told of ${missing.map((kind) => `s3:${kind}:*`).join(', ')}`,
      'Add these events: until then only sweeps find what they are about.',
    )
  const prefixes = [...new Set(own.map(({ prefix }) => (prefix === '' ? 'all keys' : prefix)))]
  return ok(name, `the queue is told of ${prefixes.join(', ')}`)
}

function checkCors(
  name: string,
  rules: readonly { AllowedOrigins?: string[] | undefined; ExposeHeaders?: string[] | undefined }[],
): Check {
  if (rules.length === 0) return ok(name, 'none: pages of other origins cannot upload or read')
  if (rules.some(({ AllowedOrigins = [] }) => AllowedOrigins.includes('*')))
    return warn(name, 'pages of every origin may ask', 'Name the origins of your pages, such as https://app.example.')
  const shows = ({ ExposeHeaders = [] }: { ExposeHeaders?: string[] | undefined }) =>
    ExposeHeaders.some((header) => header.toLowerCase() === 'etag')
  const origins = rules.flatMap(({ AllowedOrigins = [] }) => AllowedOrigins)
  if (!rules.every(shows))
    return warn(name, 'pages cannot read ETag', 'Add ETag to ExposeHeaders: uploads in parts need it.')
  return ok(name, `pages of ${origins.join(', ')}`)
}

const checkChecksums = (name: string, isKept: boolean): Check =>
  isKept
    ? ok(name, 'CRC64NVME is kept with each object')
    : warn(
        name,
        'CRC64NVME is not kept',
        'Compare ETags, or use another object store: the SDKs check what they read by that checksum.',
      )
