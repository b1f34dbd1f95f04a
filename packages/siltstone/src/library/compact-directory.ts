import { closeEnvironment } from '../drivers/directory/directory-environment.ts'
import { openEnvironmentAt } from '../drivers/open-environment.ts'
import { compactLimitsOf } from '../compact/compact-limits.ts'
import { Background, defaultBackground } from '../engine/background.ts'
import { StoreEngine } from '../engine/engine.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'
import { type CompactionData, DEFAULT_COMPACTION_MB } from './compaction-messages.ts'

const MB = 1024 * 1024

export interface CompactDirectoryOptions extends CompactionData {
  log: Logger
  metrics: Metrics
  /** Called when the store is open and compaction has begun. */
  onReady: () => void
  /** Called after each fold and each merge that was committed, with the collection's path. */
  onCommit?: ((path: string) => void) | undefined
  /** Compaction stops at the next safe point after this has resolved. */
  stopped: Promise<void>
}

/**
 * Folds, merges and collects garbage as the queue and the schedule say, in an environment of its own, until it is
 * stopped. Cut off at any point it loses no data; another process takes the work up.
 * @throws SiltstoneError as `openEnvironmentAt` and `StoreEngine.open` do
 */
export async function compactDirectory(options: CompactDirectoryOptions): Promise<void> {
  const { directory, allowNetworkFilesystem, memoryMb = DEFAULT_COMPACTION_MB, log, metrics } = options
  const { onReady, onCommit, stopped } = options
  const env = await openEnvironmentAt(directory, { allowNetworkFilesystem, log, metrics })
  try {
    const compact = compactLimitsOf(env.store, memoryMb * MB)
    const engine = await StoreEngine.open({ env, compact, blockCacheBytes: compact.cacheBytes })
    const background = new Background(engine, { ...defaultBackground, onCommit })
    onReady()
    await stopped
    await background.close()
    await engine.close()
  } finally {
    await closeEnvironment(env)
  }
}
