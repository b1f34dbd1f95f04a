/** The different weights of an index of sparse vectors, as the bits of 32-bit floats, as long as they are few. */
import { KeyNumbers } from './key-numbers.ts'
import { MOST_WEIGHTS } from './layout.ts'

const float = new Float32Array(1)
const floatBits = new Uint32Array(float.buffer)

export function bitsOfFloat(weight: number): number {
  float[0] = weight
  return floatBits[0] as number
}

export function floatOfBits(bits: number): number {
  floatBits[0] = bits
  return float[0] as number
}

/** Weights in ascending order, each once. */
export interface WeightTable {
  bits: Uint32Array<ArrayBuffer>
  floats: Float32Array
  /** Turns bits into places in the table, in place. Bits that are not in the table become 0. */
  replace(bits: Uint32Array, count: number): void
}

export class UsedWeights {
  /** Undefined: there are too many. */
  #numbers: KeyNumbers | undefined = new KeyNumbers()
  readonly #most: number
  /** The least weight if it is negative, otherwise 0. */
  least = 0

  /** @param most of the weights that count as few */
  constructor(most = MOST_WEIGHTS) {
    this.#most = most
  }

  add(bits: number): void {
    this.least = Math.min(this.least, floatOfBits(bits))
    if (!this.#numbers) return
    this.#numbers.of(bits)
    if (this.#numbers.count > this.#most) this.#numbers = undefined
  }

  /** Adds more weights than a table holds. */
  addMany(least: number): void {
    this.least = Math.min(this.least, least)
    this.#numbers = undefined
  }

  /** Call after the last weight. Undefined: there are too many. */
  table(): WeightTable | undefined {
    const numbers = this.#numbers
    if (!numbers) return undefined
    const used = Array.from({ length: numbers.count }, (_, number) => numbers.key(number))
    // By value, then by bits: −0 and 0 differ.
    const bits = Uint32Array.from(used.sort((a, b) => floatOfBits(a) - floatOfBits(b) || a - b))
    const codes = new Uint32Array(bits.length)
    bits.forEach((some, code) => (codes[numbers.of(some)] = code))
    const replace = (some: Uint32Array, count: number): void => {
      for (let i = 0; i < count; i++) {
        const number = numbers.find(some[i] as number)
        some[i] = number < 0 ? 0 : (codes[number] as number)
      }
    }
    return { bits, floats: new Float32Array(bits.buffer), replace }
  }
}
