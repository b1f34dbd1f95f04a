/**
 * A query from examples: near to the mean of some records' vectors and away from the mean of others: twice the mean of the positive
 * ones less that of the negative ones; without negative ones the mean of the positive ones. Where distances are cosines, vectors are
 * first brought to length 1.
 */
import { invalid } from '../errors.ts'
import type { View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import type { KnnQuery } from '../model/search.ts'
import type { RowSet } from '../format/row-set.ts'
import type { Pause } from '../pacer.ts'
import type { Selection } from '../query/selection.ts'
import { findInSlices } from '../query/slices.ts'

type Examples = Extract<KnnQuery, { kind: 'examples' }>

/** @throws SiltstoneError `invalid` (example-missing) */
export async function vectorOfExamples(
  { positive, negative }: Examples,
  view: View,
  space: Space,
  pause: Pause,
): Promise<Float32Array> {
  const asked = [...new Set([...positive, ...negative])]
  const refs = await findInSlices(view, asked, pause)
  const [ids, vectors] = await Promise.all([view.ids(refs), view.vectors(refs)])
  const found = new Map(ids.map((id, i) => [id, vectors[i] as Float32Array]))
  const missing = asked.find((id) => !found.has(id))
  if (missing !== undefined)
    throw invalid('example-missing', `there is no record ${JSON.stringify(missing)}; give the ids of records`, {
      field: 'query',
    })
  const of = (some: readonly string[]) => some.map((id) => found.get(id) as Float32Array)
  return combinedExamples(of(positive), of(negative), space)
}

/** The selection without some records. */
export async function withoutIds(
  { rows, counts, changed }: Selection,
  ids: readonly string[],
  view: View,
  pause: Pause,
): Promise<Selection> {
  const refs = await findInSlices(view, ids, pause)
  const removed = new Set(refs.map((ref) => ref.changed))
  const left = [...rows]
  const leftCounts = [...counts]
  const copied = new Set<number>()
  for (const ref of refs) {
    if (ref.changed !== null) continue
    const place = ref.row
    if (left[place.segment]?.has(place.row) !== true) continue
    // Selections are kept and shared.
    if (!copied.has(place.segment)) left[place.segment] = (left[place.segment] as RowSet).copy()
    copied.add(place.segment)
    ;(left[place.segment] as RowSet).remove(place.row)
    leftCounts[place.segment] = (leftCounts[place.segment] as number) - 1
  }
  return { rows: left, counts: leftCounts, changed: changed.filter((record) => !removed.has(record)) }
}

export function combinedExamples(
  positive: readonly Float32Array[],
  negative: readonly Float32Array[],
  space: Space,
): Float32Array {
  const liked = meanOf(positive, space)
  if (negative.length === 0) return Float32Array.from(liked)
  const disliked = meanOf(negative, space)
  return Float32Array.from(liked, (value, i) => 2 * value - (disliked[i] as number))
}

function meanOf(vectors: readonly Float32Array[], space: Space): Float64Array {
  const mean = new Float64Array(vectors[0]?.length ?? 0)
  for (const vector of vectors) {
    const length = space === 'cosine' ? Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1 : 1
    for (let i = 0; i < mean.length; i++)
      mean[i] = (mean[i] as number) + (vector[i] as number) / length / vectors.length
  }
  return mean
}
