/** Quantisation to integers and exact integer dot products. */

/** Rounds to the nearest integer, halves to even, as SIMD instructions do. */
export function roundHalfEven(x: number): number {
  const below = Math.floor(x)
  const rest = x - below
  if (rest < 0.5) return below
  if (rest > 0.5) return below + 1
  return below % 2 === 0 ? below : below + 1
}

/** `out` = round(x × factor), the product in 64 bits, saturated. NaN gives 0. */
export function quantizeInt16(x: Float32Array, factor: number, out: Int16Array): void {
  for (let d = 0; d < x.length; d++)
    out[d] = Math.min(32767, Math.max(-32768, roundHalfEven((x[d] as number) * factor))) || 0
}

/** `out` = round(x × 127 / max|x|), in 64 bits. @returns max|x| / 127 as a 32-bit float */
export function quantizeInt8(x: Float32Array, out: Int8Array): number {
  let largest = 0
  for (let d = 0; d < x.length; d++) largest = Math.max(largest, Math.abs(x[d] as number))
  const factor = largest === 0 ? 0 : 127 / largest
  for (let d = 0; d < x.length; d++) out[d] = roundHalfEven((x[d] as number) * factor) || 0
  return Math.fround(largest / 127)
}

/** Sums wrap around at 32 bits, as in WebAssembly. */
export function dotProductsInt8(query: Int16Array | Int8Array, rows: Int8Array, out: Int32Array): void {
  const dimension = query.length
  for (let row = 0, at = 0; row < out.length; row++, at += dimension) {
    let sum = 0
    for (let d = 0; d < dimension; d++) sum = (sum + (query[d] as number) * (rows[at + d] as number)) | 0
    out[row] = sum
  }
}

/** `sums` += scale × row, each product and each sum rounded to 64 bits. */
export function addScaledInt8(row: Int8Array, scale: number, sums: Float64Array): void {
  for (let d = 0; d < row.length; d++) sums[d] = (sums[d] as number) + (row[d] as number) * scale
}
