import { closeEnvironment } from '../drivers/directory/directory-environment.ts'
import { openEnvironmentAt } from '../drivers/open-environment.ts'
import { Background } from '../engine/background.ts'
import { StoreEngine } from '../engine/engine.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'
import type { CompactionData } from './compaction-messages.ts'

/** Compaction reads each block about once. */
const BLOCK_CACHE_BYTES = 64 * 1024 * 1024

export interface CompactDirectoryOptions extends CompactionData {
  log: Logger
  metrics: Metrics
  /** Called when the store is open and compaction has begun. */
  onReady: () => void
  /** Compaction stops at the next safe point after this has resolved. */
  stopped: Promise<void>
}

/**
 * Folds, merges and collects garbage as the queue and the schedule say, in an environment of its own, until it is
 * stopped. Cut off at any point it loses no data; another process takes the work up.
 * @throws SiltstoneError as `openEnvironmentAt` and `StoreEngine.open` do
 */
export async function compactDirectory(options: CompactDirectoryOptions): Promise<void> {
  const { directory, allowNetworkFilesystem, log, metrics, onReady, stopped } = options
  const env = await openEnvironmentAt(directory, { allowNetworkFilesystem, log, metrics })
  try {
    const engine = await StoreEngine.open({ env, blockCacheBytes: BLOCK_CACHE_BYTES })
    const background = new Background(engine)
    onReady()
    await stopped
    await background.close()
    await engine.close()
  } finally {
    await closeEnvironment(env)
  }
}
