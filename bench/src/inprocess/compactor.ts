import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CompactionOutcome, StoreCounts } from 'siltstone/internal'
import { processUsage, type ProcessUsage, samplePeak } from '../measure/process-usage.ts'

export type CompactorOrder = 'compact' | 'compact full' | 'compact to rest' | 'close'

export interface CompactedMessage {
  outcome: CompactionOutcome
  seconds: number
  counts: StoreCounts
}

export interface Compacted extends CompactedMessage {
  /** Peak during this compaction, sampled. */
  peakRssBytes: number
}

export interface CompactorProcess {
  /** Default: once, as `siltstone compact` does. */
  compact(order?: Exclude<CompactorOrder, 'close'>): Promise<Compacted>
  usage(): ProcessUsage
  close(): Promise<void>
}

export interface CompactorOptions {
  /** What compaction may hold, as a setting of the product. */
  memoryMb?: number
  /** Delete what a compaction leaves behind, which a server would do hours later: for stores that do not fit on the disk otherwise. */
  collects?: boolean
  /** The only processor that the process and its threads run on. Default: all. */
  core?: number
}

export async function startCompactor(
  directory: string,
  collection: string,
  { memoryMb, collects, core }: CompactorOptions = {},
): Promise<CompactorProcess> {
  const module = fileURLToPath(new URL('child.ts', import.meta.url))
  const bound = core === undefined ? [] : ['taskset', '--cpu-list', String(core)]
  const settings = [memoryMb === undefined ? '' : String(memoryMb), collects ? 'collects' : '']
  const [command = '', ...rest] = [...bound, process.execPath, module, directory, collection, ...settings]
  const child = spawn(command, rest, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the compacting process exited with ${String(code)}`)
  })
  // A process that ends later, on request, must not cause an unhandled rejection.
  ended.catch(() => undefined)
  const answer = async (): Promise<unknown> => {
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown]
    return message
  }
  await answer()
  const usage = () => processUsage(child.pid as number)
  return {
    usage,
    compact: async (order = 'compact') => {
      const peak = samplePeak(() => usage().rssBytes, 25)
      const answered = answer()
      child.send(order)
      const message = (await answered) as CompactedMessage
      return { ...message, peakRssBytes: peak.stop() }
    },
    close: async () => {
      const closed = once(child, 'exit')
      child.send('close')
      await closed
    },
  }
}
