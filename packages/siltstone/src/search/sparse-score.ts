/** The score of one sparse vector that no index holds. `words/score.ts` defines it, to the bit. */
import type { SparseVector } from '../model/record.ts'

/**
 * @param indices of the query, strictly ascending, with their weights
 * @returns undefined if the two have no dimension in common
 */
export function sparseScore(
  indices: readonly number[],
  weights: Float32Array,
  vector: Pick<SparseVector, 'indices' | 'values'>,
): number | undefined {
  let dot = 0
  let shared = false
  for (let q = 0, d = 0; q < indices.length && d < vector.indices.length; ) {
    const difference = (indices[q] as number) - (vector.indices[d] as number)
    if (difference === 0) {
      shared = true
      dot = Math.fround(dot + Math.fround((weights[q] as number) * Math.fround(vector.values[d] as number)))
    }
    if (difference <= 0) q++
    if (difference >= 0) d++
  }
  return shared ? Math.fround(1 - dot) : undefined
}
