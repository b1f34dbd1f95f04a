// Which of many distances are small enough to look at. Almost none are, so four are tested at a time.

// @ts-expect-error: decorator
@inline
function distances(dots: v128, scales: v128, offsets: v128, factor: v128): v128 {
  const scaled = f64x2.mul(factor, f64x2.promote_low_f32x4(scales))
  return f64x2.sub(f64x2.promote_low_f32x4(offsets), f64x2.mul(scaled, f64x2.convert_low_i32x4_s(dots)))
}

// @ts-expect-error: decorator
@inline
function upper(a: v128): v128 {
  return i32x4.shuffle(a, a, 2, 3, 2, 3)
}

export function selectBelow(
  dots: usize,
  scales: usize,
  offsets: usize,
  count: i32,
  factor: f64,
  limit: f64,
  out: usize,
): i32 {
  const factors = f64x2.splat(factor)
  const limits = f64x2.splat(limit)
  let to = out
  let i = 0
  for (; i + 4 <= count; i += 4) {
    const d = v128.load(dots)
    const s = v128.load(scales)
    const o = v128.load(offsets)
    const low = f64x2.lt(distances(d, s, o, factors), limits)
    const high = f64x2.lt(distances(upper(d), upper(s), upper(o), factors), limits)
    dots += 16
    scales += 16
    offsets += 16
    if (!v128.any_true(v128.or(low, high))) continue
    let mask = i64x2.bitmask(low) | (i64x2.bitmask(high) << 2)
    while (mask != 0) {
      store<i32>(to, i + ctz(mask))
      to += 4
      mask &= mask - 1
    }
  }
  for (; i < count; i++) {
    const scaled = factor * <f64>load<f32>(scales)
    if (<f64>load<f32>(offsets) - scaled * <f64>load<i32>(dots) < limit) {
      store<i32>(to, i)
      to += 4
    }
    dots += 4
    scales += 4
    offsets += 4
  }
  return <i32>((to - out) >> 2)
}
