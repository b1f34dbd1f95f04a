/**
 * Looks at every object and every state of a bucket and finds the keys that need a worker, even if their messages were lost:
 * objects without records of their newest version, records of deleted objects, work that was interrupted, and files that
 * processors made for deleted objects. On a directory it also deletes objects that have expired.
 *
 * It reads the state and the head of each object twice, which is four requests an object beside the listings, and for a
 * recording also the heads of its side-car files.
 */
import type { BlobStore, ListedBlob } from 'siltstone/internal'
import { headOf, listOf } from './bucket-view.ts'
import type { Reconciler } from './reconciler.ts'
import { DERIVED_PREFIX, TEMPORARY_PREFIX } from './rules.ts'
import { derivedPrefixOf } from './run-object.ts'
import { objectIdOf } from './state.ts'
import type { StateStore } from './state-store.ts'

export interface SweepOptions {
  bucket: string
  blobs: BlobStore
  states: StateStore
  reconciler: Reconciler
  /** A key that needs a worker; `expired`: because its object was deleted for its age. */
  found: (key: string, deleted?: 'expired') => Promise<void>
  /** A state that cannot be read and whose object is gone, so that its key is not known. */
  onDamaged: (error: Error) => void
  signal?: AbortSignal
  /** Objects that were written before this time are deleted, once they are settled. Default: none, as where the store does it. */
  expiresBeforeMs?: (key: string) => number | undefined
}

export interface SweepReport {
  objects: number
  found: number
  /** Files of objects that are gone; they were deleted. */
  derivedRemoved: number
  /** Objects that were deleted because of their age. */
  expired: number
}

const AT_ONCE = 16

export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { bucket, blobs, states, reconciler, found, signal, onDamaged } = options
  const report: SweepReport = { objects: 0, found: 0, derivedRemoved: 0, expired: 0 }
  const look = async (key: string) => {
    const { decision } = await reconciler.look(bucket, key)
    if (decision.do === 'nothing' || decision.do === 'wait') return decision
    report.found++
    await found(key)
    return decision
  }
  const lookAtObject = async ({ key, etag, lastModifiedMs }: ListedBlob) => {
    const decision = await look(key)
    // What is not settled expires later, so that records which are to stay are made.
    if (decision.do !== 'nothing' || lastModifiedMs >= (options.expiresBeforeMs?.(key) ?? Number.NEGATIVE_INFINITY))
      return
    if ((await blobs.delete(key, { ifMatch: etag })).status !== 'ok') return
    report.expired++
    await found(key, 'expired')
  }
  const looks = async <T>(items: readonly T[], lookAt: (item: T) => Promise<unknown>) => {
    for (let at = 0; at < items.length; at += AT_ONCE) {
      signal?.throwIfAborted()
      await Promise.all(items.slice(at, at + AT_ONCE).map(lookAt))
    }
  }
  const derived: string[] = []
  for (let continuation: string | undefined, more = true; more; ) {
    const page = await listOf(blobs, continuation === undefined ? {} : { continuation })
    const keys = page.blobs.map(({ key }) => key)
    derived.push(...keys.filter((key) => key.startsWith(DERIVED_PREFIX) && !key.startsWith(TEMPORARY_PREFIX)))
    report.objects += keys.length
    const objects = page.blobs.filter(({ key }) => !key.startsWith(DERIVED_PREFIX))
    await looks(objects, lookAtObject)
    continuation = page.continuation
    more = continuation !== undefined
  }
  // An object that is there was looked at above, so only states without an object are new.
  const kept = new Set<string>()
  let batch: string[] = []
  for await (const { key, derivedRuns } of states.all(bucket, { onDamaged })) {
    for (const run of derivedRuns) kept.add(derivedPrefixOf(objectIdOf(bucket, key), run))
    if ((await headOf(blobs, key)) === undefined) batch.push(key)
    if (batch.length >= AT_ONCE) await looks(batch.splice(0), look)
  }
  await looks(batch, look)
  // A worker that stalled may have made files that no state names any more.
  for (const key of derived) {
    const [, id = '', run = ''] = key.split('/')
    if (kept.has(derivedPrefixOf(id, run))) continue
    signal?.throwIfAborted()
    await blobs.delete(key)
    report.derivedRemoved++
  }
  return report
}
