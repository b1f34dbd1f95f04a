/**
 * The score of a sparse vector for a sparse query, to the bit: 1 − Σ q·d in 32-bit floats, added in ascending order of the
 * dimensions that both have. With `idf` each q is first multiplied by
 *
 *     idf(t) = ln(1 + (N − n + 0.5) / (n + 0.5))
 *
 * where N is the number of live records of the collection, with or without a vector, and n the number of records whose
 * vector has the dimension t, both unfiltered and at the state that is read. It is computed in 64 bits and rounded once.
 */
import type { SparseVector } from '../model/record.ts'

/** @param records N; @param having n */
export function idfOf(records: number, having: number): number {
  const n = Math.min(having, records)
  return Math.fround(Math.log1p((records - n + 0.5) / (n + 0.5)))
}

/** @returns the query's weights as 32-bit floats. @param having n for each dimension of the query; undefined: no IDF */
export function weightsOf(
  values: readonly number[],
  statistics?: { records: number; having: readonly number[] },
): Float32Array {
  return Float32Array.from(values, (value, i) => {
    const q = Math.fround(value)
    return statistics ? q * idfOf(statistics.records, statistics.having[i] as number) : q
  })
}

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
