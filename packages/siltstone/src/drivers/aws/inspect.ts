/** Looks at what a store on AWS stands on: the facts, for people to judge. Reads, and writes one object that it removes. */
import { DescribeTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
import {
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  type LifecycleRule,
  type S3Client,
} from '@aws-sdk/client-s3'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { isSiltstoneError, type SiltstoneError } from '../../errors.ts'
import { dynamoDbClient } from './dynamodb-client.ts'
import { DynamoDbLeases } from './dynamodb-leases.ts'
import { codeOf, statusOf } from './failure.ts'
import { probeConditions, probeRaces, type Problem } from '../../ports/probe-conditions.ts'
import { type RequestParts, Requests } from './aws-requests.ts'
import { s3Client } from './s3-client.ts'
import { S3ObjectStore } from './s3-object-store.ts'
import { endpointOf, parseS3Place, type S3Place } from './s3-place.ts'
import { sqsClient } from './sqs-client.ts'
import type { Ids } from '../../ports/ids.ts'

/** What a request told, or why it did not. */
export type Fact<T> = { value: T } | { error: SiltstoneError }

export interface QueueFacts {
  arn: string
  visibilityS: number
  retentionS: number
  /** Undefined: there is no dead-letter queue. */
  maxReceiveCount: number | undefined
  isFifo: boolean
}

export interface AwsFacts {
  place: S3Place
  bucket: Fact<true>
  /** Undefined when the bucket cannot be reached. */
  conditions?: Fact<Problem>
  /** How far S3's clock is ahead of this machine's; to about a second. */
  skewMs?: Fact<number>
  versioning?: Fact<'Enabled' | 'Suspended' | 'off'>
  lifecycle?: Fact<LifecycleRule[]>
  /** Whether new deltas are told to some queue. */
  notifies?: Fact<boolean>
  queue?: Fact<QueueFacts>
  table?: Fact<{ hasTimeToLive: boolean }>
}

export interface InspectOptions extends RequestParts {
  ids: Ids
  variables: Readonly<Record<string, string | undefined>>
}

export const PATIENCE = { timeoutMs: 10_000, bytesPerSecond: 64 * 1024, attempts: 2 }

/** @throws SiltstoneError `invalid` (bad-s3-url) */
export async function inspectAws(url: string, options: InspectOptions): Promise<AwsFacts> {
  const place = parseS3Place(url, options.variables)
  const client = s3Client(place, options)
  const store = S3ObjectStore.open(place, { ...options, limits: PATIENCE })
  try {
    const bucket = await bucketFacts(client, place, options)
    const beside = { ...(await queueFacts(place, options)), ...(await tableFacts(place, options)) }
    if ('error' in bucket.bucket) return { place, ...bucket, ...beside }
    return { place, ...bucket, ...(await storeFacts(store, options)), ...beside }
  } finally {
    await store.close()
    client.destroy()
  }
}

async function bucketFacts(client: S3Client, { bucket: Bucket }: S3Place, options: InspectOptions) {
  const requests = new Requests('s3', options, PATIENCE)
  const ask = <T>(what: string, work: (signal: AbortSignal) => Promise<T>) =>
    fact(() => requests.call({ doing: `${what} s3://${Bucket}` }, ({ signal }) => work(signal)))
  const bucket = await ask('reach the bucket', async (abortSignal): Promise<true> => {
    try {
      await client.send(new HeadBucketCommand({ Bucket }), { abortSignal })
      return true
    } catch (error) {
      // An answer without a body names no code.
      throw statusOf(error) === 404 ? Object.assign(error as Error, { name: 'NoSuchBucket' }) : error
    }
  })
  if ('error' in bucket) return { bucket }
  const versioning = await ask('read the versioning of', async (abortSignal) => {
    const { Status = 'off' } = await client.send(new GetBucketVersioningCommand({ Bucket }), { abortSignal })
    return Status
  })
  const lifecycle = await ask('read the lifecycle of', async (abortSignal): Promise<LifecycleRule[]> => {
    try {
      const answer = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket }), { abortSignal })
      return answer.Rules ?? []
    } catch (error) {
      if (codeOf(error) === 'NoSuchLifecycleConfiguration') return []
      throw error
    }
  })
  const notifies = await ask('read the notifications of', async (abortSignal) => {
    const answer = await client.send(new GetBucketNotificationConfigurationCommand({ Bucket }), { abortSignal })
    return (answer.QueueConfigurations ?? []).some(({ Events = [] }) =>
      Events.some((event) => event.startsWith('s3:ObjectCreated')),
    )
  })
  return { bucket, versioning, lifecycle, notifies }
}

