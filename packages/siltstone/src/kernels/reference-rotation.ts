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
  for (let start = 0; start < vectors.length; start += dimension) {
    const x = vectors.subarray(start, start + dimension)
    for (let round = 0; round < 3; round++) {
      changeSigns(x, signs, round)
      hadamardBlocks(x, block)
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
  for (let start = 0; start < vectors.length; start += dimension) {
    const x = vectors.subarray(start, start + dimension)
    for (let round = 2; round >= 0; round--) {
      // The transposition of the other block size undoes the transposition.
      if (round < 2) transpose(x, dimension / block, scratch)
      hadamardBlocks(x, block)
      changeSigns(x, signs, round)
    }
  }
}

function changeSigns(x: Float32Array, signs: Uint8Array, round: number): void {
  const bits = signs.subarray((round * x.length) / 8)
  for (let d = 0; d < x.length; d++) if (((bits[d >> 3] as number) >> (d & 7)) & 1) x[d] = -(x[d] as number)
}

/** The normalised transform of each block. */
function hadamardBlocks(x: Float32Array, block: number): void {
  const scale = Math.fround(1 / Math.sqrt(block))
  for (let at = 0; at < x.length; at += block) hadamard(x.subarray(at, at + block))
  for (let d = 0; d < x.length; d++) x[d] = (x[d] as number) * scale
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
