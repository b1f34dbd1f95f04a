/** A worker of its own, without a server: for a bucket of S3, or beside the servers of a directory. */
import {
  closeEnvironment,
  DirectoryBlobs,
  type Embedder,
  EmbedderRegistry,
  environmentVariables,
  invalid,
  type Logger,
  MemoryQueue,
  openEnvironmentAt,
  openS3BlobsAt,
  type Queue,
  StoreEngine,
  systemClock,
  systemModels,
  systemRandom,
} from 'siltstone/internal'
import type { Address } from './address.ts'
import { openObjectsQueue } from './process/directory-queue.ts'
import { openNamedQueue } from './process/named-queue.ts'
import { loadPipeline } from './process/pipeline.ts'
import { openProcessing, type Processing } from './process/processing.ts'
import type { ProcessingRules } from './process/rules.ts'
import { storeRules } from './process/stored-rules.ts'
import { sweep } from './process/sweep.ts'

export interface WorkOptions {
  /** The store that the records go to; of `siltstone://`, also that of the objects. */
  data: string
  address: Address
  rules: ProcessingRules
  concurrency: number
  /** Of a bucket of S3: the URL of the SQS queue that its notifications go to. Without it, sweeps find what has changed. */
  queue?: string
  log: Logger
}

export interface OpenWork {
  /** Works until nothing is left to do but what has to wait. @returns how many keys were worked on, and how many wait */
  once(): Promise<{ settled: number; waiting: number }>
  /** Works until `close`. */
  start(): void
  close(): Promise<void>
}

/** @throws SiltstoneError `unsupported` (processor-missing), `invalid` (queue-place), and as stores and buckets do */
export async function openWork({ data, address, rules, concurrency, queue: url, log }: WorkOptions): Promise<OpenWork> {
  if (url !== undefined && address.place !== 's3')
    throw invalid('queue-place', 'A queue is for a bucket of S3: objects in a directory have a queue of their own.', {
      field: '--queue',
    })
  const pipeline = await loadPipeline()
  const opened: (() => Promise<void>)[] = [() => pipeline.close()]
  const close = async () => {
    for (const one of opened.splice(0).reverse()) await one()
  }
  try {
    const parts = { clock: systemClock, random: systemRandom, log }
    const environment = await openEnvironmentAt(data, parts)
    opened.push(() => closeEnvironment(environment))
    const engine = await StoreEngine.open({ env: environment })
    opened.push(() => engine.close())
    const { bucket } = address
    const { blobs, queue } =
      address.place === 's3' ? await onS3(bucket, url, parts) : await onDirectory(data, bucket, parts)
    opened.push(() => blobs.close())
    opened.push(() => queue.close())
    const registry = new EmbedderRegistry({ ...environment, models: systemModels, variables: environmentVariables() })
    await storeRules(environment.store, rules)
    const processing = await openProcessing({
      environment,
      engine,
      embedderFor: async ({ configuration, dimension }): Promise<Embedder> =>
        registry.forCollection({ embeddingFunction: configuration['embedding_function'], dimension }),
      queue,
      buckets: async () => [bucket],
      blobs: blobs.of,
      owns: async (name) => blobs.owns(name),
      scheme: address.place === 's3' ? 's3' : 'siltstone',
      rules,
      pipeline,
      concurrency,
    })
    opened.push(() => processing.worker.close())
    const look = { bucket, blobs: blobs.store, processing, expires: address.place === 'siltstone', log }
    return { once: () => workOnce(look), start: () => processing.worker.start(), close }
  } catch (error) {
    await close()
    throw error
  }
}

type Parts = { clock: typeof systemClock; random: typeof systemRandom; log: Logger }

async function onS3(bucket: string, url: string | undefined, parts: Parts) {
  // Without notifications the sweep finds every change, and what it finds does not outlive this process.
  const queue: Queue = url === undefined ? new MemoryQueue({ clock: parts.clock }) : await openNamedQueue(url, parts)
  const store = await openS3BlobsAt(`s3://${bucket}`, parts)
  // The notifications and the states may be of several buckets, of which the others have workers of their own.
  const owns = (name: string) => name === bucket
  return { blobs: { store, of: () => store, owns, close: async () => store.close() }, queue }
}

async function onDirectory(data: string, bucket: string, { clock, random, log }: Parts) {
  const buckets = await DirectoryBlobs.open(data, { clock, random, log })
  const queue = (await openObjectsQueue(data, { clock, random, create: true })) as Queue
  // The queue of a directory has messages about all its buckets.
  const of = (name: string) => buckets.bucket(name)
  return { blobs: { store: of(bucket), of, owns: () => true, close: () => buckets.close() }, queue }
}

async function workOnce(look: {
  bucket: string
  blobs: Parameters<typeof sweep>[0]['blobs']
  processing: Processing
  expires: boolean
  log: Logger
}): Promise<{ settled: number; waiting: number }> {
  const { bucket, blobs } = look
  const { states, reconciler } = look.processing
  let settled = 0
  const waiting = new Set<string>()
  for (;;) {
    const keys: { key: string; deleted?: 'expired' }[] = []
    await sweep({
      bucket,
      blobs,
      states,
      reconciler,
      found: async (key, deleted) => void keys.push({ key, ...(deleted && { deleted }) }),
      ...(look.expires && { expiresBeforeMs: (key: string) => look.processing.expiresBeforeMs(bucket, key) }),
      onDamaged: (error) => look.log.error('object_state_damaged', { bucket, error }),
    })
    if (keys.length === 0) return { settled, waiting: waiting.size }
    const worker = async () => {
      for (let found = keys.pop(); found !== undefined; found = keys.pop()) {
        const { key, ...call } = found
        const { status } = await reconciler.reconcile(bucket, key, call)
        if (status === 'wait') waiting.add(key)
        else {
          settled++
          waiting.delete(key)
        }
      }
    }
    await Promise.all(Array.from({ length: look.processing.keysAtOnce }, worker))
  }
}
