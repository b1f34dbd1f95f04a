/** Which ids the log changed after a version, for conditional commits. */
import { parseKey } from '../format/keys.ts'
import { readEntry } from './applied-log.ts'
import type { CollectionState } from './collection-state.ts'
import type { KeptEntry } from './entry-vectors.ts'
import { isOfLog } from './folded-record.ts'
import { contentOf } from './mention.ts'

/** @returns undefined when it cannot be known: the entries since are no longer kept, or a reset came in between */
export async function changedSince(
  state: CollectionState,
  version: number,
  upTo: number,
): Promise<Set<string> | undefined> {
  const changed = new Set<string>()
  const entries = await state.run(async ({ log }) => log.entries)
  const known = new Map(entries.map((entry) => [entry.number, entry]))
  const folded: KeptEntry[] = []
  for (let number = version + 1; number <= upTo; number++) {
    const entry = known.get(number) ?? (await readEntry(state.env.store, state.path, number))?.entry
    if (entry && !known.has(number)) folded.push(entry)
    if (!entry || entry.control?.kind === 'reset' || !(await addIds(state, entry, changed))) return undefined
  }
  if (folded.length === 0) return changed
  const now = await state.manifests.current()
  return now === 'none' || folded.every((entry) => isOfLog(now.manifest, entry)) ? changed : undefined
}

async function addIds(state: CollectionState, entry: KeptEntry, changed: Set<string>): Promise<boolean> {
  for (const mention of entry.sequenced) {
    const parsed = parseKey(mention.key)
    if (parsed?.kind !== 'inbox') return false
    const delta = await contentOf(mention, parsed.ulid, state.deltas)
    if (delta.status === 'refused') continue
    if (delta.status !== 'ok') return false
    for (const { id } of delta.records) changed.add(id)
  }
  for (const { id } of entry.records) changed.add(id)
  return true
}
