/**
 * Two dimensions of many: the projection of vectors onto their two principal components, by orthogonal iteration on the
 * covariance (Golub and Van Loan, Matrix Computations, section 8.2), which is never formed. The start is fixed, and each
 * component's largest entry is positive, so the same vectors always give the same picture.
 */
import { Pacer, type Pause } from '../pacer.ts'

const ITERATIONS = 16
/** Multiplications between two pauses: about 2 ms. */
const SLICE = 2_000_000

export interface Projection {
  x: Float32Array
  y: Float32Array
  /** The share of the variance that each of the two components explains. */
  explained: [number, number]
}

/** @param vectors of the same dimension. Takes 64 × vectors × dimension multiplications. */
export async function projectionOf(vectors: readonly Float32Array[], pause: Pause): Promise<Projection> {
  const dimension = vectors[0]?.length ?? 0
  const pacer = new Pacer(SLICE, pause)
  const mean = new Float64Array(dimension)
  for (const vector of vectors)
    for (let d = 0; d < dimension; d++) mean[d] = at(mean, d) + at(vector, d) / vectors.length
  const centred = vectors.map((vector) => vector.map((value, d) => value - at(mean, d)))
  let variance = 0
  for (const vector of centred) for (const value of vector) variance += value * value
  let [first, second] = [start(dimension, 1), start(dimension, 2)]
  for (let i = 0; i < ITERATIONS; i++) {
    const [next, after] = [new Float64Array(dimension), new Float64Array(dimension)]
    for (const vector of centred) {
      const [a, b] = [dot(vector, first), dot(vector, second)]
      for (let d = 0; d < dimension; d++) {
        next[d] = at(next, d) + a * at(vector, d)
        after[d] = at(after, d) + b * at(vector, d)
      }
      const due = pacer.spend(4 * dimension)
      if (due) await due
    }
    first = unit(next) ?? first
    const along = dot(after, first)
    second = unit(after.map((value, d) => value - along * at(first, d))) ?? new Float64Array(dimension)
  }
  const axes = [first, second].map(oriented)
  const [x, y] = axes.map((axis) => Float32Array.from(centred, (vector) => dot(vector, axis))) as [
    Float32Array,
    Float32Array,
  ]
  const share = (column: Float32Array) =>
    variance === 0 ? 0 : column.reduce((sum, value) => sum + value * value, 0) / variance
  return { x, y, explained: [share(x), share(y)] }
}

/** Numbers without a pattern that the data could have. */
function start(dimension: number, seed: number): Float64Array {
  return (
    unit(Float64Array.from({ length: dimension }, (_, d) => Math.sin((d + 1) * (12.9898 + seed)))) ??
    new Float64Array(dimension)
  )
}

function oriented(axis: Float64Array): Float64Array {
  const largest = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0)
  return largest < 0 ? axis.map((value) => -value) : axis
}

/** undefined for a vector without a direction. */
function unit(vector: Float64Array): Float64Array | undefined {
  const length = Math.sqrt(dot(vector, vector))
  return length < 1e-12 ? undefined : vector.map((value) => value / length)
}

type Numbers = Float32Array | Float64Array

function dot(a: Numbers, b: Numbers): number {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += at(a, d) * at(b, d)
  return sum
}

const at = (numbers: Numbers, d: number): number => numbers[d] as number
