/** Puts a worker together: over the buckets of a place, into the collections of a store. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type BlobStore,
  type Collection,
  type CollectionInfo,
  DEFAULT_DATABASE,
  DEFAULT_TENANT,
  type Embedder,
  type Engine,
  type Environment,
  freeDiskBytes,
  isSiltstoneError,
  newConfiguration,
  type Queue,
} from 'siltstone/internal'
import type { Pipeline } from './pipeline.ts'
import { type Collections, Reconciler, type ReconcilerOptions } from './reconciler.ts'
import type { ProcessingRules } from './rules.ts'
import { StateStore } from './state-store.ts'
import { Worker, type WorkerOptions } from './worker.ts'

export interface ProcessingOptions
  extends Pick<WorkerOptions, 'queue' | 'buckets' | 'blobs' | 'owns' | 'concurrency' | 'sweepEachMs'>,
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
  /** See `ReconcilerOptions`. */
  leaseMs?: number
  maxAttempts?: number
}

export interface Processing {
  readonly worker: Worker
  readonly reconciler: Reconciler
  readonly states: StateStore
  /** Objects that were written before that time are to be deleted. */
  readonly expiresBeforeMs: (bucket: string, key: string) => number | undefined
  close(): Promise<void>
}

/** The worker is not started. */
export function openProcessing(options: ProcessingOptions): Processing {
  const { engine, embedderFor, environment, blobs, scheme, rules, pipeline, metrics, handOver, leaseMs, maxAttempts } =
    options
  const { store, clock, random, ids, log } = environment
  const states = new StateStore(store, ids)
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
    ...(metrics && { metrics }),
    ...(handOver && { handOver }),
    ...(leaseMs !== undefined && { leaseMs }),
    ...(maxAttempts !== undefined && { maxAttempts }),
  })
  const { queue, buckets, owns, concurrency, sweepEachMs } = options
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
    ...(concurrency !== undefined && { concurrency }),
    ...(sweepEachMs !== undefined && { sweepEachMs }),
  })
  const close = async () => {
    await worker.close()
    await pipeline.close()
  }
  return { worker, reconciler, states, expiresBeforeMs, close }
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

const withScratch: ConstructorParameters<typeof Reconciler>[0]['withScratch'] = async (work) => {
  const path = await mkdtemp(join(tmpdir(), 'siltstone-objects-'))
  try {
    return await work({ path, freeBytes: () => freeDiskBytes(path) })
  } finally {
    await rm(path, { recursive: true, force: true })
  }
}
