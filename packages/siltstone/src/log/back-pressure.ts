/** How much of the log may wait to be folded before writers are asked to wait. Readers are never refused. */
import { unavailable } from '../errors.ts'
import type { CollectionState } from './collection-state.ts'
import type { InboxObject } from './listing.ts'

export interface Backlog {
  objects: number
  bytes: number
}

/** What waits to be folded, when it is more than writers may add to. */
export function backlogOf(state: CollectionState, inbox: readonly InboxObject[]): Backlog | undefined {
  const objects = state.unfoldedEntries + inbox.length
  const bytes = inbox.reduce((sum, { sizeBytes }) => sum + sizeBytes, state.unfoldedBytes)
  return objects > state.limits.unfoldedObjects || bytes > state.limits.unfoldedBytes ? { objects, bytes } : undefined
}

export function tooFarBehind(state: CollectionState, { objects, bytes }: Backlog) {
  state.env.metrics.count('log_back_pressure')
  return unavailable(
    'back-pressure',
    `${objects} unfolded deltas with ${bytes} bytes wait for compaction in ${state.path}; retry later`,
    { retryAfterMs: 1_000 },
  )
}