async function storeFacts(store: S3ObjectStore, { ids, clock }: InspectOptions) {
  const folder = store.privateFolder()
  const newKey = () => `doctor/${ids.ulid()}`
  const key = newKey()
  const conditions = await fact(
    async () => (await probeConditions(folder, newKey)) ?? (await probeRaces(folder, key, { writers: 8, rounds: 1 })),
  )
  if ('error' in conditions) return { conditions }
  const skewMs = await fact(async () => {
    const before = clock.nowMs()
    await folder.put(key, Buffer.from('clock'))
    const after = clock.nowMs()
    try {
      const at = (await folder.head(key))?.lastModifiedMs ?? before
      // Whole seconds, cut off.
      return at + 999 < before ? at + 999 - before : Math.max(0, at - after)
    } finally {
      await folder.delete([key])
    }
  })
  return { conditions, skewMs }
}

async function queueFacts(place: S3Place, options: InspectOptions): Promise<Pick<AwsFacts, 'queue'>> {
  const { queueUrl } = place
  return queueUrl === undefined ? {} : { queue: await lookAtQueue(queueUrl, place, options) }
}

/** @param place whose region and endpoint are those of the queue */
export async function lookAtQueue(
  queueUrl: string,
  place: S3Place,
  options: InspectOptions,
): Promise<Fact<QueueFacts>> {
  const client = sqsClient(servicePlace(place, endpointOf('SQS', options.variables)), options)
  const requests = new Requests('sqs', options, PATIENCE)
  const queue = await fact(async () => {
    const input = { QueueUrl: queueUrl, AttributeNames: ['All' as const] }
    const { Attributes: got = {} } = await requests.call({ doing: `look at the queue ${queueUrl}` }, ({ signal }) =>
      client.send(new GetQueueAttributesCommand(input), { abortSignal: signal }),
    )
    const redrive = JSON.parse(got.RedrivePolicy ?? '{}') as { maxReceiveCount?: number | string }
    return {
      arn: got.QueueArn ?? '',
      visibilityS: Number(got.VisibilityTimeout ?? 30),
      retentionS: Number(got.MessageRetentionPeriod ?? 345_600),
      maxReceiveCount: redrive.maxReceiveCount === undefined ? undefined : Number(redrive.maxReceiveCount),
      isFifo: got.FifoQueue === 'true',
    }
  })
  client.destroy()
  return queue
}

async function tableFacts(place: S3Place, options: InspectOptions): Promise<Pick<AwsFacts, 'table'>> {
  const { lockTable } = place
  if (lockTable === undefined) return {}
  const client = dynamoDbClient(servicePlace(place, endpointOf('DYNAMODB', options.variables)), options)
  const requests = new Requests('dynamodb', options, PATIENCE)
  const table = await fact(async () => {
    // Reads an item as every compaction does: that the table's key is ours shows in it.
    await new DynamoDbLeases(lockTable, { client, requests, clock: options.clock }).inspect('doctor')
    const doing = { doing: `look at the table ${lockTable}` }
    const answer = await requests.call(doing, ({ signal }) =>
      client.send(new DescribeTimeToLiveCommand({ TableName: lockTable }), { abortSignal: signal }),
    )
    return { hasTimeToLive: answer.TimeToLiveDescription?.TimeToLiveStatus === 'ENABLED' }
  })
  client.destroy()
  return { table }
}

function servicePlace({ region }: S3Place, endpoint: string | undefined) {
  return { ...(region !== undefined && { region }), ...(endpoint !== undefined && { endpoint }) }
}

export async function fact<T>(look: () => Promise<T>): Promise<Fact<T>> {
  try {
    return { value: await look() }
  } catch (error) {
    if (!isSiltstoneError(error)) throw error
    return { error }
  }
}
