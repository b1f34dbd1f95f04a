/**
 * The thread that compacts a directory: folds, merges and collects garbage as the queue and the schedule say. It has an
 * environment of its own and speaks to its parent only by messages; stopping it anywhere loses nothing but time.
 */
import { Background } from '../engine/background.ts'
import { StoreEngine } from '../engine/engine.ts'
import { closeEnvironment } from '../drivers/directory/directory-environment.ts'
import { openEnvironmentAt } from '../drivers/open-environment.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'
import { connectToParent } from '../host/worker.ts'
import type { CompactionData, FromCompaction } from './compaction-messages.ts'

/** A thread that only compacts reads each block about once. */
const BLOCK_CACHE_BYTES = 64 * 1024 * 1024

let stop = () => {}
const stopped = new Promise<void>((resolve) => {
  stop = resolve
})
const parent = connectToParent<CompactionData, FromCompaction>(() => stop())

const logAt =
  (level: keyof Logger): Logger[keyof Logger] =>
  (event, fields = {}) =>
    // Fields may hold what cannot be cloned; their text is all that a log needs.
    parent.post({ kind: 'log', level, event, fields: JSON.parse(JSON.stringify(fields)) as Record<string, unknown> })
const log: Logger = { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') }
const metrics: Metrics = {
  count: (name, amount = 1, labels = {}) => parent.post({ kind: 'metric', how: 'count', name, value: amount, labels }),
  gauge: (name, value, labels = {}) => parent.post({ kind: 'metric', how: 'gauge', name, value, labels }),
  observe: (name, value, labels = {}) => parent.post({ kind: 'metric', how: 'observe', name, value, labels }),
}

const { directory, allowNetworkFilesystem } = parent.data
const env = await openEnvironmentAt(directory, { allowNetworkFilesystem, log, metrics })
const engine = await StoreEngine.open({ env, blockCacheBytes: BLOCK_CACHE_BYTES })
const background = new Background(engine)
parent.post({ kind: 'ready' })
await stopped
await background.close()
await engine.close()
await closeEnvironment(env)
parent.post({ kind: 'stopped' })
parent.disconnect()
