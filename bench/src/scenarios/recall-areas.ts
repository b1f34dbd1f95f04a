/**
 * Areas around some of the rows, as categories of records are: a filter that admits the areas near a query is correlated with it, and one
 * that admits the areas far from it is anti-correlated.
 */
import type { Space } from 'siltstone/internal'
import { dot } from '../data/exact.ts'

const AREAS = 100
/** Rows from which the sizes of the areas are estimated. */
const MEASURED = 5_000

/** Rows of a corpus. */
export interface Rows {
  space: Space
  count: number
  row(index: number): Float32Array
}

export interface Areas {
  /** The area of a row: 0 to 99. */
  of(vector: Float32Array): number
  /** The areas nearest to a query that hold about this share of the rows. */
  near(query: Float32Array, share: number): number[]
  /** The areas farthest from a query that hold about this share of the rows. */
  far(query: Float32Array, share: number): number[]
}

export function areasOf({ space, count, row }: Rows): Areas {
  const even = (some: number) => Array.from({ length: some }, (_, i) => row(Math.floor(((i + 0.5) * count) / some)))
  const centres = even(Math.min(count, AREAS))
  const lengths = centres.map((centre) => Math.hypot(...centre))
  // Not `reduce`: at 100,000 rows of 768 dimensions it would take longer than loading and asking them.
  const dots = (vector: Float32Array) => centres.map((centre) => dot(centre, vector))
  // Rows of inner products are divided by distance: by products, the longest row would have them all.
  const away = (vector: Float32Array, by: Space) =>
    dots(vector).map((dot, i) => {
      const length = lengths[i] as number
      if (by === 'cosine') return -dot / (length || 1)
      return by === 'ip' ? -dot : length * length - 2 * dot
    })
  const of = (vector: Float32Array) => {
    const distances = away(vector, space === 'ip' ? 'l2' : space)
    return distances.indexOf(Math.min(...distances))
  }
  const sizes = new Array<number>(centres.length).fill(0)
  const some = even(Math.min(count, MEASURED))
  for (const vector of some) {
    const area = of(vector)
    sizes[area] = (sizes[area] as number) + 1 / some.length
  }
  const take = (order: readonly number[], share: number) => {
    const areas: number[] = []
    for (let held = 0; held < share && areas.length < order.length; held += sizes[areas.at(-1) as number] as number)
      areas.push(order[areas.length] as number)
    return areas
  }
  const ordered = (query: Float32Array) => {
    const distances = away(query, space)
    return centres.map((_, i) => i).sort((a, b) => (distances[a] as number) - (distances[b] as number))
  }
  return {
    of,
    near: (query, share) => take(ordered(query), share),
    far: (query, share) => take(ordered(query).reverse(), share),
  }
}
