/** Looks at a bucket of objects on S3: the facts, for people to judge. Reads, and writes one object that it removes. */
import {
  type CORSRule,
  DeleteObjectCommand,
  GetBucketCorsCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type LifecycleRule,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { Requests } from './aws-requests.ts'
import { codeOf, statusOf } from './failure.ts'
import { type Fact, fact, type InspectOptions, lookAtQueue, PATIENCE, type QueueFacts } from './inspect.ts'
import { s3Client } from './s3-client.ts'
import { parseS3Place } from './s3-place.ts'

export interface QueueNotification {
  queueArn: string
  /** `s3:ObjectCreated:*` and so on. */
  events: string[]
  prefix: string
  /** Empty: none. */
  suffix: string
}

export interface ObjectBucketFacts {
  bucket: string
  reachable: Fact<true>
  /** The others are undefined when the bucket cannot be reached. */
  notifications?: Fact<{ queues: QueueNotification[]; hasEventBridge: boolean }>
  cors?: Fact<CORSRule[]>
  versioning?: Fact<'Enabled' | 'Suspended' | 'off'>
  lifecycle?: Fact<LifecycleRule[]>
  /** Whether it keeps the checksum CRC64NVME of what is put. */
  checksums?: Fact<boolean>
}

export interface ObjectFacts {
  buckets: ObjectBucketFacts[]
  /** Undefined: none was named. */
  queue?: Fact<QueueFacts>
}

/** What nobody processes, and the next sweep removes if it stays. */
const PROBE_FOLDER = 'derived/doctor/'

/**
 * @param urls `s3://bucket?options`
 * @throws SiltstoneError `invalid` (bad-s3-url)
 */
export async function inspectObjects(
  urls: readonly string[],
  queueUrl: string | undefined,
  options: InspectOptions,
): Promise<ObjectFacts> {
  const buckets: ObjectBucketFacts[] = []
  for (const url of urls) buckets.push(await bucketFacts(url, options))
  const [first] = urls
  if (queueUrl === undefined || first === undefined) return { buckets }
  return { buckets, queue: await lookAtQueue(queueUrl, parseS3Place(first, options.variables), options) }
}

async function bucketFacts(url: string, options: InspectOptions): Promise<ObjectBucketFacts> {
  const place = parseS3Place(url, options.variables)
  const { bucket } = place
  const client = s3Client(place, options)
  try {
    const look = new Look(client, bucket, options)
    const reachable = await look.reach()
    if ('error' in reachable) return { bucket, reachable }
    return {
      bucket,
      reachable,
      notifications: await look.notifications(),
      cors: await look.cors(),
      versioning: await look.versioning(),
      lifecycle: await look.lifecycle(),
      checksums: await look.checksums(),
    }
  } finally {
    client.destroy()
  }
}

class Look {
  readonly #client: S3Client
  readonly #Bucket: string
  readonly #options: InspectOptions
  readonly #requests: Requests

  constructor(client: S3Client, bucket: string, options: InspectOptions) {
    this.#client = client
    this.#Bucket = bucket
    this.#options = options
    this.#requests = new Requests('s3', options, PATIENCE)
  }

  reach(): Promise<Fact<true>> {
    return this.#ask('reach the bucket', async (abortSignal): Promise<true> => {
      try {
        await this.#client.send(new HeadBucketCommand({ Bucket: this.#Bucket }), { abortSignal })
        return true
      } catch (error) {
        // An answer without a body names no code.
        throw statusOf(error) === 404 ? Object.assign(error as Error, { name: 'NoSuchBucket' }) : error
      }
    })
  }

  notifications(): Promise<NonNullable<ObjectBucketFacts['notifications']>> {
    return this.#ask('read the notifications of', async (abortSignal) => {
      const command = new GetBucketNotificationConfigurationCommand({ Bucket: this.#Bucket })
      const answer = await this.#client.send(command, { abortSignal })
      const queues = (answer.QueueConfigurations ?? []).map(({ QueueArn = '', Events = [], Filter }) => {
        const rules = Filter?.Key?.FilterRules ?? []
        const valueOf = (name: string) => rules.find(({ Name }) => Name?.toLowerCase() === name)?.Value ?? ''
        return { queueArn: QueueArn, events: [...Events], prefix: valueOf('prefix'), suffix: valueOf('suffix') }
      })
      return { queues, hasEventBridge: answer.EventBridgeConfiguration !== undefined }
    })
  }

  cors(): Promise<Fact<CORSRule[]>> {
    return this.#ask('read the CORS of', (abortSignal) =>
      without('NoSuchCORSConfiguration', async () => {
        const answer = await this.#client.send(new GetBucketCorsCommand({ Bucket: this.#Bucket }), { abortSignal })
        return answer.CORSRules ?? []
      }),
    )
  }

  versioning(): Promise<NonNullable<ObjectBucketFacts['versioning']>> {
    return this.#ask('read the versioning of', async (abortSignal) => {
      const command = new GetBucketVersioningCommand({ Bucket: this.#Bucket })
      const { Status = 'off' } = await this.#client.send(command, { abortSignal })
      return Status
    })
  }

  lifecycle(): Promise<Fact<LifecycleRule[]>> {
    return this.#ask('read the lifecycle of', (abortSignal) =>
      without('NoSuchLifecycleConfiguration', async () => {
        const command = new GetBucketLifecycleConfigurationCommand({ Bucket: this.#Bucket })
        return (await this.#client.send(command, { abortSignal })).Rules ?? []
      }),
    )
  }

  async checksums(): Promise<Fact<boolean>> {
    const target = { Bucket: this.#Bucket, Key: `${PROBE_FOLDER}${this.#options.ids.ulid()}` }
    const kept = await this.#ask('write to', async (abortSignal) => {
      const put = new PutObjectCommand({ ...target, Body: 'checksums', ChecksumAlgorithm: 'CRC64NVME' })
      await this.#client.send(put, { abortSignal })
      const head = await this.#client.send(new HeadObjectCommand({ ...target, ChecksumMode: 'ENABLED' }), {
        abortSignal,
      })
      return head.ChecksumCRC64NVME !== undefined
    })
    // Also after a put whose answer was lost.
    const removed = await this.#ask('remove a probe from', async (abortSignal) => {
      await this.#client.send(new DeleteObjectCommand(target), { abortSignal })
    })
    return 'error' in removed && 'value' in kept ? removed : kept
  }

  #ask<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<Fact<T>> {
    const doing = `${what} s3://${this.#Bucket}`
    return fact(() => this.#requests.call({ doing }, ({ signal }) => work(signal)))
  }
}

async function without<T>(code: string, read: () => Promise<T[]>): Promise<T[]> {
  try {
    return await read()
  } catch (error) {
    if (codeOf(error) === code) return []
    throw error
  }
}
