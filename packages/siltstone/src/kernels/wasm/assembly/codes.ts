// The 1-bit code of a vector and the tables of a query (RaBitQ: Gao & Long, SIGMOD 2024). Sums are taken in 64 bits.
import { highF64, lowF64, sumF64 } from './lanes'

const TABLE_MAX: f64 = 255

/** The partial sums of the sixteen sign patterns: a 1 bit adds a magnitude where q ≥ 0, a 0 bit where q < 0. */
// @ts-expect-error: decorator
@inline
function entries(low: v128, high: v128): v128 {
  return i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.add(low, high)))
}

export function buildTable(query: usize, dimension: i32, table: usize, params: usize): void {
  const end = query + (<usize>dimension << 2)
  let widest: f64 = 0
  let total: f64 = 0
  for (let q = query; q < end; q += 16) {
    const magnitudes = f32x4.abs(v128.load(q))
    const sum = sumF64(f64x2.add(lowF64(magnitudes), highF64(magnitudes)))
    if (!(sum <= widest)) widest = sum
    total += sum
  }
  const step = (2 * widest) / TABLE_MAX
  const scale = <f32>(step > 0 ? 2 / step : 0)
  // The values are too small to divide by: all entries are 0, so the step must be 0 too.
  const factor = f32x4.splat(scale <= f32.MAX_VALUE ? scale : 0)
  for (; query < end; query += 16) {
    const q = f32x4.mul(v128.load(query), factor)
    const set = f32x4.max(q, f32x4.splat(0))
    const clear = f32x4.max(f32x4.neg(q), f32x4.splat(0))
    const low = f32x4.add(i32x4.shuffle(clear, set, 0, 4, 0, 4), i32x4.shuffle(clear, set, 1, 1, 5, 5))
    const high = f32x4.add(i32x4.shuffle(clear, set, 2, 6, 2, 6), i32x4.shuffle(clear, set, 3, 3, 7, 7))
    const a = entries(low, i32x4.shuffle(high, high, 0, 0, 0, 0))
    const b = entries(low, i32x4.shuffle(high, high, 1, 1, 1, 1))
    const c = entries(low, i32x4.shuffle(high, high, 2, 2, 2, 2))
    const d = entries(low, i32x4.shuffle(high, high, 3, 3, 3, 3))
    v128.store(table, i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d)))
    table += 16
  }
  const length = Math.sqrt(<f64>dimension)
  store<f32>(params, <f32>(step / length))
  store<f32>(params, <f32>(-total / length), 4)
}

export function encode(vector: usize, centroid: usize, dimension: i32, code: usize, factors: usize): void {
  const end = vector + (<usize>dimension << 2)
  const codeStart = code
  const zero = f32x4.splat(0)
  let squared = f64x2.splat(0)
  let absolute = f64x2.splat(0)
  let centroidSigned = f64x2.splat(0)
  let centroidResidual = f64x2.splat(0)
  let centroidSum = f64x2.splat(0)
  for (; vector < end; vector += 64) {
    let bits = 0
    for (let i: usize = 0; i < 4; i++) {
      const c = v128.load(centroid + 16 * i)
      const r = f32x4.sub(v128.load(vector + 16 * i), c)
      const set = f32x4.ge(r, zero)
      bits |= i32x4.bitmask(set) << (4 * <i32>i)
      const signed = v128.xor(c, v128.andnot(i32x4.splat(0x80000000), set))
      const magnitudes = f32x4.abs(r)
      const rLow = lowF64(r)
      const rHigh = highF64(r)
      const cLow = lowF64(c)
      const cHigh = highF64(c)
      squared = f64x2.add(squared, f64x2.add(f64x2.mul(rLow, rLow), f64x2.mul(rHigh, rHigh)))
      absolute = f64x2.add(absolute, f64x2.add(lowF64(magnitudes), highF64(magnitudes)))
      centroidSigned = f64x2.add(centroidSigned, f64x2.add(lowF64(signed), highF64(signed)))
      centroidResidual = f64x2.add(centroidResidual, f64x2.add(f64x2.mul(cLow, rLow), f64x2.mul(cHigh, rHigh)))
      centroidSum = f64x2.add(centroidSum, f64x2.add(cLow, cHigh))
    }
    store<u16>(code, <u16>bits)
    code += 2
    centroid += 64
  }
  const length = Math.sqrt(<f64>dimension)
  const norm = Math.sqrt(sumF64(squared))
  store<f32>(factors, <f32>norm)
  if (norm == 0) {
    memory.fill(codeStart, 0, <usize>dimension >> 3)
    store<f32>(factors, 1, 4)
    store<f32>(factors, <f32>(-sumF64(centroidSum) / length), 8)
  } else {
    store<f32>(factors, <f32>(sumF64(absolute) / (norm * length)), 4)
    store<f32>(factors, <f32>(sumF64(centroidSigned) / length), 8)
  }
  store<f32>(factors, <f32>sumF64(centroidResidual), 12)
}

