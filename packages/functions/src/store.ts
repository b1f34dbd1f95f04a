/** The store of this function's container, opened at the first use and kept for the next ones. */
import {
  compactLimitsOf,
  type Environment,
  freeDiskBytes,
  instrumented,
  invalid,
  placeFromVariables,
  StoreEngine,
  withDiskCache,
} from 'siltstone/internal'
import { openS3Environment } from 'siltstone/aws'
import { leaseLimitsOf, placeFromSwitches } from './settings.ts'
import { log, metrics } from './telemetry.ts'

const MB = 1024 * 1024
/** Share of `/tmp`; the rest is scratch space of compaction. */
const CACHE_SHARE = 0.75
/** Share of the function's memory. */
const BLOCKS_SHARE = 0.3
/** Of the function's memory: what a merge may use. */
const MERGE_SHARE = 0.5

export interface Opening {
  readOnly?: boolean
  /** Keep blocks of segments in `/tmp`, for as long as the container lives. */
  diskCache?: boolean
}

/** @throws SiltstoneError `invalid` (no-store) when SILTSTONE_DATA is missing, and as `openS3Environment` does */
export function openEnvironment({ readOnly = false }: Opening = {}): Promise<Environment> {
  const url = placeFromVariables(process.env) ?? placeFromSwitches(process.env)
  if (url === undefined)
    throw invalid(
      'no-store',
      'Set SILTSTONE_DATA to s3://bucket/prefix, or VECTOR_BUCKET_NAME to a bucket, or USE_S3=1 with S3_BUCKET_NAME.',
      {
        field: 'SILTSTONE_DATA',
      },
    )
  return openS3Environment(url, { log, metrics, readOnly })
}

export async function openEngine(opening: Opening): Promise<StoreEngine> {
  const direct = instrumented(await openEnvironment(opening))
  const env = opening.diskCache === true ? await withDiskCache(direct, await diskCache()) : direct
  const sizeMb = memoryMb(1_024)
  return StoreEngine.open({
    env,
    blockCacheBytes: Math.floor(sizeMb * MB * BLOCKS_SHARE),
    compact: {
      ...compactLimitsOf(env.store),
      ...leaseLimitsOf(process.env),
      memoryBytes: Math.floor(sizeMb * MB * MERGE_SHARE),
    },
  })
}

/** Of a task as `SILTSTONE_MEMORY_MB`, of a function as Lambda says. */
export const memoryMb = (otherwise: number): number =>
  Number(process.env['SILTSTONE_MEMORY_MB'] ?? process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? otherwise)

async function diskCache() {
  const limitBytes = Math.floor((await freeDiskBytes('/tmp')) * CACHE_SHARE)
  return { directory: process.env['SILTSTONE_CACHE_DIRECTORY'] ?? '/tmp/siltstone-cache', limitBytes }
}

/** Calls `open` once, and after a failure again at the next call. */
export function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }
}
