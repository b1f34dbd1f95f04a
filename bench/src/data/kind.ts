/** What a kind of vectors is, and what its rows are drawn with. Rows and queries are functions of the seed and their number. */
import type { Space } from 'siltstone/internal'
import { SeededRandom } from './random.ts'

export interface Kind {
  name: string
  space: Space
  dimension: number
  /** Where the queries come from. */
  queries: string
  make(count: number, seed: number): Maker
}

export interface Maker {
  row(index: number): Float32Array
  query(index: number): Float32Array
}

/** Rows and queries are drawn with these plus their number. */
export const ROWS = 1_000_003
export const QUERIES = 500_000_003

/** Independent of all others with another number. */
export const at = (seed: number, index: number) => new SeededRandom((seed * 2_654_435_761 + index * 40_503 + 17) >>> 0)

export function gaussian(random: SeededRandom, dimension: number, deviation = 1): Float32Array {
  return Float32Array.from({ length: dimension }, () => deviation * random.gaussian())
}

export function mixed(a: Float32Array, b: Float32Array, factorA: number, factorB: number): Float32Array {
  return a.map((x, d) => factorA * x + factorB * (b[d] as number))
}

/** Student's t with so many degrees of freedom is a Gaussian times this. */
export function tail(random: SeededRandom, degrees: number): number {
  let sum = 0
  for (let i = 0; i < degrees; i++) sum += random.gaussian() ** 2
  return Math.sqrt(degrees / Math.max(1e-3, sum))
}

/** Index 0 is the most frequent: P(i) ~ 1 / (i + 1). */
export function zipf(random: SeededRandom, count: number): number {
  return Math.min(count - 1, Math.floor((count + 1) ** random.next() - 1))
}
