/**
 * The rotation `hadamard-3`: three rounds of random signs and a normalised fast Walsh–Hadamard transform of each block of b
 * dimensions, where b is the largest power of two that divides the dimension; between the rounds, a transposition mixes
 * the blocks. It is orthonormal, so lengths and dot products stay the same. O(D log D).
 */

/** Largest power of two that divides the dimension. */
export function hadamardBlock(dimension: number): number {
  return dimension & -dimension
}

/** Rotates in place. @param signs for each round one bit per dimension, d in bit d mod 8 of byte ⌊d / 8⌋; 1 = change */
export function rotateVectors(
  vectors: Float32Array,
  dimension: number,
  signs: Uint8Array,
  scratch: Float32Array,
): void {
  const block = hadamardBlock(dimension)
  const scale = Math.fround(1 / Math.sqrt(block))
  for (let start = 0; start < vectors.length; start += dimension) {
    const x = vectors.subarray(start, start + dimension)
    for (let round = 0; round < 3; round++) {
      const bits = signs.subarray((round * dimension) / 8)
      for (let d = 0; d < dimension; d++) if (((bits[d >> 3] as number) >> (d & 7)) & 1) x[d] = -(x[d] as number)
      for (let at = 0; at < dimension; at += block) hadamard(x.subarray(at, at + block))
      for (let d = 0; d < dimension; d++) x[d] = (x[d] as number) * scale
      if (round < 2) transpose(x, block, scratch)
    }
  }
}

/** Undoes `rotateVectors`, up to rounding. */
export function unrotateVectors(
  vectors: Float32Array,
  dimension: number,
  signs: Uint8Array,
  scratch: Float32Array,
): void {
  const block = hadamardBlock(dimension)
  const scale = Math.fround(1 / Math.sqrt(block))
  for (let start = 0; start < vectors.length; start += dimension) {
    const x = vectors.subarray(start, start + dimension)
    for (let round = 2; round >= 0; round--) {
      // The transposition of the other block size undoes the transposition.
      if (round < 2) transpose(x, dimension / block, scratch)
      for (let at = 0; at < dimension; at += block) hadamard(x.subarray(at, at + block))
      const bits = signs.subarray((round * dimension) / 8)
      for (let d = 0; d < dimension; d++) {
        const value = (x[d] as number) * scale
        x[d] = ((bits[d >> 3] as number) >> (d & 7)) & 1 ? -value : value
      }
    }
  }
}

function hadamard(x: Float32Array): void {
  for (let half = 1; half < x.length; half *= 2)
    for (let start = 0; start < x.length; start += 2 * half)
      for (let i = start; i < start + half; i++) {
        const a = x[i] as number
        const b = x[i + half] as number
        x[i] = a + b
        x[i + half] = a - b
      }
}

/** `x[j·m + i] = x[i·b + j]` */
function transpose(x: Float32Array, block: number, scratch: Float32Array): void {
  const blocks = x.length / block
  scratch.set(x)
  for (let i = 0; i < blocks; i++) for (let j = 0; j < block; j++) x[j * blocks + i] = scratch[i * block + j] as number
}
