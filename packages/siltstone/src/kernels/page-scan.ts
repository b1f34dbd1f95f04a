/**
 * One query against many rows that lie in pages: `rowsPerPage` rows of `dimension` floats, then `pageWords` − that
 * much of something else (a checksum, padding). Plain TypeScript, eight accumulators so that V8 keeps them in registers;
 * the reference for the WebAssembly kernels.
 */
export interface PageShape {
  dimension: number
  rowsPerPage: number
  /** Length of a page in 4-byte words. */
  pageWords: number
}

/** Writes the squared Euclidean distance of each row to `out`. `data` begins at the first row of a page. */
export function squaredDistances(query: Float32Array, data: Float32Array, rows: number, shape: PageShape, out: Float32Array): void {
  const { dimension, rowsPerPage, pageWords } = shape
  const tail = dimension & ~3
  for (let row = 0; row < rows; row++) {
    const at = Math.floor(row / rowsPerPage) * pageWords + (row % rowsPerPage) * dimension
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    let i = 0
    for (; i < tail; i += 4) {
      const e = (query[i] as number) - (data[at + i] as number)
      const f = (query[i + 1] as number) - (data[at + i + 1] as number)
      const g = (query[i + 2] as number) - (data[at + i + 2] as number)
      const h = (query[i + 3] as number) - (data[at + i + 3] as number)
      a += e * e
      b += f * f
      c += g * g
      d += h * h
    }
    for (; i < dimension; i++) {
      const e = (query[i] as number) - (data[at + i] as number)
      a += e * e
    }
    out[row] = a + b + c + d
  }
}

/** Writes the dot product of each row to `out`. */
export function dotProducts(query: Float32Array, data: Float32Array, rows: number, shape: PageShape, out: Float32Array): void {
  const { dimension, rowsPerPage, pageWords } = shape
  const tail = dimension & ~3
  for (let row = 0; row < rows; row++) {
    const at = Math.floor(row / rowsPerPage) * pageWords + (row % rowsPerPage) * dimension
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    let i = 0
    for (; i < tail; i += 4) {
      a += (query[i] as number) * (data[at + i] as number)
      b += (query[i + 1] as number) * (data[at + i + 1] as number)
      c += (query[i + 2] as number) * (data[at + i + 2] as number)
      d += (query[i + 3] as number) * (data[at + i + 3] as number)
    }
    for (; i < dimension; i++) a += (query[i] as number) * (data[at + i] as number)
    out[row] = a + b + c + d
  }
}

/** Writes the squared length of each row to `out`. */
export function squaredNorms(data: Float32Array, rows: number, shape: PageShape, out: Float32Array): void {
  const { dimension, rowsPerPage, pageWords } = shape
  for (let row = 0; row < rows; row++) {
    const at = Math.floor(row / rowsPerPage) * pageWords + (row % rowsPerPage) * dimension
    let sum = 0
    for (let i = 0; i < dimension; i++) sum += (data[at + i] as number) * (data[at + i] as number)
    out[row] = sum
  }
}
