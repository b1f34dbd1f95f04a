/**
 * Compares one query with many rows that lie in pages: `rowsPerPage` rows of `dimension` floats, then something else (a
 * checksum, padding) up to `pageFloats`.
 *
 * Four rows at a time share each load of the query, which is 2.6 times as fast as one row with four accumulators. The
 * sum of a row is taken in order, wherever the row lies, so equal vectors have equal distances. Sums are doubles, because
 * squares of large or tiny 32-bit floats would be infinite or zero as 32-bit floats. The loops are written out for each
 * measure: a function called in the innermost loop costs more than the loop itself.
 */
export interface Pages {
  /** Begins at the first row of a page. */
  data: Float32Array
  rowCount: number
  dimension: number
  rowsPerPage: number
  /** Length of a page in floats. */
  pageFloats: number
}

/** Writes the squared Euclidean distance of each row to `out`. */
export function squaredDistances(query: Float32Array, pages: Pages, out: Float64Array): void {
  const { data, rowCount, dimension } = pages
  let row = 0
  for (; row + 4 <= rowCount; row += 4) {
    const p = rowStart(row, pages)
    const q = rowStart(row + 1, pages)
    const r = rowStart(row + 2, pages)
    const s = rowStart(row + 3, pages)
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0; i < dimension; i++) {
      const x = query[i] as number
      const e = x - (data[p + i] as number)
      const f = x - (data[q + i] as number)
      const g = x - (data[r + i] as number)
      const h = x - (data[s + i] as number)
      a += e * e
      b += f * f
      c += g * g
      d += h * h
    }
    out[row] = a
    out[row + 1] = b
    out[row + 2] = c
    out[row + 3] = d
  }
  for (; row < rowCount; row++) {
    const p = rowStart(row, pages)
    let a = 0
    for (let i = 0; i < dimension; i++) {
      const e = (query[i] as number) - (data[p + i] as number)
      a += e * e
    }
    out[row] = a
  }
}

/** Writes the dot product of each row to `out`. */
export function dotProducts(query: Float32Array, pages: Pages, out: Float64Array): void {
  const { data, rowCount, dimension } = pages
  let row = 0
  for (; row + 4 <= rowCount; row += 4) {
    const p = rowStart(row, pages)
    const q = rowStart(row + 1, pages)
    const r = rowStart(row + 2, pages)
    const s = rowStart(row + 3, pages)
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let i = 0; i < dimension; i++) {
      const x = query[i] as number
      a += x * (data[p + i] as number)
      b += x * (data[q + i] as number)
      c += x * (data[r + i] as number)
      d += x * (data[s + i] as number)
    }
    out[row] = a
    out[row + 1] = b
    out[row + 2] = c
    out[row + 3] = d
  }
  for (; row < rowCount; row++) {
    const p = rowStart(row, pages)
    let a = 0
    for (let i = 0; i < dimension; i++) a += (query[i] as number) * (data[p + i] as number)
    out[row] = a
  }
}

/** Writes the squared length of each row to `out`. */
export function squaredNorms(pages: Pages, out: Float64Array): void {
  const { data, rowCount, dimension } = pages
  for (let row = 0; row < rowCount; row++) {
    const p = rowStart(row, pages)
    let sum = 0
    for (let i = 0; i < dimension; i++) sum += (data[p + i] as number) * (data[p + i] as number)
    out[row] = sum
  }
}

function rowStart(row: number, { dimension, rowsPerPage, pageFloats }: Pages): number {
  return Math.floor(row / rowsPerPage) * pageFloats + (row % rowsPerPage) * dimension
}
