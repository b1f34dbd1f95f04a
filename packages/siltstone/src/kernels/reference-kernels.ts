/**
 * The kernels in plain TypeScript: the definition of what the WebAssembly ones compute, and their replacement where there
 * is no WebAssembly SIMD. Results that do not depend on the order of a sum (`rotate`, codes, quantised values, integer dot
 * products, all results of `scanCodes`) are equal bit for bit in all implementations: each step is rounded to 32 bits where
 * the others round, by `Math.fround`. Sums of floats are taken in doubles here and differ in the last digits.
 */
import { addScaledInt8, dotProductsInt8, quantizeInt8, quantizeInt16 } from './reference-integers.ts'
import { referenceMemory } from './reference-memory.ts'
import { buildTable, encode, encode2, scanCodes } from './reference-codes.ts'
import { rotateVectors } from './reference-rotation.ts'
import type { VectorKernels } from './vector-kernels.ts'

export function referenceKernels(): VectorKernels {
  const memory = referenceMemory()
  const f32 = (pointer: number, length: number) => new Float32Array(memory.buffer, pointer, length)
  const i32 = (pointer: number, length: number) => new Int32Array(memory.buffer, pointer, length)
  const u32 = (pointer: number, length: number) => new Uint32Array(memory.buffer, pointer, length)
  const i16 = (pointer: number, length: number) => new Int16Array(memory.buffer, pointer, length)
  const i8 = (pointer: number, length: number) => new Int8Array(memory.buffer, pointer, length)
  const u8 = (pointer: number, length: number) => new Uint8Array(memory.buffer, pointer, length)

  return {
    kind: 'typescript',
    memory,
    rotate(vectors, count, dimension, signs, scratch) {
      rotateVectors(f32(vectors, count * dimension), dimension, u8(signs, (3 * dimension) / 8), f32(scratch, dimension))
    },
    quantizeI16(x, dimension, factor, out) {
      quantizeInt16(f32(x, dimension), factor, i16(out, dimension))
    },
    quantizeI8(x, dimension, out) {
      return quantizeInt8(f32(x, dimension), i8(out, dimension))
    },
    dotI8(query, rows, count, dimension, out) {
      dotProductsInt8(i16(query, dimension), i8(rows, count * dimension), i32(out, count))
    },
    dotI8Many(queryRows, queries, rows, count, dimension, out) {
      for (let query = 0; query < queries; query++)
        dotProductsInt8(
          i8(queryRows + query * dimension, dimension),
          i8(rows, count * dimension),
          i32(out + 4 * query * count, count),
        )
    },
    addScaledI8(row, scale, dimension, sums) {
      addScaledInt8(i8(row, dimension), scale, new Float64Array(memory.buffer, sums, dimension))
    },
    selectBelow(dots, scales, offsets, count, factor, limit, out) {
      const [sums, factors, starts, found] = [
        i32(dots, count),
        f32(scales, count),
        f32(offsets, count),
        u32(out, count),
      ]
      let size = 0
      for (let i = 0; i < count; i++)
        if ((starts[i] as number) - factor * (factors[i] as number) * (sums[i] as number) < limit) found[size++] = i
      return size
    },
    dotF32(query, rows, count, strideBytes, dimension, out) {
      const q = f32(query, dimension)
      const results = f32(out, count)
      for (let row = 0; row < count; row++) {
        const x = f32(rows + row * strideBytes, dimension)
        let sum = 0
        for (let d = 0; d < dimension; d++) sum += (q[d] as number) * (x[d] as number)
        results[row] = sum
      }
    },
    squaredDistancesF32(query, rows, count, strideBytes, dimension, out) {
      const q = f32(query, dimension)
      const results = f32(out, count)
      for (let row = 0; row < count; row++) {
        const x = f32(rows + row * strideBytes, dimension)
        let sum = 0
        for (let d = 0; d < dimension; d++) sum += ((q[d] as number) - (x[d] as number)) ** 2
        results[row] = sum
      }
    },
    buildTable(query, dimension, table, params) {
      buildTable(f32(query, dimension), u8(table, dimension * 4), f32(params, 2))
    },
    scanCodes(table, dimension, tableScale, tableOffset, packs, entries, ...rest) {
      const [base, error, limit, outEntries, outLowers, outUppers] = rest
      const room = Math.ceil(entries / 16) * 16
      return scanCodes(
        u8(table, dimension * 4),
        { tableScale, tableOffset, base, error, limit },
        u8(packs, (room / 16) * (dimension * 2 + 128)),
        entries,
        { entries: u32(outEntries, room), lowers: f32(outLowers, room), uppers: f32(outUppers, room) },
      )
    },
    encode2(vector, centroid, dimension, code, factors) {
      encode2(f32(vector, dimension), f32(centroid, dimension), u8(code, dimension / 4), f32(factors, 5))
    },
    encode(vector, centroid, dimension, code, factors) {
      encode(f32(vector, dimension), f32(centroid, dimension), u8(code, dimension / 8), f32(factors, 4))
    },
  }
}
