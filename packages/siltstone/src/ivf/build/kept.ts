/** The nearest rows of a pseudo-query, as `SmallestOfMany` keeps them. */
import { selectSmallest, type SmallestOfMany } from '../../kernels/smallest.ts'

type Kept = ReturnType<SmallestOfMany['kept']>

/**
 * Reorders the tags so that for each of the counts k, the first k are the nearest ones, in no order. Of rows that are as far as the k-th,
 * as copies of one row are, those that a search meets first come first: it may answer any of them.
 * @param counts ascending @param placeOf where a search meets a row
 */
export function nearestFirst(
  { distances, tags }: Kept,
  counts: readonly number[],
  placeOf: (tag: number) => number,
): Uint32Array {
  let end = tags.length
  for (const count of counts.toReversed()) {
    if (count >= end) continue
    selectSmallest(distances, count - 1, 0, end, tags)
    firstMet(distances, tags, count, end, placeOf)
    end = count
  }
  return tags
}

/** Of the rows before `end` that are as far as the farthest before `count`, moves those that are met first to before `count`. */
function firstMet(
  distances: Float64Array,
  tags: Uint32Array,
  count: number,
  end: number,
  placeOf: (tag: number) => number,
): void {
  let last = Number.NEGATIVE_INFINITY
  for (let i = 0; i < count; i++) last = Math.max(last, distances[i] as number)
  if (distances.indexOf(last, count) < 0) return
  const equal: number[] = []
  for (let i = 0; i < end; i++) if (distances[i] === last) equal.push(i)
  const met = equal.map((i) => tags[i] as number).map((tag) => ({ tag, place: placeOf(tag) }))
  met.sort((a, b) => a.place - b.place)
  for (const [at, i] of equal.entries()) tags[i] = (met[at] as { tag: number }).tag
}

/**
 * Leaves out one that is this far away. Rows and queries are the same integers, so a row has exactly this distance to itself, but
 * for rounding.
 */
export function withoutOne({ distances, tags }: Kept, distance: number): Kept {
  const near = Math.abs(distance) * 1e-6
  const own = distances.findIndex((one) => Math.abs(one - distance) <= near)
  if (own < 0) return { distances, tags }
  const last = tags.length - 1
  distances[own] = distances[last] as number
  tags[own] = tags[last] as number
  return { distances: distances.subarray(0, last), tags: tags.subarray(0, last) }
}
