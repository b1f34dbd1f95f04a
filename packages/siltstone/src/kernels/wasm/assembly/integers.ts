// Quantisation to integers and exact integer dot products.
import { highF64, lowF64, sumI32, sumsI32 } from './lanes'

/** Four floats × factor in 64 bits, rounded to the nearest i32, halves to even; NaN gives 0. */
// @ts-expect-error: decorator
@inline
function rounded(x: v128, factor: v128): v128 {
  const low = i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(f64x2.mul(lowF64(x), factor)))
  const high = i32x4.trunc_sat_f64x2_s_zero(f64x2.nearest(f64x2.mul(highF64(x), factor)))
  return i32x4.shuffle(low, high, 0, 1, 4, 5)
}

export function quantizeI16(x: usize, dimension: i32, factor: f64, out: usize): void {
  const factors = f64x2.splat(factor)
  for (const end = x + (<usize>dimension << 2); x < end; x += 32) {
    v128.store(out, i16x8.narrow_i32x4_s(rounded(v128.load(x), factors), rounded(v128.load(x, 16), factors)))
    out += 16
  }
}

export function quantizeI8(x: usize, dimension: i32, out: usize): f32 {
  const end = x + (<usize>dimension << 2)
  let most = f32x4.splat(0)
  for (let p = x; p < end; p += 16) most = f32x4.max(most, f32x4.abs(v128.load(p)))
  most = f32x4.max(most, i32x4.shuffle(most, most, 2, 3, 2, 3))
  const largest: f64 = max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1))
  const factors = f64x2.splat(largest == 0 ? 0 : 127 / largest)
  for (; x < end; x += 64) {
    const low = i16x8.narrow_i32x4_s(rounded(v128.load(x), factors), rounded(v128.load(x, 16), factors))
    const high = i16x8.narrow_i32x4_s(rounded(v128.load(x, 32), factors), rounded(v128.load(x, 48), factors))
    v128.store(out, i8x16.narrow_i16x8_s(low, high))
    out += 16
  }
  return <f32>(largest / 127)
}

/** Adds eight products of an i16 of the query and an i8 of the row, which is widened as it is loaded. */
// @ts-expect-error: decorator
@inline
function add8(sum: v128, query: v128, row: usize): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(query, v128.load8x8_s(row)))
}

export function dotI8(query: usize, rows: usize, count: i32, dimension: i32, out: usize): void {
  const stride = <usize>dimension
  const end = query + 2 * stride
  let row = 0
  for (; row + 4 <= count; row += 4) {
    let p0 = rows
    let p1 = p0 + stride
    let p2 = p1 + stride
    let p3 = p2 + stride
    let a = i32x4.splat(0)
    let b = i32x4.splat(0)
    let c = i32x4.splat(0)
    let d = i32x4.splat(0)
    for (let q = query; q < end; q += 64) {
      const q0 = v128.load(q)
      const q1 = v128.load(q, 16)
      a = add8(add8(a, q0, p0), q1, p0 + 8)
      b = add8(add8(b, q0, p1), q1, p1 + 8)
      c = add8(add8(c, q0, p2), q1, p2 + 8)
      d = add8(add8(d, q0, p3), q1, p3 + 8)
      const q2 = v128.load(q, 32)
      const q3 = v128.load(q, 48)
      a = add8(add8(a, q2, p0 + 16), q3, p0 + 24)
      b = add8(add8(b, q2, p1 + 16), q3, p1 + 24)
      c = add8(add8(c, q2, p2 + 16), q3, p2 + 24)
      d = add8(add8(d, q2, p3 + 16), q3, p3 + 24)
      p0 += 32
      p1 += 32
      p2 += 32
      p3 += 32
    }
    v128.store(out, sumsI32(a, b, c, d))
    rows += 4 * stride
    out += 16
  }
  for (; row < count; row++) {
    let p = rows
    let a = i32x4.splat(0)
    let b = i32x4.splat(0)
    for (let q = query; q < end; q += 32) {
      a = add8(a, v128.load(q), p)
      b = add8(b, v128.load(q, 16), p + 8)
      p += 16
    }
    store<i32>(out, sumI32(i32x4.add(a, b)))
    rows += stride
    out += 4
  }
}

