// Dot products of many bytes with many. The plain form is in `integers.ts`.
//
// Relaxed SIMD has an instruction that adds up products of bytes, three times as fast as widening them first. Where the top bit
// of the second byte is set, the engine may take that byte as signed (as Arm's machines do), as unsigned (as those of x86 with
// AVX-VNNI do), or saturate sums of two products (as older ones do), but always in the same way. So an instance tries it once. Signed bytes
// give the product that is wanted; unsigned ones after 128 was added to them, which is taken off again; saturated ones do not.
import { dotI8One, widenedDotI8Many } from './integers'
import { sumI32, sumsI32 } from './lanes'

const UNTRIED = -1
const INEXACT = 0
const SIGNED = 1
const UNSIGNED = 2

let form: i32 = UNTRIED

/** Of bytes a and b: 4 · a · b, as the engine multiplies. */
function fourTimes(a: i32, b: i32): i32 {
  const sums = i32x4.relaxed_dot_i8x16_i7x16_add_s(i8x16.splat(<i8>a), i8x16.splat(<i8>b), i32x4.splat(0))
  return i32x4.extract_lane(sums, 0)
}

function formOf(): i32 {
  for (let a = -128; a < 128; a++)
    for (let b = 0; b < 128; b++) if (fourTimes(a, b) != 4 * a * b) return INEXACT
  let isSigned = true
  let isUnsigned = true
  for (let a = -128; a < 128; a++)
    for (let b = 128; b < 256; b++) {
      const product = fourTimes(a, b)
      if (product != 4 * a * (b - 256)) isSigned = false
      if (product != 4 * a * b) isUnsigned = false
    }
  return isSigned ? SIGNED : isUnsigned ? UNSIGNED : INEXACT
}

/** 128 times the sum of a query, as the first of four sums to subtract from. */
// @ts-expect-error: decorator
@inline
function offset(query: usize, dimension: usize, isUnsigned: bool): v128 {
  let sums = i32x4.splat(0)
  if (isUnsigned)
    for (const end = query + dimension; query < end; query += 16)
      sums = i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(query), i8x16.splat(1), sums)
  return i32x4.replace_lane(i32x4.splat(0), 0, sumI32(sums) * -128)
}

/** Four rows by two queries at a time: eight sums in registers. */
function multiplied(queryRows: usize, queries: i32, rows: usize, count: i32, stride: usize, out: usize): void {
  const isUnsigned = form == UNSIGNED
  const flip = i8x16.splat(isUnsigned ? -128 : 0)
  const outStride = <usize>count << 2
  let query = 0
  for (; query + 2 <= queries; query += 2) {
    const queryEnd = queryRows + stride
    const first = offset(queryRows, stride, isUnsigned)
    const second = offset(queryRows + stride, stride, isUnsigned)
    let p0 = rows
    let to = out
    let row = 0
    for (; row + 4 <= count; row += 4) {
      let p1 = p0 + stride
      let p2 = p1 + stride
      let p3 = p2 + stride
      let a0 = first
      let b0 = first
      let c0 = first
      let d0 = first
      let a1 = second
      let b1 = second
      let c1 = second
      let d1 = second
      let s = queryRows + stride
      for (let q = queryRows; q < queryEnd; q += 32) {
        const x0 = v128.load(q, 0)
        const y0 = v128.load(s, 0)
        const aRow0 = v128.xor(v128.load(p0, 0), flip)
        a0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x0, aRow0, a0)
        a1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y0, aRow0, a1)
        const bRow0 = v128.xor(v128.load(p1, 0), flip)
        b0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x0, bRow0, b0)
        b1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y0, bRow0, b1)
        const cRow0 = v128.xor(v128.load(p2, 0), flip)
        c0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x0, cRow0, c0)
        c1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y0, cRow0, c1)
        const dRow0 = v128.xor(v128.load(p3, 0), flip)
        d0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x0, dRow0, d0)
        d1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y0, dRow0, d1)
        const x16 = v128.load(q, 16)
        const y16 = v128.load(s, 16)
        const aRow16 = v128.xor(v128.load(p0, 16), flip)
        a0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x16, aRow16, a0)
        a1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y16, aRow16, a1)
        const bRow16 = v128.xor(v128.load(p1, 16), flip)
        b0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x16, bRow16, b0)
        b1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y16, bRow16, b1)
        const cRow16 = v128.xor(v128.load(p2, 16), flip)
        c0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x16, cRow16, c0)
        c1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y16, cRow16, c1)
        const dRow16 = v128.xor(v128.load(p3, 16), flip)
        d0 = i32x4.relaxed_dot_i8x16_i7x16_add_s(x16, dRow16, d0)
        d1 = i32x4.relaxed_dot_i8x16_i7x16_add_s(y16, dRow16, d1)
        p0 += 32
        p1 += 32
        p2 += 32
        p3 += 32
        s += 32
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
  if (query < queries) widenedDotI8Many(queryRows, 1, rows, count, <i32>stride, out)
}

export function dotI8Many(queryRows: usize, queries: i32, rows: usize, count: i32, dimension: i32, out: usize): void {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (form == UNTRIED) form = formOf()
    if (form != INEXACT) {
      multiplied(queryRows, queries, rows, count, <usize>dimension, out)
      return
    }
  }
  widenedDotI8Many(queryRows, queries, rows, count, dimension, out)
}
