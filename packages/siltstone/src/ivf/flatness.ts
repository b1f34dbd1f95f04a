/**
 * How flat the distances of a query to the centroids are: the number of clusters that are nearly as near as the nearest.
 * The square root of this number tells best how many clusters a query needs, of all measures that were compared
 * (docs/decisions/0012): where many centroids are about equally far, the neighbours are spread over many clusters.
 */
import type { IndexedSpace } from './directory.ts'

/** A cluster counts if its centroid is at most this many times as far as the nearest one. */
const NEARLY = 1.15

/**
 * The largest g(c) (docs/decisions/0005) of a cluster that counts. For inner products, which are no distances, vectors are
 * taken as lying on a sphere of radius `reach`: there the squared distance to the query, which may be scaled to this length,
 * grows by 2 × reach ÷ its length × g(c).
 * @param nearest g(c) of the nearest centroid
 * @param reach length that few rows exceed
 * @param length of the query
 */
export function nearLimit(space: IndexedSpace, nearest: number, reach: number, length: number): number {
  const factor = NEARLY * NEARLY
  if (space !== 'ip') return Math.max(0, nearest) * factor
  const shift = reach * length - 1
  return Math.max(0, nearest + shift) * factor - shift
}
