/**
 * A process that compacts one directory on request, so that its memory is measured apart from the writer's. Started by
 * `startCompactor`; it answers every message with one message.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { CompactionOutcome } from 'siltstone/internal'
import { openEngine } from './open.ts'
import type { CompactedMessage, CompactorOrder } from './compactor.ts'

const BUSY_MS = 100

const MB = 1024 * 1024

const [directory, name, memoryMb, collects] = process.argv.slice(2) as [string, string, string, string]
const { engine, counting, use, close } = await openEngine(directory, {
  ...(memoryMb !== '' && { compactionBytes: Number(memoryMb) * MB }),
  forgets: collects !== '',
  blockCacheBytes: 64 * MB,
})
const { path } = await use(name)
counting.takeCounts()

const orders: Record<Exclude<CompactorOrder, 'close'>, () => Promise<CompactionOutcome>> = {
  compact: () => engine.compact(path, { full: false }),
  'compact full': () => engine.compact(path, { full: true }),
  'compact to rest': compactToRest,
}

process.on('message', (order: CompactorOrder) => {
  void (order === 'close' ? close().then(() => process.disconnect()) : answer(order))
})
process.send?.('ready')

async function answer(order: Exclude<CompactorOrder, 'close'>): Promise<void> {
  const startedMs = performance.now()
  const outcome = await orders[order]()
  if (collects !== '') await engine.collectGarbage(path)
  const answered: CompactedMessage = {
    outcome,
    seconds: (performance.now() - startedMs) / 1000,
    counts: counting.takeCounts(),
  }
  process.send?.(answered)
}

/** Folds and merges side by side, as a server's compaction does, until nothing is left to do for this or another process. */
async function compactToRest(): Promise<CompactionOutcome> {
  const { compactor } = engine
  const { signal } = new AbortController()
  for (let total: CompactionOutcome | undefined; ; ) {
    const done = await Promise.all([compactor.fold(path, { signal }), compactor.merge(path, { signal })])
    total = [...(total ? [total] : []), ...done].reduce(addOutcomes)
    const isWorking = done.some(({ folds, merges }) => folds + merges > 0)
    if (!isWorking && !done.some(({ busy }) => busy)) return total
    if (!isWorking) await sleep(BUSY_MS)
  }
}

function addOutcomes(a: CompactionOutcome, b: CompactionOutcome): CompactionOutcome {
  return {
    ...b,
    folds: a.folds + b.folds,
    merges: a.merges + b.merges,
    entriesFolded: a.entriesFolded + b.entriesFolded,
    recordsFolded: a.recordsFolded + b.recordsFolded,
    bytesWritten: a.bytesWritten + b.bytesWritten,
  }
}
