/**
 * A process that compacts one directory on request, so that its memory is measured apart from the writer's. Started by
 * `startCompactor`; it answers every message with one message.
 */
import { openEngine } from './open.ts'
import type { CompactedMessage } from './compactor.ts'

const [directory, name] = process.argv.slice(2) as [string, string]
const { engine, counting, use, close } = await openEngine(directory, { blockCacheBytes: 64 * 1024 * 1024 })
const { path } = await use(name)
counting.takeCounts()

process.on('message', (message) => {
  void (message === 'close' ? close().then(() => process.disconnect()) : compact(message === 'compact full'))
})
process.send?.('ready')

async function compact(full: boolean): Promise<void> {
  const startedMs = performance.now()
  const outcome = await engine.compact(path, { full })
  const answer: CompactedMessage = {
    outcome,
    seconds: (performance.now() - startedMs) / 1000,
    counts: counting.takeCounts(),
  }
  process.send?.(answer)
}
