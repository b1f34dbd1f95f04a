/**
 * Compares one query with rows at any places: row i begins at float `starts[i]` of `blocks[i]`. Four rows at a time share
 * each load of the query, and sums are doubles taken in order, as in `page-scan.ts`, so both give the same distances.
 * For pages in one array, `page-scan.ts` takes three quarters of the time: it checks the bounds of one array only, and the
 * lengths of its rows can be kept.
 */
export interface ScatteredRows {
  dimension: number
  blocks: readonly Float32Array[]
  starts: ArrayLike<number>
}

/** Writes the squared Euclidean distance of each row to `out`. */
export function scatteredSquaredDistances(query: Float32Array, rows: ScatteredRows, out: Float64Array): void {
  const { dimension, blocks, starts } = rows
  const count = blocks.length
  for (let row = 0; row < count; row += 4) {
    // If the number of rows is not a multiple of four, the last row fills the rest of the last group.
    const second = Math.min(row + 1, count - 1)
    const third = Math.min(row + 2, count - 1)
    const fourth = Math.min(row + 3, count - 1)
    const p = blocks[row] as Float32Array
    const q = blocks[second] as Float32Array
    const r = blocks[third] as Float32Array
    const s = blocks[fourth] as Float32Array
    const pAt = starts[row] as number
    const qAt = starts[second] as number
    const rAt = starts[third] as number
    const sAt = starts[fourth] as number
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0; i < dimension; i++) {
      const x = query[i] as number
      const e = x - (p[pAt + i] as number)
      const f = x - (q[qAt + i] as number)
      const g = x - (r[rAt + i] as number)
      const h = x - (s[sAt + i] as number)
      a += e * e
      b += f * f
      c += g * g
      d += h * h
    }
    out[row] = a
    out[second] = b
    out[third] = c
    out[fourth] = d
  }
}

/** Writes the dot product of each row to `out` and its squared length to `norms`, which takes no additional time. */
export function scatteredDotProducts(
  query: Float32Array,
  rows: ScatteredRows,
  out: Float64Array,
  norms: Float64Array,
): void {
  const { dimension, blocks, starts } = rows
  const count = blocks.length
  for (let row = 0; row < count; row += 4) {
    const second = Math.min(row + 1, count - 1)
    const third = Math.min(row + 2, count - 1)
    const fourth = Math.min(row + 3, count - 1)
    const p = blocks[row] as Float32Array
    const q = blocks[second] as Float32Array
    const r = blocks[third] as Float32Array
    const s = blocks[fourth] as Float32Array
    const pAt = starts[row] as number
    const qAt = starts[second] as number
    const rAt = starts[third] as number
    const sAt = starts[fourth] as number
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    let aa = 0
    let bb = 0
    let cc = 0
    let dd = 0
    for (let i = 0; i < dimension; i++) {
      const x = query[i] as number
      const e = p[pAt + i] as number
      const f = q[qAt + i] as number
      const g = r[rAt + i] as number
      const h = s[sAt + i] as number
      a += x * e
      b += x * f
      c += x * g
      d += x * h
      aa += e * e
      bb += f * f
      cc += g * g
      dd += h * h
    }
    norms[row] = aa
    norms[second] = bb
    norms[third] = cc
    norms[fourth] = dd
    out[row] = a
    out[second] = b
    out[third] = c
    out[fourth] = d
  }
}