// Thresholds between the two magnitudes of a 2-bit code, as multiples of the mean magnitude of the residual: that which suits
// a normal distribution best, and one to each side.
const LOW_THRESHOLD: f64 = 1
const MIDDLE_THRESHOLD: f64 = 1.22
const HIGH_THRESHOLD: f64 = 1.45

/** The squared cosine, up to a factor, of the residual and its code. */
// @ts-expect-error: decorator
@inline
function fit(absolute: f64, large: f64, count: i32, dimension: i32): f64 {
  const along = 0.5 * absolute + large
  return (along * along) / (0.25 * <f64>dimension + 2 * <f64>count)
}

export function encode2(vector: usize, centroid: usize, dimension: i32, code: usize, factors: usize): void {
  const bytes = <usize>dimension << 2
  let squared: f64 = 0
  let absolute: f64 = 0
  let centroidResidual: f64 = 0
  for (let at: usize = 0; at < bytes; at += 4) {
    const c = load<f32>(centroid + at)
    const r = load<f32>(vector + at) - c
    squared += <f64>r * <f64>r
    absolute += <f64>Math.abs(r)
    centroidResidual += <f64>c * <f64>r
  }
  const mean = absolute / <f64>dimension
  let lowSum: f64 = 0
  let middleSum: f64 = 0
  let highSum: f64 = 0
  let lowCount = 0
  let middleCount = 0
  let highCount = 0
  for (let at: usize = 0; at < bytes; at += 4) {
    const size = <f64>Math.abs(load<f32>(vector + at) - load<f32>(centroid + at))
    if (size > mean * LOW_THRESHOLD) {
      lowSum += size
      lowCount++
    }
    if (size > mean * MIDDLE_THRESHOLD) {
      middleSum += size
      middleCount++
    }
    if (size > mean * HIGH_THRESHOLD) {
      highSum += size
      highCount++
    }
  }
  let threshold = mean * MIDDLE_THRESHOLD
  let large = middleSum
  let count = middleCount
  if (fit(absolute, lowSum, lowCount, dimension) > fit(absolute, large, count, dimension)) {
    threshold = mean * LOW_THRESHOLD
    large = lowSum
    count = lowCount
  }
  if (fit(absolute, highSum, highCount, dimension) > fit(absolute, large, count, dimension)) {
    threshold = mean * HIGH_THRESHOLD
    large = highSum
    count = highCount
  }
  const half = <usize>dimension >> 3
  memory.fill(code, 0, half << 1)
  let centroidCode: f64 = 0
  for (let d = 0; d < dimension; d++) {
    const at = <usize>d << 2
    const c = <f64>load<f32>(centroid + at)
    const r = load<f32>(vector + at) - load<f32>(centroid + at)
    const isSet = squared > 0 && r >= 0
    const isLarge = <f64>Math.abs(r) > threshold
    // The weights are 1 and ½: both bits with the sign of r make 1½, opposite bits make ½.
    const isSecond = squared > 0 && isSet == isLarge
    const place = code + (<usize>d >> 3)
    const bit: i32 = 1 << (d & 7)
    if (isSet) store<u8>(place, <u8>(<i32>load<u8>(place) | bit))
    if (isSecond) store<u8>(place + half, <u8>(<i32>load<u8>(place + half) | bit))
    centroidCode += c * ((isSet ? 1 : -1) + (isSecond ? 0.5 : -0.5))
  }
  const length = Math.sqrt(2 * <f64>dimension)
  const norm = Math.sqrt(squared)
  store<f32>(factors, <f32>norm)
  store<f32>(factors, <f32>(centroidCode / length), 8)
  store<f32>(factors, <f32>centroidResidual, 12)
  if (squared > 0) {
    const along = (0.5 * absolute + large) / (norm * length)
    const square = (0.25 * <f64>dimension + 2 * <f64>count) / (2 * <f64>dimension)
    store<f32>(factors, <f32>along, 4)
    store<f32>(factors, <f32>Math.max(0, square - along * along), 16)
  } else {
    store<f32>(factors, 1, 4)
    store<f32>(factors, 0, 16)
  }
}
