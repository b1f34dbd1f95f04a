// Shared by several kernels: instructions that also exist in a faster, relaxed form, and sums across lanes.

/** a × b + c. With relaxed SIMD the machine may round once or twice. */
// @ts-expect-error: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(f32x4.mul(a, b), c)
}

/** table[index] for sixteen bytes. Each index must be below 16, where both forms are equal. */
// @ts-expect-error: decorator
@inline
export function lookUp(table: v128, index: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, index)
  return i8x16.swizzle(table, index)
}

/** (lane 0 + lane 2) + (lane 1 + lane 3) */
// @ts-expect-error: decorator
@inline
export function sumF32(a: v128): f32 {
  const pairs = f32x4.add(a, i32x4.shuffle(a, a, 2, 3, 2, 3))
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
}

/** The same sum of four vectors, in the same order, each in one lane. */
// @ts-expect-error: decorator
@inline
export function sumsF32(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(i32x4.shuffle(a, b, 0, 1, 4, 5), i32x4.shuffle(a, b, 2, 3, 6, 7))
  const cd = f32x4.add(i32x4.shuffle(c, d, 0, 1, 4, 5), i32x4.shuffle(c, d, 2, 3, 6, 7))
  return f32x4.add(i32x4.shuffle(ab, cd, 0, 2, 4, 6), i32x4.shuffle(ab, cd, 1, 3, 5, 7))
}

// @ts-expect-error: decorator
@inline
export function sumI32(a: v128): i32 {
  const pairs = i32x4.add(a, i32x4.shuffle(a, a, 2, 3, 2, 3))
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1)
}

// @ts-expect-error: decorator
@inline
export function sumsI32(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(i32x4.shuffle(a, b, 0, 1, 4, 5), i32x4.shuffle(a, b, 2, 3, 6, 7))
  const cd = i32x4.add(i32x4.shuffle(c, d, 0, 1, 4, 5), i32x4.shuffle(c, d, 2, 3, 6, 7))
  return i32x4.add(i32x4.shuffle(ab, cd, 0, 2, 4, 6), i32x4.shuffle(ab, cd, 1, 3, 5, 7))
}

// @ts-expect-error: decorator
@inline
export function sumF64(a: v128): f64 {
  return f64x2.extract_lane(a, 0) + f64x2.extract_lane(a, 1)
}

/** Lanes 0 and 1 as doubles. */
// @ts-expect-error: decorator
@inline
export function lowF64(a: v128): v128 {
  return f64x2.promote_low_f32x4(a)
}

/** Lanes 2 and 3 as doubles. */
// @ts-expect-error: decorator
@inline
export function highF64(a: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(a, a, 2, 3, 2, 3))
}
