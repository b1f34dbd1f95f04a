/** Which objects of a collection a garbage collection may delete. It reads only. */
import { logPrefix, parseKey, pointerKey } from '../format/keys.ts'
import { type Manifest, objectsOf } from '../format/manifest.ts'
import { pages } from '../log/listing.ts'
import type { Environment } from '../ports/environment.ts'
import type { ObjectInfo } from '../ports/object-store.ts'
import type { ManifestStore } from '../snapshot/manifest-store.ts'

export interface Root {
  manifest: Manifest
  /** '' when no key of the manifest is needed. */
  manifestKey: string
  signal?: AbortSignal
}

/** Keys of all objects that the manifest and its pins need. */
export async function reachableKeys(
  manifests: ManifestStore,
  path: string,
  { manifest, manifestKey, signal }: Root,
): Promise<Set<string>> {
  const keys = new Set<string>([pointerKey(path), ...objectsOf(manifest).map(({ key }) => key)])
  // step: pins-are-followed
  const roots = [...(manifestKey === '' ? [] : [manifestKey]), ...manifest.pins.map((pin) => pin.manifestKey)]
  for (const key of roots) {
    if (keys.has(key)) continue
    signal?.throwIfAborted()
    keys.add(key)
    for (const list of await manifests.listObjects(key)) keys.add(list.key)
    for (const object of objectsOf(await manifests.loadExisting(key))) keys.add(object.key)
  }
  return keys
}

/**
 * Folded entries, and copies of deltas that they name.
 * @param taken copies of deltas, which are kept as long as the entries of their number
 * @returns those that were folded longer ago than their retention, and the number of the others
 */
export async function foldedObjects(
  env: Pick<Environment, 'store' | 'clock'>,
  path: string,
  manifest: Manifest,
  taken: readonly ObjectInfo[],
  retentionMs: number,
): Promise<{ old: ObjectInfo[]; waiting: number }> {
  const nowMs = env.clock.nowMs()
  const foldedAt = (number: number) =>
    manifest.folded.find(({ first, ids }) => number >= first && number < first + ids.length)?.foldedAtMs
  const old: ObjectInfo[] = []
  let waiting = 0
  const consider = (object: ObjectInfo) => {
    const parsed = parseKey(object.key)
    if (parsed?.kind !== 'log-entry' && parsed?.kind !== 'taken') return
    if (parsed.number > manifest.watermark) return
    // Without a record, it was folded longer ago than records are kept.
    // step: unrecorded-entries-are-old
    const foldedAtMs = foldedAt(parsed.number) ?? 0
    const ageMs = nowMs - foldedAtMs
    if (ageMs > retentionMs) old.push(object)
    else waiting++
  }
  // A copy is older than the entry that names it, so its own age does not tell that the entry may be forgotten.
  const kept = new Set<number>()
  for await (const page of pages(env.store, logPrefix(path), { delimiter: '/' }))
    for (const object of page) {
      consider(object)
      const parsed = parseKey(object.key)
      if (parsed?.kind === 'log-entry' && nowMs - object.lastModifiedMs <= retentionMs) kept.add(parsed.number)
    }
  for (const object of taken) {
    const parsed = parseKey(object.key)
    if (parsed?.kind === 'taken' && !kept.has(parsed.number)) consider(object)
    else waiting++
  }
  return { old, waiting }
}
