/**
 * What `siltstone serve --objects` runs: the S3 face, and processing. Where the store is in a directory, over the blobs beside
 * it, which it maintains; where the store is in a bucket of S3, over other buckets of the same account (`S3Buckets`).
 */
import { join, resolve } from 'node:path'
import {
  type BlobBuckets,
  type Clock,
  DirectoryBlobs,
  invalid,
  isSiltstoneError,
  type Logger,
  makePrivateFile,
  MemoryQueue,
  type ObjectStates,
  PRIVATE_FOLDER,
  type Queue,
  readFileText,
  type ServedObjects,
  type ServeObjectsOptions,
  SiltstoneError,
  systemClock,
  systemIds,
  systemRandom,
} from 'siltstone/internal'
import { openObjectsQueue } from './process/directory-queue.ts'
import { changeEvent } from './process/events.ts'
import { openNamedQueue } from './process/named-queue.ts'
import { type Notify, notifyingBuckets } from './process/notifying-buckets.ts'
import { loadPipeline, type Pipeline } from './process/pipeline.ts'
import { openProcessing, type Processing } from './process/processing.ts'
import { ProcessingRules } from './process/rules.ts'
import { StateStore } from './process/state-store.ts'
import { StatesDoor } from './process/states-door.ts'
import { storeRules } from './process/stored-rules.ts'
import { type AccessKey, AccessKeys } from './s3/access-keys.ts'
import { startS3Server } from './s3/server.ts'
import { openS3Buckets } from './s3-buckets/open-s3-buckets.ts'

const MAINTAIN_EACH_MS = 60_000
/** Made by the first start on an empty directory, so that a first upload has a place. */
const FIRST_BUCKET = 'media'
/** Looking at every file for stray ones: with every sixtieth maintenance. */
const STRAYS_EACH = 60

export interface RunningObjects extends ServedObjects {
  /** For the server's own API. */
  states: ObjectStates
  close(): Promise<void>
}

/** Where the objects are. */
interface Place {
  buckets: BlobBuckets
  scheme: 'siltstone' | 's3'
  /** Whether the records of a bucket are this server's to make and remove. */
  owns: (bucket: string) => Promise<boolean>
  /** Messages about changes. */
  openQueue: () => Promise<Queue>
  /** Begins the upkeep of what is stored. @returns as `maintained` */
  maintain: () => () => Promise<void>
}

