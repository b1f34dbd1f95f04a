// Compares 1-bit codes with the tables of a query, sixteen codes at a time (André, Kermarrec, Le Scouarnec, VLDB 2015).
//
// Byte j of sixteen codes is one vector. Its low nibbles index table 2j, its high nibbles table 2j + 1. The bytes found are
// summed in 16-bit lanes without unpacking: `all` adds whole lanes, that is even code + 256 × odd code, and `odd` adds the
// upper bytes alone, so even = all − 256 × odd. That is exact while a sum stays below 65,536, which holds for 256 tables or
// 1,024 dimensions; then the sums move to 32-bit lanes. Two packs at a time share the loads of the tables.
import { lookUp } from './lanes'

/** The most bytes of a code that are summed in 16 bits. */
const BLOCK_BYTES: usize = 128
/** Address of 128 bytes below the heap. */
const SCRATCH: usize = 64
const LARGEST: f32 = 3.4028234663852886e38

// @ts-expect-error: decorator
@inline
function lowNibbles(codes: v128): v128 {
  return v128.and(codes, i8x16.splat(15))
}

// @ts-expect-error: decorator
@inline
function highNibbles(codes: v128): v128 {
  return v128.and(i16x8.shr_u(codes, 4), i8x16.splat(15))
}

// @ts-expect-error: decorator
@inline
function upper(bytes: v128): v128 {
  return i16x8.shr_u(bytes, 8)
}

// @ts-expect-error: decorator
@inline
function firstEight(all: v128, odd: v128): v128 {
  return i16x8.shuffle(i16x8.sub(all, i16x8.shl(odd, 8)), odd, 0, 8, 1, 9, 2, 10, 3, 11)
}

// @ts-expect-error: decorator
@inline
function lastEight(all: v128, odd: v128): v128 {
  return i16x8.shuffle(i16x8.sub(all, i16x8.shl(odd, 8)), odd, 4, 12, 5, 13, 6, 14, 7, 15)
}

/** Four estimates: base + add + scale × (tableScale × sum + tableOffset), each step rounded to 32 bits. */
// @ts-expect-error: decorator
@inline
function estimate(sums: v128, factors: usize, tableScale: v128, tableOffset: v128, base: v128): v128 {
  const dot = f32x4.add(f32x4.mul(tableScale, f32x4.convert_i32x4_u(sums)), tableOffset)
  return f32x4.add(f32x4.add(base, v128.load(factors)), f32x4.mul(v128.load(factors, 64), dot))
}

/** Computes the bounds of sixteen entries from their sums and writes the hits, which are few. @returns hits so far */
// @ts-expect-error: decorator
@inline
function finish(
  sum0: v128,
  sum1: v128,
  sum2: v128,
  sum3: v128,
  factors: usize,
  tableScale: v128,
  tableOffset: v128,
  base: v128,
  error: v128,
  limit: v128,
  first: i32,
  entries: i32,
  outEntries: usize,
  outLowers: usize,
  outUppers: usize,
  hits: i32,
): i32 {
  const estimate0 = estimate(sum0, factors, tableScale, tableOffset, base)
  const estimate1 = estimate(sum1, factors + 16, tableScale, tableOffset, base)
  const estimate2 = estimate(sum2, factors + 32, tableScale, tableOffset, base)
  const estimate3 = estimate(sum3, factors + 48, tableScale, tableOffset, base)
  const margin0 = f32x4.mul(v128.load(factors, 64), error)
  const margin1 = f32x4.mul(v128.load(factors, 80), error)
  const margin2 = f32x4.mul(v128.load(factors, 96), error)
  const margin3 = f32x4.mul(v128.load(factors, 112), error)
  const lower0 = f32x4.add(estimate0, margin0)
  const lower1 = f32x4.add(estimate1, margin1)
  const lower2 = f32x4.add(estimate2, margin2)
  const lower3 = f32x4.add(estimate3, margin3)
  const low = i16x8.narrow_i32x4_s(f32x4.le(lower0, limit), f32x4.le(lower1, limit))
  const high = i16x8.narrow_i32x4_s(f32x4.le(lower2, limit), f32x4.le(lower3, limit))
  let mask = i8x16.bitmask(i8x16.narrow_i16x8_s(low, high))
  if (entries - first < 16) mask &= (1 << (entries - first)) - 1
  if (mask == 0) return hits
  v128.store(SCRATCH, lower0)
  v128.store(SCRATCH, lower1, 16)
  v128.store(SCRATCH, lower2, 32)
  v128.store(SCRATCH, lower3, 48)
  v128.store(SCRATCH, f32x4.sub(estimate0, margin0), 64)
  v128.store(SCRATCH, f32x4.sub(estimate1, margin1), 80)
  v128.store(SCRATCH, f32x4.sub(estimate2, margin2), 96)
  v128.store(SCRATCH, f32x4.sub(estimate3, margin3), 112)
  do {
    const lane = ctz(mask)
    const at = <usize>hits << 2
    store<i32>(outEntries + at, first + lane)
    store<f32>(outLowers + at, load<f32>(SCRATCH + (<usize>lane << 2)))
    store<f32>(outUppers + at, load<f32>(SCRATCH + (<usize>lane << 2), 64))
    hits++
    mask &= mask - 1
  } while (mask != 0)
  return hits
}

