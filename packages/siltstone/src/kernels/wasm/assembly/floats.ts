// Compares one f32 query with many f32 rows. Four rows at a time share each load of the query; two accumulators per row
// hide the latency. Remaining rows are summed in the same order, so equal rows have equal results at any position.
import { madd, sumF32, sumsF32 } from './lanes'

// @ts-expect-error: decorator
@inline
function product(q: v128, x: v128, sum: v128): v128 {
  return madd(q, x, sum)
}

// @ts-expect-error: decorator
@inline
function square(q: v128, x: v128, sum: v128): v128 {
  const difference = f32x4.sub(q, x)
  return madd(difference, difference, sum)
}

/** The last one to three dimensions. */
// @ts-expect-error: decorator
@inline
function rest(squares: bool, query: usize, row: usize, from: i32, dimension: i32): f32 {
  let sum: f32 = 0
  for (let d = from; d < dimension; d++) {
    const q = load<f32>(query + (<usize>d << 2))
    const x = load<f32>(row + (<usize>d << 2))
    sum += squares ? (q - x) * (q - x) : q * x
  }
  return sum
}

// @ts-expect-error: decorator
@inline
function step(squares: bool, q: v128, x: v128, sum: v128): v128 {
  return squares ? square(q, x, sum) : product(q, x, sum)
}

// @ts-expect-error: decorator
@inline
function scan(squares: bool, query: usize, rows: usize, count: i32, stride: usize, dimension: i32, out: usize): void {
  const eights = query + (<usize>(dimension >> 3) << 5)
  const fours = query + (<usize>(dimension >> 2) << 4)
  const from = dimension & ~3
  let row = 0
  for (; row + 4 <= count; row += 4) {
    let p0 = rows
    let p1 = rows + stride
    let p2 = p1 + stride
    let p3 = p2 + stride
    let a0 = f32x4.splat(0)
    let a1 = f32x4.splat(0)
    let b0 = f32x4.splat(0)
    let b1 = f32x4.splat(0)
    let c0 = f32x4.splat(0)
    let c1 = f32x4.splat(0)
    let d0 = f32x4.splat(0)
    let d1 = f32x4.splat(0)
    let q = query
    for (; q < eights; q += 32) {
      const q0 = v128.load(q)
      const q1 = v128.load(q, 16)
      a0 = step(squares, q0, v128.load(p0), a0)
      a1 = step(squares, q1, v128.load(p0, 16), a1)
      b0 = step(squares, q0, v128.load(p1), b0)
      b1 = step(squares, q1, v128.load(p1, 16), b1)
      c0 = step(squares, q0, v128.load(p2), c0)
      c1 = step(squares, q1, v128.load(p2, 16), c1)
      d0 = step(squares, q0, v128.load(p3), d0)
      d1 = step(squares, q1, v128.load(p3, 16), d1)
      p0 += 32
      p1 += 32
      p2 += 32
      p3 += 32
    }
    if (q < fours) {
      const q0 = v128.load(q)
      a0 = step(squares, q0, v128.load(p0), a0)
      b0 = step(squares, q0, v128.load(p1), b0)
      c0 = step(squares, q0, v128.load(p2), c0)
      d0 = step(squares, q0, v128.load(p3), d0)
    }
    const sums = sumsF32(f32x4.add(a0, a1), f32x4.add(b0, b1), f32x4.add(c0, c1), f32x4.add(d0, d1))
    v128.store(out, sums)
    if (from < dimension) {
      store<f32>(out, load<f32>(out) + rest(squares, query, rows, from, dimension))
      store<f32>(out, load<f32>(out, 4) + rest(squares, query, rows + stride, from, dimension), 4)
      store<f32>(out, load<f32>(out, 8) + rest(squares, query, rows + 2 * stride, from, dimension), 8)
      store<f32>(out, load<f32>(out, 12) + rest(squares, query, rows + 3 * stride, from, dimension), 12)
    }
    rows += 4 * stride
    out += 16
  }
  for (; row < count; row++) {
    let p = rows
    let a0 = f32x4.splat(0)
    let a1 = f32x4.splat(0)
    let q = query
    for (; q < eights; q += 32) {
      a0 = step(squares, v128.load(q), v128.load(p), a0)
      a1 = step(squares, v128.load(q, 16), v128.load(p, 16), a1)
      p += 32
    }
    if (q < fours) a0 = step(squares, v128.load(q), v128.load(p), a0)
    const sum = sumF32(f32x4.add(a0, a1))
    store<f32>(out, from < dimension ? sum + rest(squares, query, rows, from, dimension) : sum)
    rows += stride
    out += 4
  }
}

export function dotF32(query: usize, rows: usize, count: i32, stride: usize, dimension: i32, out: usize): void {
  scan(false, query, rows, count, stride, dimension, out)
}

export function squaredDistancesF32(
  query: usize,
  rows: usize,
  count: i32,
  stride: usize,
  dimension: i32,
  out: usize,
): void {
  scan(true, query, rows, count, stride, dimension, out)
}
