/**
 * Split-block Bloom filter, as in Parquet (https://github.com/apache/parquet-format/blob/master/BloomFilter.md; after
 * Putze, Sanders, Singler 2009): blocks of eight u32 words, one bit in each, chosen by the low half of the hash; the
 * high half chooses the block. About 10 bits per key give 1 % of false positives.
 */
const SALT = Uint32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
)
const BITS_PER_KEY = 10

export class SplitBlockBloom {
  readonly words: Uint32Array
  readonly #blocks: number

  /** @param words as stored; their number is a multiple of 8 */
  constructor(words: Uint32Array) {
    this.words = words
    this.#blocks = words.length / 8
  }

  static forKeys(keys: number): SplitBlockBloom {
    return new SplitBlockBloom(new Uint32Array(8 * Math.max(1, Math.ceil((keys * BITS_PER_KEY) / 256))))
  }

  #block(hi: number): number {
    return 8 * Math.floor((hi * this.#blocks) / 2 ** 32)
  }

  add(hi: number, lo: number): void {
    const at = this.#block(hi)
    for (let i = 0; i < 8; i++) {
      const bit = Math.imul(lo, SALT[i] as number) >>> 27
      this.words[at + i] = (this.words[at + i] as number) | (1 << bit)
    }
  }

  mayHave(hi: number, lo: number): boolean {
    const at = this.#block(hi)
    for (let i = 0; i < 8; i++) {
      const bit = Math.imul(lo, SALT[i] as number) >>> 27
      if ((((this.words[at + i] as number) >>> bit) & 1) === 0) return false
    }
    return true
  }
}
