/** How much of the log may wait to be folded before writers are asked to wait. Readers are never refused. */
import { type SiltstoneError, unavailable } from '../errors.ts'
import type { InboxObject } from './listing.ts'
import type { LogLimits } from './log-limits.ts'
import type { SyncedLog } from './synced-log.ts'

/** The error for a writer when more waits to be folded than writers may add to; undefined otherwise. */
export function backPressure(
  log: Pick<SyncedLog, 'entries' | 'unfoldedBytes'>,
  inbox: readonly InboxObject[],
  { limits, path }: { limits: LogLimits; path: string },
): SiltstoneError | undefined {
  const objects = log.entries.length + inbox.length
  const bytes = inbox.reduce((sum, { sizeBytes }) => sum + sizeBytes, log.unfoldedBytes)
  if (objects <= limits.unfoldedObjects && bytes <= limits.unfoldedBytes) return undefined
  return unavailable(
    'back-pressure',
    `${objects} unfolded entries and deltas with ${bytes} bytes wait for compaction in ${path}; retry later`,
    { retryAfterMs: 1_000 },
  )
}