/** Four rows by two queries at a time: eight sums in registers, and six loads for eight products. */
export function widenedDotI8Many(queryRows: usize, queries: i32, rows: usize, count: i32, dimension: i32, out: usize): void {
  const stride = <usize>dimension
  const outStride = <usize>count << 2
  let query = 0
  for (; query + 2 <= queries; query += 2) {
    const queryEnd = queryRows + stride
    let p0 = rows
    let to = out
    let row = 0
    for (; row + 4 <= count; row += 4) {
      let p1 = p0 + stride
      let p2 = p1 + stride
      let p3 = p2 + stride
      let a0 = i32x4.splat(0)
      let b0 = i32x4.splat(0)
      let c0 = i32x4.splat(0)
      let d0 = i32x4.splat(0)
      let a1 = i32x4.splat(0)
      let b1 = i32x4.splat(0)
      let c1 = i32x4.splat(0)
      let d1 = i32x4.splat(0)
      let s = queryRows + stride
      for (let q = queryRows; q < queryEnd; q += 8) {
        const x = v128.load8x8_s(q)
        const y = v128.load8x8_s(s)
        const a = v128.load8x8_s(p0)
        a0 = i32x4.add(a0, i32x4.dot_i16x8_s(a, x))
        a1 = i32x4.add(a1, i32x4.dot_i16x8_s(a, y))
        const b = v128.load8x8_s(p1)
        b0 = i32x4.add(b0, i32x4.dot_i16x8_s(b, x))
        b1 = i32x4.add(b1, i32x4.dot_i16x8_s(b, y))
        const c = v128.load8x8_s(p2)
        c0 = i32x4.add(c0, i32x4.dot_i16x8_s(c, x))
        c1 = i32x4.add(c1, i32x4.dot_i16x8_s(c, y))
        const d = v128.load8x8_s(p3)
        d0 = i32x4.add(d0, i32x4.dot_i16x8_s(d, x))
        d1 = i32x4.add(d1, i32x4.dot_i16x8_s(d, y))
        p0 += 8
        p1 += 8
        p2 += 8
        p3 += 8
        s += 8
      }
      v128.store(to, sumsI32(a0, b0, c0, d0))
      v128.store(to + outStride, sumsI32(a1, b1, c1, d1))
      to += 16
      p0 = p3
    }
    for (; row < count; row++) {
      store<i32>(to, dotI8One(queryRows, p0, stride))
      store<i32>(to + outStride, dotI8One(queryRows + stride, p0, stride))
      p0 += stride
      to += 4
    }
    queryRows += 2 * stride
    out += 2 * outStride
  }
  if (query < queries)
    for (let row = 0; row < count; row++) {
      store<i32>(out, dotI8One(queryRows, rows, stride))
      rows += stride
      out += 4
    }
}

export function dotI8One(query: usize, row: usize, dimension: usize): i32 {
  let a = i32x4.splat(0)
  let b = i32x4.splat(0)
  for (const end = query + dimension; query < end; query += 16) {
    a = add8(a, v128.load8x8_s(query), row)
    b = add8(b, v128.load8x8_s(query, 8), row + 8)
    row += 16
  }
  return sumI32(i32x4.add(a, b))
}

/** Two products at a time, added in 64 bits. */
// @ts-expect-error: decorator
@inline
function addPair(pair: v128, scale: v128, sums: usize): void {
  v128.store(sums, f64x2.add(v128.load(sums), f64x2.mul(f64x2.convert_low_i32x4_s(pair), scale)))
}

export function addScaledI8(row: usize, scale: f64, dimension: i32, sums: usize): void {
  const scales = f64x2.splat(scale)
  for (const end = row + <usize>dimension; row < end; row += 8) {
    const values = v128.load8x8_s(row)
    const low = i32x4.extend_low_i16x8_s(values)
    const high = i32x4.extend_high_i16x8_s(values)
    addPair(low, scales, sums)
    addPair(i32x4.shuffle(low, low, 2, 3, 2, 3), scales, sums + 16)
    addPair(high, scales, sums + 32)
    addPair(i32x4.shuffle(high, high, 2, 3, 2, 3), scales, sums + 48)
    sums += 64
  }
}
