/** Rows of tokens, and the tokens of a text. */
export interface TextTokens {
  /** tokens × dimension signed bytes, row-major. */
  rows: Int8Array
  /** A token's vector is its row × this. */
  scales: Float32Array
  /** The row of each token of the text; the first `count` are used. */
  ids: ArrayLike<number>
  count: number
}

/**
 * Writes the mean of the tokens' vectors, scaled to unit length, or zero when there is no token. Sums are kept in float64,
 * so the order of tokens does not affect the result.
 * @param sum work space for as many numbers as `out` has
 */
export function meanOf(tokens: TextTokens, sum: Float64Array, out: Float32Array): void {
  sum.fill(0)
  addRows(tokens, sum)
  let squares = 0
  for (let i = 0; i < sum.length; i++) squares += (sum[i] as number) * (sum[i] as number)
  const factor = squares === 0 ? 0 : 1 / Math.sqrt(squares)
  for (let i = 0; i < sum.length; i++) out[i] = (sum[i] as number) * factor
}

/** Four rows at a time, which saves three of four loads and stores. */
function addRows({ rows, scales, ids, count }: TextTokens, sum: Float64Array): void {
  const dimension = sum.length
  let t = 0
  for (; t + 3 < count; t += 4) {
    const a = ids[t] as number
    const b = ids[t + 1] as number
    const c = ids[t + 2] as number
    const d = ids[t + 3] as number
    const scaleA = scales[a] as number
    const scaleB = scales[b] as number
    const scaleC = scales[c] as number
    const scaleD = scales[d] as number
    const rowA = a * dimension
    const rowB = b * dimension
    const rowC = c * dimension
    const rowD = d * dimension
    for (let i = 0; i < dimension; i++) {
      sum[i] =
        (sum[i] as number) +
        (rows[rowA + i] as number) * scaleA +
        (rows[rowB + i] as number) * scaleB +
        (rows[rowC + i] as number) * scaleC +
        (rows[rowD + i] as number) * scaleD
    }
  }
  for (; t < count; t++) {
    const id = ids[t] as number
    const scale = scales[id] as number
    const row = id * dimension
    for (let i = 0; i < dimension; i++) sum[i] = (sum[i] as number) + (rows[row + i] as number) * scale
  }
}
