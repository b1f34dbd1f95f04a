/** Siltstone's engine in this process, on a local directory or in a bucket, with all requests to storage counted. */
import {
  closeEnvironment,
  type Collection,
  type CountingObjectStore,
  compactLimitsOf,
  countingObjectStore,
  delayingObjectStore,
  directoryLimits,
  type EngineOptions,
  isSiltstoneError,
  openEnvironment,
  pathOf,
  type RecordOp,
  StoreEngine,
  roundsObjectStore,
  type RoundsObjectStore,
} from 'siltstone/internal'
import { openS3Environment } from 'siltstone/aws'
import { batches, type Dataset, type Row } from '../data/dataset.ts'

/** Listing behaviour of S3. A directory lists twice, in case a file is created in between; here no other process writes. */
const FAR = { atomicListPages: true, cheapStartAfter: true, isLocal: false, gapBytes: 32 * 1024 }

/** What is not reachable any more is garbage at once. */
const FORGETTING = { graceMs: 0, history: { everyCommitMs: 0, hourlyMs: 0, newest: 1 } }

/** As for a user: no wrapper between engine and directory. */
export interface PlainEngine {
  engine: StoreEngine
  /** The collection with that name, created if missing. */
  use(name: string): Promise<{ collection: Collection; path: string }>
  close(): Promise<void>
}

export interface OpenEngine extends PlainEngine {
  counting: CountingObjectStore
  rounds: RoundsObjectStore
}

export interface OpenOptions extends Omit<EngineOptions, 'env'> {
  /** Delay of every request to storage. Default: none. */
  delayMs?: number
  /** Memory that compaction may hold, about. Default: what makes it fastest. */
  compactionBytes?: number
  /** Keep nothing for slow readers, or of earlier states: no other process reads. Default false. */
  forgets?: boolean
}

/** @param place a directory, or `s3://…` */
export async function openEngine(place: string, options: OpenOptions = {}): Promise<OpenEngine> {
  const { delayMs, compactionBytes, forgets, ...engineOptions } = options
  const isBucket = place.startsWith('s3://')
  const env = isBucket ? await openS3Environment(place) : await openEnvironment(place)
  const local = env.store
  const far =
    delayMs === undefined
      ? local
      : delayingObjectStore(local, {
          clock: env.clock,
          delayMs: () => delayMs,
          capabilities: isBucket ? local.capabilities : FAR,
        })
  const counting = countingObjectStore(far)
  const rounds = roundsObjectStore(counting)
  const limits = compactLimitsOf(local, compactionBytes)
  const compact = forgets ? { ...limits, ...FORGETTING } : limits
  const engine = await StoreEngine.open({
    env: { ...env, store: rounds },
    compact,
    ...(forgets && { log: { ...directoryLimits, entryRetentionMs: 0 } }),
    ...engineOptions,
  })
  return { counting, rounds, ...handle(engine, env) }
}

export async function openPlainEngine(directory: string): Promise<PlainEngine> {
  const env = await openEnvironment(directory)
  return handle(await StoreEngine.open({ env }), env)
}

function handle(engine: StoreEngine, env: Parameters<typeof closeEnvironment>[0]): PlainEngine {
  return {
    engine,
    use: async (name) => {
      const { info } = await engine.catalog.createCollection({
        tenant: 'default_tenant',
        database: 'default_database',
        name,
        getOrCreate: true,
        space: 'cosine',
        metadata: null,
        configuration: { hnsw: { space: 'cosine' } },
        schema: null,
      })
      return { collection: await engine.collection(info.tenant, info.database, info.id), path: pathOf(info) }
    },
    close: async () => {
      await engine.close()
      await closeEnvironment(env)
    },
  }
}

export function upserts(rows: readonly Row[]): RecordOp[] {
  return rows.map(({ id, vector, document, metadata }) => ({
    op: 'upsert',
    id,
    vector,
    document,
    metadata,
    uri: null,
  }))
}

/**
 * Writes, and calls `whenFull` instead of waiting when the log applies back-pressure.
 * @returns seconds spent in writes alone
 */
export async function load(
  collection: Collection,
  data: Dataset,
  options: { batch?: number; first?: number; end?: number; whenFull(): Promise<void> },
): Promise<{ seconds: number }> {
  const { batch = 1_000, first = 0, end = data.count, whenFull } = options
  let ms = 0
  for (const rows of batches(data, batch, first, end)) {
    const operations = upserts(rows)
    for (;;) {
      const startedMs = performance.now()
      const written = await writeOnce(collection, operations)
      if (written) {
        ms += performance.now() - startedMs
        break
      }
      await whenFull()
    }
  }
  return { seconds: ms / 1000 }
}

/** Returns false if the log is full. */
async function writeOnce(collection: Collection, operations: readonly RecordOp[]): Promise<boolean> {
  try {
    await collection.write(operations)
    return true
  } catch (error) {
    if (!isSiltstoneError(error, 'unavailable')) throw error
    return false
  }
}
