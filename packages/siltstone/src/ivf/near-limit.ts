/** Which clusters count as nearly as near as the nearest one; see `flatness.ts`. */
import type { IndexedSpace } from './directory.ts'

/**
 * The largest g(c) (docs/decisions/0005) of a cluster that counts. For inner products, which are no distances, vectors are
 * taken as lying on a sphere of radius `reach`: there the squared distance to the query, which may be scaled to this length,
 * grows by 2 × reach ÷ its length × g(c).
 * @param nearest g(c) of the nearest centroid
 * @param reach length that few rows exceed
 * @param length of the query
 */
export function nearLimit(space: IndexedSpace, nearest: number, reach: number, length: number, nearly: number): number {
  const factor = nearly * nearly
  if (space !== 'ip') return Math.max(0, nearest) * factor
  const shift = reach * length - 1
  return Math.max(0, nearest + shift) * factor - shift
}
