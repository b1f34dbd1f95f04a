/** Keys of terms: integers that are spread evenly over a range, whatever the terms are. */
import { hash64 } from '../format/hash64.ts'

/** How the keys of an index are made and stored. */
export interface KeySpace {
  /** Keys are below this. */
  readonly size: number
  /** Of a stored key. */
  readonly bytes: number
}

export const WORD_KEYS: KeySpace = { size: 2 ** 48, bytes: 6 }
export const DIMENSION_KEYS: KeySpace = { size: 2 ** 32, bytes: 4 }

/**
 * The highest 48 bits of the hash of a word. Two words in a million share one with a chance of 1 : 560; they are then one
 * word, in an index as well as in a search without one.
 */
export function wordKey(word: string): number {
  const { hi, lo } = hash64(word)
  return hi * 65_536 + (lo >>> 16)
}

/** Dimensions may be small numbers: a multiplication by an odd number permutes and spreads them. */
export function dimensionKey(dimension: number): number {
  return Math.imul(dimension, 0x9e3779b1) >>> 0
}

export function pageOf(key: number, { size }: KeySpace, pages: number): number {
  return Math.min(pages - 1, Math.floor((key / size) * pages))
}
