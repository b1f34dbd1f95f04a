import { EmbedderRegistry, type EmbedderRegistryOptions } from '../embed/registry.ts'
import { StoreEngine } from '../engine/engine.ts'
import { invalid } from '../errors.ts'
import { closeEnvironment } from '../drivers/directory/directory-environment.ts'
import type { Environment } from '../ports/environment.ts'
import { instrumented } from '../drivers/instrumented.ts'
import { openEnvironmentAt } from '../drivers/open-environment.ts'
import { systemModels } from '../host/model-host.ts'
import { environmentVariables } from '../host/process.ts'
import { type Logger, type Metrics, noMetrics, silentLogger } from '../ports/telemetry.ts'
import type { RecordLimits } from '../records/record-limits.ts'
import { Compaction } from './compaction.ts'
import { Store } from './store.ts'

export interface StoreOptions {
  /** Where the store is, a directory or `s3://bucket/prefix?…`; made when it is not there. A bucket must exist. */
  directory?: string | undefined
  /** Instead of a directory: what the engine stands on. It is not closed with the store, and compaction is `off`. */
  environment?: Environment | undefined
  /** Default `default_tenant` and `default_database`, which exist from the start. */
  tenant?: string | undefined
  database?: string | undefined
  /**
   * `worker` (default): a thread folds the log, merges segments and collects garbage; in a bundle without the module of
   * the thread this happens in the caller's thread. `off`: another process does it, or `collection.compact()` is called;
   * writes are refused when the log has grown too long.
   */
  compaction?: 'worker' | 'off' | undefined
  /** Allows `reset()`. Default false. */
  allowReset?: boolean | undefined
  /** Providers that embed texts, by the collections' configurations. Default: English, offline. */
  embedders?: EmbedderRegistryOptions | undefined
  /** Accept a network file system, where the promises do not hold between machines. Default false. */
  allowNetworkFilesystem?: boolean | undefined
  /** Default: silent. */
  logger?: Logger | undefined
  metrics?: Metrics | undefined
  /** Parsed blocks kept in memory. Default 160 MB. */
  blockCacheBytes?: number | undefined
  /** Bounds within a record that is written, such as `{ maxDocumentBytes: 1_000_000 }`. */
  recordLimits?: Partial<RecordLimits> | undefined
}

/**
 * Opens a store in this process, safely beside servers, command lines and other processes on the same directory or
 * bucket.
 *
 *     const store = await openStore('./data')
 *     const notes = await store.getOrCreateCollection({ name: 'notes' })
 *     await notes.add({ ids: ['1'], documents: ['Silt settles where water slows down.'] })
 *     const found = await notes.query({ queryTexts: ['why do rivers drop mud?'] })
 *
 * @throws SiltstoneError `invalid` (no-directory), `unsupported` (network-filesystem, aws-sdk-missing, aws-not-bundled,
 *   sqlite-missing, a newer store),
 *   `unavailable` (the directory cannot be written; no credentials or permissions), `not-found` (no such bucket),
 *   `corrupt`
 */
export async function openStore(place: string | StoreOptions, options: StoreOptions = {}): Promise<Store> {
  const all: StoreOptions = typeof place === 'string' ? { ...options, directory: place } : { ...place, ...options }
  const { logger: log = silentLogger, metrics = noMetrics, allowNetworkFilesystem = false, environment } = all
  const env = environment
    ? instrumented(environment)
    : await openEnvironmentAt(directoryOf(all), { allowNetworkFilesystem, log, metrics })
  const closeEnv = async () => {
    if (!environment) await closeEnvironment(env)
  }
  let engine: StoreEngine
  try {
    engine = await StoreEngine.open({
      env,
      ...(all.blockCacheBytes !== undefined && { blockCacheBytes: all.blockCacheBytes }),
      ...(all.recordLimits && { recordLimits: all.recordLimits }),
    })
  } catch (error) {
    await closeEnv()
    throw error
  }
  const inThread = !environment && (all.compaction ?? 'worker') === 'worker'
  const compaction = inThread
    ? new Compaction({
        directory: directoryOf(all),
        allowNetworkFilesystem,
        clock: env.clock,
        random: env.random,
        log,
        metrics,
        onCommit: (path) => void engine.followCommit(path),
      })
    : undefined
  let closing: Promise<void> | undefined
  const close = async () => {
    await engine.close()
    await compaction?.close()
    await closeEnv()
  }
  return new Store(
    {
      engine,
      registry: new EmbedderRegistry(
        { ...env, models: systemModels, variables: environmentVariables() },
        all.embedders,
      ),
      allowReset: all.allowReset ?? false,
      close: () => (closing ??= close()),
      isClosed: () => closing !== undefined,
    },
    all,
  )
}

function directoryOf({ directory }: StoreOptions): string {
  if (directory === undefined || directory === '')
    throw invalid('no-directory', "directory is missing; call openStore('./data')", { field: 'directory' })
  return directory
}
