/**
 * Messages that an object may have changed: notifications of S3 to SQS, events of EventBridge, and what our own doors send,
 * which is the first of these. A message only names keys; what is true of them is read from the bucket.
 */
import { invalid } from 'siltstone/internal'

export interface ChangedObject {
  bucket: string
  key: string
  /** Somebody deleted it; `expired`: a rule of its bucket did, because of its age. Without it, it was written, or may have been. */
  deleted?: 'removed' | 'expired'
}

/**
 * All keys of a message; none for the test message that S3 sends when notifications are set up.
 * @throws SiltstoneError `invalid` (bad-event)
 */
export function changedObjects(body: string): ChangedObject[] {
  const event = parse(body)
  if (event['Event'] === 's3:TestEvent') return []
  // SNS between S3 and SQS wraps the notification.
  if (typeof event['Message'] === 'string' && event['Records'] === undefined) return changedObjects(event['Message'])
  const { Records: records, detail } = event
  if (Array.isArray(records)) return records.map((record) => fromRecord(record))
  if (isObject(detail)) {
    const bucket = name(detail['bucket'], 'name')
    const key = name(detail['object'], 'key')
    // EventBridge does not encode keys.
    if (bucket !== undefined && key !== undefined) return [{ bucket, key, ...deletionOf(detailName(event, detail)) }]
  }
  throw bad('it has neither Records nor detail')
}

function fromRecord(record: unknown): ChangedObject {
  const s3 = isObject(record) ? record['s3'] : undefined
  const bucket = isObject(s3) ? name(s3['bucket'], 'name') : undefined
  const key = isObject(s3) ? name(s3['object'], 'key') : undefined
  if (bucket === undefined || key === undefined) throw bad('a record has no s3.bucket.name or no s3.object.key')
  try {
    const name = isObject(record) ? record['eventName'] : undefined
    return { bucket, key: decodeURIComponent(key.replaceAll('+', ' ')), ...deletionOf(name) }
  } catch (cause) {
    throw bad(`the key ${JSON.stringify(key)} is not encoded as S3 does it`, cause)
  }
}

const EXPIRY = 'LifecycleExpiration:Delete'
const REMOVAL = 'ObjectRemoved:Delete'

/** By the name of the event, with or without `s3:` before it. */
function deletionOf(name: unknown): Pick<ChangedObject, 'deleted'> {
  if (typeof name !== 'string') return {}
  if (/^(?:s3:)?LifecycleExpiration:/.test(name)) return { deleted: 'expired' }
  return /^(?:s3:)?ObjectRemoved:/.test(name) ? { deleted: 'removed' } : {}
}

/** EventBridge has one name for deletions, and says why. */
function detailName(event: Record<string, unknown>, detail: Record<string, unknown>): string | undefined {
  if (event['detail-type'] !== 'Object Deleted') return undefined
  return detail['reason'] === 'Lifecycle Expiration' ? EXPIRY : REMOVAL
}

/** A notification as S3 sends it. */
export function changeEvent({ bucket, key, deleted }: ChangedObject): string {
  const encoded = encodeURIComponent(key).replaceAll('%20', '+').replaceAll('%2F', '/')
  return JSON.stringify({
    Records: [
      {
        eventVersion: '2.1',
        eventSource: 'siltstone:s3',
        ...(deleted && { eventName: deleted === 'removed' ? REMOVAL : EXPIRY }),
        s3: { bucket: { name: bucket }, object: { key: encoded } },
      },
    ],
  })
}

function parse(body: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (cause) {
    throw bad('it is not JSON', cause)
  }
  if (!isObject(value)) throw bad('it is not an object')
  return value
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function name(of: unknown, field: string): string | undefined {
  const value = isObject(of) ? of[field] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

const bad = (why: string, cause?: unknown): Error =>
  invalid('bad-event', `The message is no notification of S3: ${why}.`, { cause })
