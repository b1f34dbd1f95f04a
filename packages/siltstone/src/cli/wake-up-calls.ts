/**
 * Wake-up calls that wait in the queue while nothing listens to it. A compaction by hand does what they ask for, so
 * they are taken out of the queue; otherwise they would wait, and be warned of, until a server runs.
 */
import { collectionsToWake } from '../log/wake-up-message.ts'
import type { Queue, QueueMessage } from '../ports/queue.ts'

const AT_ONCE = 10
const AT_MOST = 10_000

export interface WaitingCalls {
  /** Removes the calls for collections that were compacted since, and makes the others visible again. */
  settle(compacted: ReadonlySet<string>): Promise<void>
}

/**
 * Takes the calls before the work begins, so that a call for a later write stays in the queue.
 * @param visibilityMs when they become visible again if this process ends without `settle`
 */
export async function takeWaitingCalls(queue: Queue, visibilityMs: number): Promise<WaitingCalls> {
  const calls: QueueMessage[] = []
  for (let more = AT_ONCE; more === AT_ONCE && calls.length < AT_MOST; ) {
    const some = await queue.receive({ maxMessages: AT_ONCE, visibilityMs, waitMs: 0 })
    calls.push(...some)
    more = some.length
  }
  return {
    async settle(compacted) {
      for (const call of calls) {
        const asked = collectionsToWake(call.body)
        if ([...asked].every((path) => compacted.has(path))) await queue.acknowledge(call)
        else await queue.extend(call, 0)
      }
    },
  }
}
