/**
 * The second cluster of a row (SOAR: Sun et al., NeurIPS 2023): not simply the second nearest, but one whose centroid lies
 * in another direction, so that a query that does not visit the first cluster is likely to visit the second.
 *
 * A row that lies much nearer to its first cluster than to any other has none: a query that comes near the row visits the first. Otherwise
 * copies of rows that lie apart, which are about equally far from all other centroids, would all enter the one nearest to the middle.
 */
import type { Neighbours } from './neighbours.ts'
import type { Shortlists } from './shortlists.ts'

const LAMBDA = 1
/** Largest squared distance to the second centroid, as a multiple of that to the first. */
const MOST_FARTHER = 2
/** A row is at its centroid if its squared distance is at most this share of both squared lengths: what rounding may add. */
const AT_CENTROID = 1e-6
/** A row without a second cluster. */
export const NONE = 0xffffffff

/**
 * The cluster whose centroid c' minimises |x − c'|² + λ⟨x − c', r̂⟩², where r̂ is the unit residual of x to the first.
 * @param square |x|² @param squares |c|² of all centroids
 */
export function secondCluster(
  found: Shortlists,
  row: number,
  square: number,
  squares: Float32Array,
  neighbours: Neighbours,
): number {
  const start = row * found.length
  const first = found.clusters[start] as number
  const firstDot = found.dots[start] as number
  const own = squares[first] as number
  const distanceToFirst = square - 2 * firstDot + own
  // Copies of one row may have several clusters at the same place: a query that comes near visits the first of them.
  if (distanceToFirst <= AT_CENTROID * (square + own)) return NONE
  const residual = Math.max(1e-12, distanceToFirst)
  let second = NONE
  let best = Number.POSITIVE_INFINITY
  for (let i = 1; i < (found.counts[row] as number); i++) {
    const distance = Math.max(0, (found.distances[start + i] as number) + square)
    // Sorted by distance: nothing that follows can be better, or near enough.
    if (distance >= best || distance > MOST_FARTHER * residual) break
    const cluster = found.clusters[start + i] as number
    const along = square - firstDot - (found.dots[start + i] as number) + neighbours.dot(first, cluster)
    const loss = distance + (LAMBDA * along * along) / residual
    // False for NaN, that is for a centroid that is not among the nearest of the first.
    if (loss < best) {
      best = loss
      second = cluster
    }
  }
  return second
}
