// Random rotation in three rounds of signs, Hadamard transform of blocks, and transposition. Each value takes part in the
// same additions in the same order as in the reference, so the results are equal bit for bit.

/** Sign bits of four dimensions, from bit `shift` of `bits` on. */
// @ts-expect-error: decorator
@inline
function signs4(bits: v128, chosen: v128): v128 {
  return v128.and(i32x4.ne(v128.and(bits, chosen), i32x4.splat(0)), i32x4.splat(0x80000000))
}

/** Butterflies of distance 1 and 2 within a vector: a sum in the lower lane of each pair, a difference in the upper. */
// @ts-expect-error: decorator
@inline
function within(x: v128): v128 {
  const one = f32x4.add(v128.xor(x, i32x4(0, 0x80000000, 0, 0x80000000)), i32x4.shuffle(x, x, 1, 0, 3, 2))
  return f32x4.add(v128.xor(one, i32x4(0, 0, 0x80000000, 0x80000000)), i32x4.shuffle(one, one, 2, 3, 0, 1))
}

/** Changes signs and computes the butterflies of distance 1, 2, 4 and 8. */
function firstStages(x: usize, dimension: i32, signs: usize): void {
  for (const end = x + (<usize>dimension << 2); x < end; x += 64) {
    const bits = i32x4.splat(<i32>load<u16>(signs))
    const a = within(v128.xor(v128.load(x), signs4(bits, i32x4(0x1, 0x2, 0x4, 0x8))))
    const b = within(v128.xor(v128.load(x, 16), signs4(bits, i32x4(0x10, 0x20, 0x40, 0x80))))
    const c = within(v128.xor(v128.load(x, 32), signs4(bits, i32x4(0x100, 0x200, 0x400, 0x800))))
    const d = within(v128.xor(v128.load(x, 48), signs4(bits, i32x4(0x1000, 0x2000, 0x4000, 0x8000))))
    const ab = f32x4.add(a, b)
    const aMinusB = f32x4.sub(a, b)
    const cd = f32x4.add(c, d)
    const cMinusD = f32x4.sub(c, d)
    v128.store(x, f32x4.add(ab, cd))
    v128.store(x, f32x4.add(aMinusB, cMinusD), 16)
    v128.store(x, f32x4.sub(ab, cd), 32)
    v128.store(x, f32x4.sub(aMinusB, cMinusD), 48)
    signs += 2
  }
}

/** Butterflies of two distances at once, `half` and 2 × `half` bytes, both multiples of 16. */
function twoStages(x: usize, end: usize, half: usize): void {
  for (; x < end; x += 3 * half)
    for (const stop = x + half; x < stop; x += 16) {
      const x1 = x + half
      const x2 = x1 + half
      const x3 = x2 + half
      const a = v128.load(x)
      const b = v128.load(x1)
      const c = v128.load(x2)
      const d = v128.load(x3)
      const ab = f32x4.add(a, b)
      const aMinusB = f32x4.sub(a, b)
      const cd = f32x4.add(c, d)
      const cMinusD = f32x4.sub(c, d)
      v128.store(x, f32x4.add(ab, cd))
      v128.store(x1, f32x4.add(aMinusB, cMinusD))
      v128.store(x2, f32x4.sub(ab, cd))
      v128.store(x3, f32x4.sub(aMinusB, cMinusD))
    }
}

function oneStage(x: usize, end: usize, half: usize): void {
  for (; x < end; x += half)
    for (const stop = x + half; x < stop; x += 16) {
      const a = v128.load(x)
      const b = v128.load(x + half)
      v128.store(x, f32x4.add(a, b))
      v128.store(x + half, f32x4.sub(a, b))
    }
}

function scaleInPlace(x: usize, end: usize, factor: v128): void {
  for (; x < end; x += 16) v128.store(x, f32x4.mul(v128.load(x), factor))
}

