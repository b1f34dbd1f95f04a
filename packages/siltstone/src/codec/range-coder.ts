/**
 * An adaptive binary range coder (Martin, "Range encoding", 1979, in the form that LZMA has): a bit takes as little room as it is
 * expected, and what is expected is learnt from the bits before it in the same context.
 */

const TOP = 2 ** 24
const ONE = 1 << 15
/** Of the difference, this much is learnt from a bit: 1 / 2⁵. */
const RATE = 5

/** Probabilities that the next bit is 0, one for each context. */
export type Contexts = Uint16Array

export const newContexts = (count: number): Contexts => new Uint16Array(count).fill(ONE / 2)

const learn = (contexts: Contexts, at: number, bit: number): void => {
  const p = contexts[at] as number
  contexts[at] = bit === 0 ? p + ((ONE - p) >> RATE) : p - (p >> RATE)
}

export class RangeEncoder {
  readonly #bytes: number[] = []
  #low = 0
  #range = 0xffffffff
  /** The first one is no byte of the code: nothing is carried so far. */
  #held = 0
  #heldCount = 1

  bit(contexts: Contexts, at: number, bit: number): void {
    const bound = (this.#range >>> 15) * (contexts[at] as number)
    if (bit === 0) this.#range = bound
    else {
      this.#low += bound
      this.#range -= bound
    }
    learn(contexts, at, bit)
    while (this.#range < TOP) {
      this.#range *= 256
      this.#shift()
    }
  }

  /** A carry may still change what was written last, so bytes of 255 and the one before are held back. */
  #shift(): void {
    const carry = this.#low >= 2 ** 32 ? 1 : 0
    if (this.#low < 0xff000000 || carry === 1) {
      this.#bytes.push((this.#held + carry) & 255)
      for (let i = 1; i < this.#heldCount; i++) this.#bytes.push((255 + carry) & 255)
      this.#held = Math.floor(this.#low / TOP) & 255
      this.#heldCount = 0
    }
    this.#heldCount++
    this.#low = (this.#low % TOP) * 256
  }

  finish(): Uint8Array {
    for (let i = 0; i < 5; i++) this.#shift()
    return Uint8Array.from(this.#bytes.slice(1))
  }
}

export class RangeDecoder {
  readonly #bytes: Uint8Array
  #at = 0
  #code = 0
  #range = 0xffffffff

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    for (let i = 0; i < 4; i++) this.#code = this.#code * 256 + this.#next()
  }

  /** Whether no more bytes were needed than there are. */
  get isWhole(): boolean {
    return this.#at <= this.#bytes.length
  }

  #next(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  bit(contexts: Contexts, at: number): number {
    const bound = (this.#range >>> 15) * (contexts[at] as number)
    const bit = this.#code < bound ? 0 : 1
    if (bit === 0) this.#range = bound
    else {
      this.#code -= bound
      this.#range -= bound
    }
    learn(contexts, at, bit)
    while (this.#range < TOP) {
      this.#range *= 256
      this.#code = this.#code * 256 + this.#next()
    }
    return bit
  }
}
