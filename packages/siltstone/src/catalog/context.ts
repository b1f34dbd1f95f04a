import type { CollectionInfo } from '../model/collection.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Logger } from '../ports/telemetry.ts'
import type { DocumentStore } from './document-store.ts'

/** What the catalog's protocols work with. */
export interface Context {
  documents: DocumentStore
  clock: Clock
  ids: Ids
  log: Logger
  /**
   * Appends `closed` to the collection's log and answers when it is durable. Must hold up to being called again, by
   * several processes at once, and for a fork that never got its pointer.
   */
  closeLog(info: CollectionInfo): Promise<void>
  /** How old a fork in creation must be before somebody else may end it to have its name. */
  forkAbandonedAfterMs: number
}

/** At most this many requests to the store at once for one call. */
export const CONCURRENCY = 16

/** `work` on every item, in order of the items, at most `CONCURRENCY` at once. The first failure is thrown. */
export async function mapBounded<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = Array.from({ length: items.length })
  let next = 0
  const worker = async () => {
    while (next < items.length) {
      const i = next++
      results[i] = await work(items[i] as T)
    }
  }
  const workers = Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker)
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return results
}
