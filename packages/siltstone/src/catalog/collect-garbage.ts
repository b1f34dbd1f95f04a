/**
 * Completes deletions and crashed creations, and removes their id objects. A tombstone is removed when its collection's log
 * is closed, its claims are vacant, and it is older than the grace period. By then no put that could restore the object is
 * in flight, and ids are never reused. The objects of claims, databases and tenants stay.
 */
import { catalogRoot, parseKey } from '../format/keys.ts'
import type { ObjectInfo } from '../ports/object-store.ts'
import { collectionType } from './collection-document.ts'
import { type Context, mapBounded } from './context.ts'
import { deleteById } from './delete-collection.ts'
import { isEvenSize } from './document-codec.ts'
import { listPages } from './list.ts'

export interface GarbageOutcome {
  /** Incomplete creations ended, and incomplete deletions completed. */
  finished: number
  /** Tombstones removed. */
  removed: number
  /** Not completed because of an error, which was logged. */
  failed: number
}

/** @param graceMs the longest time that a creation may take, and the time that tombstones stay */
export async function collectCatalogGarbage(context: Context, graceMs: number): Promise<GarbageOutcome> {
  const outcome: GarbageOutcome = { finished: 0, removed: 0, failed: 0 }
  const nowMs = context.clock.nowMs()
  const isDue = ({ key, sizeBytes, lastModifiedMs }: ObjectInfo) =>
    !isEvenSize(sizeBytes) && nowMs - lastModifiedMs > graceMs && parseKey(key)?.kind === 'collection-id'
  for await (const objects of listPages(context.documents, catalogRoot)) {
    await mapBounded(objects.filter(isDue), async ({ key }) => {
      try {
        outcome[await collectOne(context, key)]++
      } catch (error) {
        outcome.failed++
        context.log.warn('catalog.garbage-left-behind', { key, error })
      }
    })
  }
  return outcome
}

async function collectOne(context: Context, key: string): Promise<'finished' | 'removed'> {
  const at = await context.documents.read(key, collectionType)
  if (at === undefined || at.document.state === 'live') return 'finished'
  const wasDeleted = at.document.state === 'deleted'
  await deleteById(context, at)
  if (!wasDeleted) return 'finished'
  await context.documents.remove(key)
  return 'removed'
}
