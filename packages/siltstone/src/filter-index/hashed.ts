import { hash64 } from '../format/hash64.ts'

/** The upper 53 bits of a string's hash, which a double holds exactly. */
export function hashed(text: string): number {
  const { hi, lo } = hash64(text)
  return hi * 2 ** 21 + (lo >>> 11)
}
