/** Puts a worker together: over the buckets of a place, into the collections of a store. */
import {
  type BlobStore,
  type Collection,
  type CollectionInfo,
  DEFAULT_DATABASE,
  DEFAULT_TENANT,
  type Embedder,
  type Engine,
  type Environment,
  isSiltstoneError,
  newConfiguration,
  type Queue,
} from 'siltstone/internal'
import { JobSlots } from './job-slots.ts'
import type { Pipeline } from './pipeline.ts'
import { type Collections, Reconciler, type ReconcilerOptions } from './reconciler.ts'
import type { ProcessingRules } from './rules.ts'
import { removeLeftScratch, withScratch } from './scratch-folders.ts'
import { StateStore } from './state-store.ts'
import { Worker, type WorkerOptions } from './worker.ts'

export interface ProcessingOptions
  extends Pick<WorkerOptions, 'queue' | 'buckets' | 'blobs' | 'owns' | 'sweepEachMs'>,
    Pick<ReconcilerOptions, 'metrics' | 'handOver'> {
  /** Of the store that the records and the states go to. */
  environment: Pick<Environment, 'store' | 'clock' | 'random' | 'ids' | 'log'>
  engine: Engine
  embedderFor: (info: CollectionInfo) => Promise<Embedder>
  queue: Queue
  blobs: (bucket: string) => BlobStore
  scheme: 'siltstone' | 's3'
  rules: ProcessingRules
  /** It is closed with the processing. */
  pipeline: Pipeline
  /** Processors that work at the same time. Default 2. */
  concurrency?: number
  /** See `ReconcilerOptions`. */
  leaseMs?: number
  maxAttempts?: number
}

const CONCURRENCY = 2
/** Most of the time of a small object is spent on waiting for the disk or the bucket. */
const KEYS_PER_JOB = 6

export interface Processing {
  /** Keys that are worth being worked on at the same time. */
  readonly keysAtOnce: number
  readonly worker: Worker
  readonly reconciler: Reconciler
  readonly states: StateStore
  /** Objects that were written before that time are to be deleted. */
  readonly expiresBeforeMs: (bucket: string, key: string) => number | undefined
  close(): Promise<void>
}

/** The worker is not started. */
export async function openProcessing(options: ProcessingOptions): Promise<Processing> {
  const { engine, embedderFor, environment, blobs, scheme, rules, pipeline, metrics, handOver, leaseMs, maxAttempts } =
    options
  const { store, clock, random, ids, log } = environment
  const left = await removeLeftScratch(clock)
  if (left > 0) log.info('objects_scratch_removed', { folders: left })
  const states = new StateStore(store, ids)
  const { concurrency = CONCURRENCY } = options
  const reconciler = new Reconciler({
    blobs,
    scheme,
    states,
    collections: collectionsOf(engine, embedderFor),
    rules,
    pipeline,
    withScratch,
    clock,
    random,
    ids,
    log,
    owner: ids.ulid(),
    jobs: new JobSlots(concurrency, clock),
    ...(metrics && { metrics }),
    ...(handOver && { handOver }),
    ...(leaseMs !== undefined && { leaseMs }),
    ...(maxAttempts !== undefined && { maxAttempts }),
  })
  const { queue, buckets, owns, sweepEachMs } = options
  const expiresBeforeMs = (bucket: string, key: string) => {
    const expiry = rules.expiryOf(bucket, key)
    return expiry && clock.nowMs() - expiry.ageMs
  }
  const worker = new Worker({
    queue,
    reconciler,
    states,
    buckets,
    blobs,
    clock,
    log,
    ...(owns && { owns }),
    // A bucket of S3 has a lifecycle of its own.
    ...(scheme === 'siltstone' && { expiresBeforeMs }),
    keysAtOnce: concurrency * KEYS_PER_JOB,
    ...(sweepEachMs !== undefined && { sweepEachMs }),
  })
  const close = async () => {
    await worker.close()
    await pipeline.close()
  }
  return { keysAtOnce: concurrency * KEYS_PER_JOB, worker, reconciler, states, expiresBeforeMs, close }
}

/** The collections of the default tenant and database. One that is made has cosine distances. */
function collectionsOf(engine: Engine, embedderFor: ProcessingOptions['embedderFor']): Collections {
  const place = { tenant: DEFAULT_TENANT, database: DEFAULT_DATABASE }
  const opened = ({ tenant, database, id }: CollectionInfo): Promise<Collection> =>
    engine.collection(tenant, database, id)
  return {
    async open(name) {
      const made = newConfiguration({ configuration: { hnsw: { space: 'cosine' } } })
      const request = { ...place, name, getOrCreate: true, metadata: null, schema: null, ...made }
      return opened((await engine.catalog.createCollection(request)).info)
    },
    async find(name) {
      try {
        return await opened(await engine.catalog.getCollection(place.tenant, place.database, name))
      } catch (error) {
        if (isSiltstoneError(error, 'not-found')) return undefined
        throw error
      }
    },
    embedder: async (collection) => embedderFor({ ...collection.info, dimension: await collection.dimension() }),
  }
}
