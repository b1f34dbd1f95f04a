import type { CharSet } from '../char-set.ts'

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUES = new Uint8Array(128)
for (let i = 0; i < 64; i++) VALUES[DIGITS.charCodeAt(i)] = i

/** Reads numbers of five bits a character, the lowest first; all characters of a number but the last have the sixth bit set. */
export function varints(text: string): number[] {
  const numbers: number[] = []
  let value = 0
  let factor = 1
  for (let i = 0; i < text.length; i++) {
    const digit = VALUES[text.charCodeAt(i)] as number
    value += (digit & 31) * factor
    factor *= 32
    if (digit >= 32) continue
    numbers.push(value)
    value = 0
    factor = 1
  }
  return numbers
}

/** Reads ranges: for each its distance from the end of the one before, and its length less one. */
export function rangesOf(text: string): CharSet {
  const pairs = varints(text)
  let end = 0
  for (let i = 0; i < pairs.length; i += 2) {
    const first = end + (pairs[i] as number)
    const last = first + (pairs[i + 1] as number)
    pairs[i] = first
    pairs[i + 1] = last
    end = last + 1
  }
  return pairs
}
