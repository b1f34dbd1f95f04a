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

/** Index 0 is the most frequent: P(i) ~ 1 / (i + 1). */
export function zipf(random: SeededRandom, count: number): number {
  return Math.min(count - 1, Math.floor((count + 1) ** random.next() - 1))
}
