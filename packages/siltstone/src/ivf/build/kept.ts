/** The nearest rows of a pseudo-query, as `SmallestOfMany` keeps them. */
import { selectSmallest, type SmallestOfMany } from '../../kernels/smallest.ts'

type Kept = ReturnType<SmallestOfMany['kept']>

/** Reorders the tags so that for each of the counts k, the first k are the nearest ones, in no order. @param counts ascending */
export function nearestFirst({ distances, tags }: Kept, counts: readonly number[]): Uint32Array {
  let end = tags.length
  for (const count of counts.toReversed()) {
    if (count >= end) continue
    selectSmallest(distances, count - 1, 0, end, tags)
    end = count
  }
  return tags
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
