import type { CollectionInfo } from '../model/collection.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { Logger } from '../ports/telemetry.ts'
import type { DocumentStore } from './document-store.ts'

/** The dependencies of the catalog's protocols. */
export interface Context {
  documents: DocumentStore
  clock: Clock
  ids: Ids
  log: Logger
  /**
   * Appends `closed` to the collection's log; returns when that is durable. It may be called repeatedly, by several
   * processes at once, and for a fork that never got its pointer.
   */
  closeLog(info: CollectionInfo): Promise<void>
  /** Age of an incomplete fork after which another process may end it to get its name. */
  forkAbandonedAfterMs: number
}

/** Concurrent requests to the store per call. */
export const CONCURRENCY = 16

/** Runs `work` for every item, at most `CONCURRENCY` at once; results are in the items' order. Throws the first failure. */
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
