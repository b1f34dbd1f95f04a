/** Records in the order of their metadata. Values compare as in groups; equal ones stay as they were. */
import type { RecordRef, View } from '../log/view.ts'
import type { Metadata, MetadataValue } from '../model/record.ts'
import type { OrderKey } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import type { Selection } from '../query/selection.ts'
import { inSlices, SLICE_RECORDS } from '../query/slices.ts'
import { parseMetadata } from '../records/metadata.ts'
import { compare } from './group-by.ts'
import { SLICE_ROWS, slicesOf } from './selection-slices.ts'

interface Valued {
  score?: number
  metadata: Metadata | null
}

type Comparison<T> = (a: T, b: T) => number

function byKeys(keys: readonly OrderKey[]): Comparison<Valued> {
  const valueOf = ({ score, metadata }: Valued, key: string): MetadataValue | undefined =>
    key === '#score' ? score : metadata?.get(key)
  return (a, b) => {
    for (const { key, order } of keys) {
      const difference = compare(valueOf(a, key), valueOf(b, key), order === 'ascending' ? 1 : -1)
      if (difference !== 0) return difference
    }
    return 0
  }
}

/** Orders hits, which have scores. */
export async function orderedHits<T extends { ref: RecordRef; score: number }>(
  hits: readonly T[],
  keys: readonly OrderKey[],
  view: View,
  pause: Pause,
): Promise<T[]> {
  const refs = hits.map(({ ref }) => ref)
  const texts = await inSlices(refs, SLICE_RECORDS, pause, (slice) => view.metadatas(slice))
  const order = byKeys(keys)
  return hits
    .map((hit, i) => ({ hit, score: hit.score, metadata: parsed(texts[i] ?? null) }))
    .sort(order)
    .map(({ hit }) => hit)
}

/** The first `count` of the selected records; equal ones in the order of insertion. */
export async function orderedRecords(
  view: View,
  selected: Selection,
  keys: readonly OrderKey[],
  count: number,
  pause: Pause,
): Promise<RecordRef[]> {
  const wanted = keys.map(({ key }) => key)
  const order = byKeys(keys)
  const byOrder: Comparison<Valued & { ordinal: number }> = (a, b) => order(a, b) || a.ordinal - b.ordinal
  let best: (Valued & { ref: RecordRef; ordinal: number })[] = []
  for (const refs of slicesOf(selected)) {
    const [texts, ordinals] = await Promise.all([view.metadatas(refs), view.ordinals(refs)])
    for (const [i, ref] of refs.entries())
      best.push({ ref, ordinal: ordinals[i] as number, metadata: only(parsed(texts[i] ?? null), wanted) })
    if (best.length > 2 * count + 4 * SLICE_ROWS) best = best.sort(byOrder).slice(0, count)
    await pause()
  }
  return best
    .sort(byOrder)
    .slice(0, count)
    .map(({ ref }) => ref)
}

function parsed(text: string | null): Metadata | null {
  return text === null ? null : parseMetadata(text)
}

/** The rest need not be kept. */
function only(metadata: Metadata | null, keys: readonly string[]): Metadata {
  const kept: Metadata = new Map<string, MetadataValue>()
  for (const key of keys) {
    const value = metadata?.get(key)
    if (value !== undefined) kept.set(key, value)
  }
  return kept
}