export function scanCodes(
  table: usize,
  dimension: i32,
  tableScale: f32,
  tableOffset: f32,
  packs: usize,
  entries: i32,
  base: f32,
  error: f32,
  limit: f32,
  outEntries: usize,
  outLowers: usize,
  outUppers: usize,
): i32 {
  const codeBytes = <usize>dimension >> 3
  const packBytes = codeBytes * 16 + 128
  const scales = f32x4.splat(tableScale)
  const offsets = f32x4.splat(tableOffset)
  const bases = f32x4.splat(base)
  const errors = f32x4.splat(error)
  const limits = f32x4.splat(min(limit, LARGEST))
  let hits = 0
  for (let first = 0; first < entries; first += 32) {
    // An odd last pack is paired with itself, and its hits are written once.
    const two = entries - first > 16
    let p = packs
    let r = two ? packs + packBytes : packs
    let t = table
    let p0 = i32x4.splat(0)
    let p1 = i32x4.splat(0)
    let p2 = i32x4.splat(0)
    let p3 = i32x4.splat(0)
    let r0 = i32x4.splat(0)
    let r1 = i32x4.splat(0)
    let r2 = i32x4.splat(0)
    let r3 = i32x4.splat(0)
    const codesEnd = packs + codeBytes * 16
    while (p < codesEnd) {
      const blockEnd = min(codesEnd, p + BLOCK_BYTES * 16)
      let pAll = i16x8.splat(0)
      let pOdd = i16x8.splat(0)
      let rAll = i16x8.splat(0)
      let rOdd = i16x8.splat(0)
      for (; p < blockEnd; p += 16) {
        const low = v128.load(t)
        const high = v128.load(t, 16)
        const pCodes = v128.load(p)
        const rCodes = v128.load(r)
        const pLow = lookUp(low, lowNibbles(pCodes))
        const rLow = lookUp(low, lowNibbles(rCodes))
        const pHigh = lookUp(high, highNibbles(pCodes))
        const rHigh = lookUp(high, highNibbles(rCodes))
        pAll = i16x8.add(i16x8.add(pAll, pLow), pHigh)
        rAll = i16x8.add(i16x8.add(rAll, rLow), rHigh)
        pOdd = i16x8.add(i16x8.add(pOdd, upper(pLow)), upper(pHigh))
        rOdd = i16x8.add(i16x8.add(rOdd, upper(rLow)), upper(rHigh))
        r += 16
        t += 32
      }
      const pFirst = firstEight(pAll, pOdd)
      const pLast = lastEight(pAll, pOdd)
      const rFirst = firstEight(rAll, rOdd)
      const rLast = lastEight(rAll, rOdd)
      p0 = i32x4.add(p0, i32x4.extend_low_i16x8_u(pFirst))
      p1 = i32x4.add(p1, i32x4.extend_high_i16x8_u(pFirst))
      p2 = i32x4.add(p2, i32x4.extend_low_i16x8_u(pLast))
      p3 = i32x4.add(p3, i32x4.extend_high_i16x8_u(pLast))
      r0 = i32x4.add(r0, i32x4.extend_low_i16x8_u(rFirst))
      r1 = i32x4.add(r1, i32x4.extend_high_i16x8_u(rFirst))
      r2 = i32x4.add(r2, i32x4.extend_low_i16x8_u(rLast))
      r3 = i32x4.add(r3, i32x4.extend_high_i16x8_u(rLast))
    }
    hits = finish(
      p0, p1, p2, p3, codesEnd, scales, offsets, bases, errors, limits, first, entries, outEntries, outLowers, outUppers, hits,
    )
    if (two)
      hits = finish(
        r0, r1, r2, r3, codesEnd + packBytes, scales, offsets, bases, errors, limits, first + 16, entries, outEntries,
        outLowers, outUppers, hits,
      )
    packs += 2 * packBytes
  }
  return hits
}
