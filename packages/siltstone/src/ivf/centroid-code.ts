/**
 * Centroids in few bytes, for segments that pages read: a page reads all of them before its first search. Each value is a whole number of
 * one step, in the dimensions of the vectors, before the rotation: some of these vary much more than others, which costs few
 * bits where values are coded one by one.
 *
 * Dimension by dimension come the base, about which its numbers lie, and for each centroid the number less the base. A number is
 * coded as: is it 0; its sign; its magnitude less 1, one by one up to `UNARY`; what is beyond, by the code of Elias. The bits go through
 * an adaptive coder (`codec/range-coder.ts`), whose contexts are the place of the bit and the number of the centroid before, which is
 * near in most dimensions. All dimensions share the contexts, so that each begins with what was learnt from the one before.
 */
import { type Contexts, newContexts, RangeDecoder, RangeEncoder } from '../codec/range-coder.ts'

const UNARY = 8
/** Bits of the largest number. */
const MOST_BITS = 31
/** By the magnitude of the number before, 0, 1 or more: is it 0, and is its magnitude 1. By its sign: the sign. */
const [ZERO, ONE, SIGN] = [0, 3, 6]
const MORE = 9
const LENGTH = MORE + UNARY
const DIGIT = LENGTH + MOST_BITS
const CONTEXTS = DIGIT + 1

export interface CodedCentroids {
  clusters: number
  dimension: number
  /** i32[clusters × dimension] */
  numbers: Int32Array
}

export function encodeCentroids({ clusters, dimension, numbers }: CodedCentroids): Uint8Array {
  const encoder = new RangeEncoder()
  const contexts = newContexts(CONTEXTS)
  const put: Coding = (at, bit) => {
    encoder.bit(contexts, at, bit)
    return bit
  }
  for (let d = 0; d < dimension; d++) {
    let sum = 0
    for (let c = 0; c < clusters; c++) sum += numbers[c * dimension + d] as number
    const base = Math.round(sum / clusters)
    code(put, base, 0)
    let before = 0
    for (let c = 0; c < clusters; c++) before = code(put, (numbers[c * dimension + d] as number) - base, before)
  }
  return encoder.finish()
}

/** @returns undefined when the bytes are no centroids */
export function decodeCentroids(bytes: Uint8Array, clusters: number, dimension: number): Int32Array | undefined {
  const decoder = new RangeDecoder(bytes)
  const contexts: Contexts = newContexts(CONTEXTS)
  const take: Coding = (at) => decoder.bit(contexts, at)
  const numbers = new Int32Array(clusters * dimension)
  for (let d = 0; d < dimension; d++) {
    const base = code(take, 0, 0)
    let before = 0
    for (let c = 0; c < clusters; c++) {
      before = code(take, 0, before)
      numbers[c * dimension + d] = base + before
    }
    if (!decoder.isWhole) return undefined
  }
  return numbers
}

/** Writes a bit, or reads it instead of the one that is given. @returns the bit */
type Coding = (context: number, bit: number) => number

/** @param number to write @param before the number before @returns the number */
function code(bit: Coding, number: number, before: number): number {
  const size = Math.min(2, Math.abs(before))
  if (bit(ZERO + size, number === 0 ? 0 : 1) === 0) return 0
  const isNegative = bit(SIGN + 1 + Math.sign(before), number < 0 ? 1 : 0) === 1
  const magnitude = Math.abs(number)
  let found = 1
  while (found <= UNARY && bit(found === 1 ? ONE + size : MORE + found - 1, magnitude > found ? 1 : 0) === 1) found++
  if (found > UNARY) found += beyond(bit, magnitude - UNARY - 1)
  return isNegative ? -found : found
}

/** @param number at least 0, of at most `MOST_BITS` bits */
function beyond(bit: Coding, number: number): number {
  const wanted = Math.floor(Math.log2(number + 1))
  let bits = 0
  while (bits < MOST_BITS - 1 && bit(LENGTH + bits, bits < wanted ? 1 : 0) === 1) bits++
  let found = 1
  for (let i = bits - 1; i >= 0; i--) found = found * 2 + bit(DIGIT, Math.floor((number + 1) / 2 ** i) % 2)
  return found - 1
}
