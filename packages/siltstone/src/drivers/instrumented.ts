/** What stands between an engine and its store. The code that opens a store puts it there; the engine does not. */
import type { Environment } from '../ports/environment.ts'
import { openDiskCacheStore } from './wrappers/disk-cache-store.ts'
import { meteredObjectStore } from './wrappers/metered-object-store.ts'
import { tracedObjectStore } from './wrappers/tracing-object-store.ts'

/**
 * The same environment with the requests to its store counted in its metrics and traced, so that a query can explain
 * which requests it made. An environment that is traced already is returned as it is.
 */
export function instrumented(env: Environment): Environment {
  if (env.tracer) return env
  return { ...env, ...tracedObjectStore(meteredObjectStore(env.store, env.metrics, env.clock), env.clock) }
}

/**
 * The same environment with blocks of immutable objects kept on a local disk, for a distant bucket. Reads that the disk
 * answers are no requests to the store, so this goes around `instrumented`.
 */
export async function withDiskCache(
  env: Environment,
  options: { directory: string; limitBytes: number },
): Promise<Environment> {
  return { ...env, store: await openDiskCacheStore(env.store, { ...options, log: env.log }) }
}
