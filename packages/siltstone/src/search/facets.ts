/** Counts the values of metadata keys over the selected records, by reading their metadata. */
import { invalid } from '../errors.ts'
import type { View } from '../log/view.ts'
import type { Facets, FacetValue } from '../model/search.ts'
import type { MetadataScalar, MetadataValue } from '../model/record.ts'
import { compareKeys } from '../ports/object-key.ts'
import { Pacer, type Pause } from '../pacer.ts'
import type { Selection } from '../query/selection.ts'
import { stringifyExact } from '../records/exact-json.ts'
import { isSparseVector, parseMetadata } from '../records/metadata.ts'
import { slicesOf } from './selection-slices.ts'

/** Different values of all keys that are counted at a time. */
const MAX_VALUES = 1_000_000
/** Metadata characters between two pauses. */
const PAUSE_AFTER = 250_000

/**
 * @returns for each key, the most frequent values, equally frequent ones by their text
 * @throws SiltstoneError `invalid` (too-many-values)
 */
export async function countFacets(
  view: View,
  selected: Selection,
  { keys, limit }: Facets,
  pause: Pause,
): Promise<Map<string, FacetValue[]>> {
  const counts = new Map(keys.map((key) => [key, new Map<string, number>()]))
  const pacer = new Pacer(PAUSE_AFTER, pause)
  let values = 0
  for (const refs of slicesOf(selected)) {
    for (const text of await view.metadatas(refs)) {
      if (text === null) continue
      const metadata = parseMetadata(text)
      for (const [key, ofKey] of counts)
        for (const value of textsOf(metadata.get(key))) {
          const count = ofKey.get(value)
          if (count === undefined && ++values > MAX_VALUES)
            throw invalid('too-many-values', `the keys have more than ${MAX_VALUES} different values`, {
              field: 'facets',
            })
          ofKey.set(value, (count ?? 0) + 1)
        }
      const due = pacer.spend(text.length)
      if (due) await due
    }
  }
  return new Map([...counts].map(([key, ofKey]) => [key, mostFrequent(ofKey, limit)]))
}

/** Each member of an array counts once. */
function textsOf(value: MetadataValue | undefined): Iterable<string> {
  if (value === undefined || isSparseVector(value)) return []
  return new Set((Array.isArray(value) ? value : [value]).map((one: MetadataScalar) => stringifyExact(one)))
}

function mostFrequent(counts: ReadonlyMap<string, number>, limit: number): FacetValue[] {
  return [...counts]
    .map(([value, count]) => ({ value, count }))
    .sort((a, b) => b.count - a.count || compareKeys(a.value, b.value))
    .slice(0, limit)
}