/** @throws SiltstoneError as `DirectoryBlobs.open`, `S3Buckets`, `AccessKeys.parse` and `startS3Server` do, `invalid` (no-objects-keys) */
export async function serveObjects(options: ServeObjectsOptions): Promise<RunningObjects> {
  const { data, host, port, environment } = options
  const { clock, ids, log, store } = environment
  const isOnS3 = data.startsWith('s3://')
  const made =
    options.keys === undefined && !isOnS3 ? join(resolve(data), PRIVATE_FOLDER, 'objects-keys.json') : undefined
  const stored = options.keys === undefined ? await storedKeys(made) : { text: options.keys, isNew: false }
  const keys = AccessKeys.parse(stored.text)
  const rules = options.rules === undefined ? new ProcessingRules() : ProcessingRules.parse(options.rules)
  const place = isOnS3 ? onS3(options) : await onDirectory(options)
  const { buckets, owns } = place
  const opened: { close(): Promise<void> }[] = [buckets]
  const close = async () => {
    for (const one of opened.splice(0).reverse()) await one.close()
  }
  try {
    if (!isOnS3) await makeBuckets(buckets, options.buckets, stored.isNew)
    const pipeline = await wantedPipeline(options)
    const queue = typeof pipeline === 'string' ? undefined : await place.openQueue()
    if (queue !== undefined) opened.push(queue)
    const notify: Notify = async (changed) => queue?.send(changeEvent(changed))
    const seen = queue === undefined ? buckets : notifyingBuckets(buckets, notify, log)
    const server = await startS3Server({ buckets: seen, keys, clock, ids, log, host, port })
    const stop = place.maintain()
    const processing =
      queue && typeof pipeline !== 'string' ? await startWorker(options, { rules, place, queue, pipeline }) : undefined
    opened.push({ close: async () => void (await Promise.all([server.close(), stop(), processing?.close()])) })
    const status = typeof pipeline === 'string' ? pipeline : 'on'
    const states = new StatesDoor({
      buckets,
      owns,
      states: new StateStore(store, ids),
      store,
      notify,
      clock,
      processing: status,
    })
    return { url: server.url, processing: status, states, ...(made !== undefined && { keysFile: made }), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** The named buckets; without any, on the first start, one. */
async function makeBuckets(buckets: BlobBuckets, named: readonly string[], isFirstStart: boolean): Promise<void> {
  const isEmpty = isFirstStart && named.length === 0 && (await buckets.listBuckets()).length === 0
  for (const name of isEmpty ? [FIRST_BUCKET] : named) await buckets.createBucket(name)
}

async function onDirectory({ data, allowNetworkFilesystem, environment }: ServeObjectsOptions): Promise<Place> {
  const { clock, random, log } = environment
  const buckets = await DirectoryBlobs.open(data, { clock, random, log, allowNetworkFilesystem })
  return {
    buckets,
    scheme: 'siltstone',
    owns: async () => true,
    openQueue: async () => (await openObjectsQueue(data, { clock, random, create: true })) as Queue,
    maintain: () => maintained(buckets, clock, log),
  }
}

/**
 * Without a queue of SQS messages stay within this process: what a message of a killed process was about, and what others write to the
 * buckets, is found by the next sweep.
 */
function onS3({ data, buckets: own, queueUrl, environment }: ServeObjectsOptions): Place {
  const buckets = openS3Buckets(data, own, environment)
  return {
    buckets,
    scheme: 's3',
    owns: (bucket) => buckets.owns(bucket),
    openQueue: async () =>
      queueUrl === undefined ? new MemoryQueue({ clock: environment.clock }) : openNamedQueue(queueUrl, environment),
    // The lifecycle of each bucket is the operator's.
    maintain: () => async () => {},
  }
}

/** The processors; or why objects are not processed, because nobody wants it or the package is not installed. */
async function wantedPipeline({ processing, environment }: ServeObjectsOptions): Promise<Pipeline | string> {
  if (!processing) return 'off: --no-objects-processing'
  try {
    return await loadPipeline()
  } catch (error) {
    if (!isSiltstoneError(error) || error.code !== 'processor-missing') throw error
    environment.log.warn('objects_not_processed', { reason: error.message })
    return `off: ${error.message}`
  }
}

async function startWorker(
  { environment, engine, embedderFor }: ServeObjectsOptions,
  parts: { rules: ProcessingRules; place: Place; queue: Queue; pipeline: Pipeline },
): Promise<Processing> {
  const { place, ...rest } = parts
  const { buckets, scheme, owns } = place
  await storeRules(environment.store, parts.rules)
  const processing = await openProcessing({
    ...rest,
    environment,
    engine,
    embedderFor,
    buckets: async () => (await buckets.listBuckets()).map(({ name }) => name),
    // What processors store beside an object is not to be processed, so nobody is told.
    blobs: (bucket) => buckets.bucket(bucket),
    scheme,
    owns,
  })
  processing.worker.start()
  return processing
}

/** The keys of the file; a file that is missing is made, with one new key for everything, and only its owner may read it. */
async function storedKeys(path: string | undefined): Promise<{ text: string; isNew: boolean }> {
  if (path === undefined)
    throw invalid(
      'no-objects-keys',
      'A store in a bucket has no file that only this machine can read, so no access key is made: give --objects-keys FILE, or SILTSTONE_OBJECTS_KEYS, a JSON list like [{"accessKeyId":"…","secretAccessKey":"…"}].',
      { field: '--objects-keys' },
    )
  try {
    const isNew = await makePrivateFile(path, `${JSON.stringify([newKey()], undefined, 2)}\n`)
    return { text: await readFileText(path), isNew }
  } catch (cause) {
    if (!isSiltstoneError(cause)) throw cause
    throw new SiltstoneError(
      cause.kind,
      cause.code,
      `${cause.message} These are the access keys; --objects-keys gives others.`,
      {
        cause,
      },
    )
  }
}

/** UUIDs of version 4 come from the system's secure source: 244 bits make the secret. */
function newKey(): AccessKey {
  const ids = systemIds(systemClock, systemRandom)
  const text = () => ids.uuid().replaceAll('-', '')
  return { accessKeyId: `SK${text().slice(0, 18).toUpperCase()}`, secretAccessKey: text() + text(), user: 'owner' }
}

/** @returns a function that stops, and waits for maintenance that is running */
function maintained(buckets: DirectoryBlobs, clock: Clock, log: Logger): () => Promise<void> {
  let cancel = () => {}
  let running: Promise<void> = Promise.resolve()
  let stopped = false
  let turn = 0
  const next = () => {
    cancel = clock.timer(MAINTAIN_EACH_MS, () => {
      running = run().finally(() => {
        if (!stopped) next()
      })
    })
  }
  const run = async () => {
    try {
      const done = await buckets.maintain({ strays: turn++ % STRAYS_EACH === 0 })
      if (done.filesRemoved + done.strayFiles + done.uploadsAborted > 0) log.info('objects_maintained', { ...done })
    } catch (error) {
      log.error('objects_maintenance_failed', { error })
    }
  }
  next()
  return () => {
    stopped = true
    cancel()
    return running
  }
}