/** `to[j·m + i] = factor × from[i·b + j]` for any odd m > 1; m = 3 is the common case (384, 768, 1,536, 3,072). */
function transpose(from: usize, to: usize, blocks: i32, block: i32, factor: v128): void {
  const stride = <usize>block << 2
  if (blocks == 3) {
    for (const end = from + stride; from < end; from += 16) {
      const a = f32x4.mul(v128.load(from), factor)
      const b = f32x4.mul(v128.load(from + stride), factor)
      const c = f32x4.mul(v128.load(from + 2 * stride), factor)
      const ab = i32x4.shuffle(a, b, 0, 4, 1, 5)
      v128.store(to, i32x4.shuffle(i32x4.shuffle(ab, c, 0, 1, 4, 2), ab, 0, 1, 2, 6))
      const bc = i32x4.shuffle(b, c, 1, 5, 2, 6)
      v128.store(to, i32x4.shuffle(bc, i32x4.shuffle(a, b, 2, 6, 2, 6), 0, 1, 4, 5), 16)
      const ca = i32x4.shuffle(c, a, 2, 7, 3, 3)
      v128.store(to, i32x4.shuffle(ca, i32x4.shuffle(b, c, 3, 7, 3, 7), 0, 1, 4, 5), 32)
      to += 48
    }
    return
  }
  // Tiles of 4 × 4 values; the last ones overlap those before.
  const rowBytes = <usize>blocks << 2
  for (let i = 0; i < blocks; i += 4) {
    const first = <usize>min(i, blocks - 4)
    let p = from + first * stride
    let t = to + (first << 2)
    for (const end = p + stride; p < end; p += 16) {
      const a = f32x4.mul(v128.load(p), factor)
      const b = f32x4.mul(v128.load(p + stride), factor)
      const c = f32x4.mul(v128.load(p + 2 * stride), factor)
      const d = f32x4.mul(v128.load(p + 3 * stride), factor)
      const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5)
      const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7)
      const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5)
      const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7)
      v128.store(t, i32x4.shuffle(abLow, cdLow, 0, 1, 4, 5))
      v128.store(t + rowBytes, i32x4.shuffle(abLow, cdLow, 2, 3, 6, 7))
      v128.store(t + 2 * rowBytes, i32x4.shuffle(abHigh, cdHigh, 0, 1, 4, 5))
      v128.store(t + 3 * rowBytes, i32x4.shuffle(abHigh, cdHigh, 2, 3, 6, 7))
      t += 4 * rowBytes
    }
  }
}

/** Signs and transforms of all blocks of one vector, not yet scaled. */
function hadamard(x: usize, dimension: i32, block: i32, signs: usize): void {
  firstStages(x, dimension, signs)
  const end = x + (<usize>dimension << 2)
  const blockBytes = <usize>block << 2
  let half: usize = 64
  for (; half * 2 < blockBytes; half *= 4) twoStages(x, end, half)
  if (half < blockBytes) oneStage(x, end, half)
}

export function rotate(vectors: usize, count: i32, dimension: i32, signs: usize, scratch: usize): void {
  const block = dimension & -dimension
  const blocks = dimension / block
  const bytes = <usize>dimension << 2
  const round = <usize>dimension >> 3
  const factor = f32x4.splat(<f32>(1 / Math.sqrt(<f64>block)))
  for (let i = 0; i < count; i++) {
    hadamard(vectors, dimension, block, signs)
    if (blocks == 1) {
      scaleInPlace(vectors, vectors + bytes, factor)
      hadamard(vectors, dimension, block, signs + round)
      scaleInPlace(vectors, vectors + bytes, factor)
    } else {
      transpose(vectors, scratch, blocks, block, factor)
      hadamard(scratch, dimension, block, signs + round)
      transpose(scratch, vectors, blocks, block, factor)
    }
    hadamard(vectors, dimension, block, signs + 2 * round)
    scaleInPlace(vectors, vectors + bytes, factor)
    vectors += bytes
  }
}
