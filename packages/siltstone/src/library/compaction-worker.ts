/**
 * The thread that compacts a directory. It has an environment of its own and talks to its parent only by messages, so
 * ending it at any point loses no data.
 */
import { connectToParent } from '../host/worker.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'
import { compactDirectory } from './compact-directory.ts'
import type { CompactionData, FromCompaction } from './compaction-messages.ts'

const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
const parent = connectToParent<CompactionData, FromCompaction>(() => stop())

const logAt =
  (level: keyof Logger): Logger[keyof Logger] =>
  (event, fields = {}) =>
    // Fields may hold values that cannot be cloned; a log needs only their text.
    parent.post({ kind: 'log', level, event, fields: JSON.parse(JSON.stringify(fields)) as Record<string, unknown> })
const log: Logger = { debug: logAt('debug'), info: logAt('info'), warn: logAt('warn'), error: logAt('error') }
const metrics: Metrics = {
  count: (name, amount = 1, labels = {}) => parent.post({ kind: 'metric', how: 'count', name, value: amount, labels }),
  gauge: (name, value, labels = {}) => parent.post({ kind: 'metric', how: 'gauge', name, value, labels }),
  observe: (name, value, labels = {}) => parent.post({ kind: 'metric', how: 'observe', name, value, labels }),
}

await compactDirectory({
  ...parent.data,
  log,
  metrics,
  onReady: () => parent.post({ kind: 'ready' }),
  onCommit: (path) => parent.post({ kind: 'committed', path }),
  stopped,
})
parent.post({ kind: 'stopped' })
parent.disconnect()
