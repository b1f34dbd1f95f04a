/**
 * A block of the trigram index: trigrams in order, each with the list of the groups of rows that have it. Stored as
 *
 *     u32 CRC-32 of all that follows | u32 trigrams | u32 raw length | u32 compression (0 none, 1 zstd) | payload
 *
 * and raw as, per trigram, u32 first two units, then u32 third units, then u32 numbers of groups, then u32 ends of lists
 * (from the start of the lists), then the lists. A trigram whose list is left out has 2³² − 1 for its number of groups.
 */
import { allocate, crc32, zstdCompress, zstdDecompress } from '#codec'
import { firstWhere } from '../binary-search.ts'
import { concatBytes, writeUint32 } from '../codec/bytes.ts'
import { eachPosting, PostingBuffer } from './postings.ts'

const HEADER_BYTES = 16
const ENTRY_BYTES = 16
const TARGET_BYTES = 32 * 1024
/** For the number of groups: too many to be worth a list. */
const FREQUENT = 0xffffffff

export class TrigramBlockBuilder {
  readonly #lists = new PostingBuffer()
  readonly #most: number
  #entries: { pair: number; third: number; count: number; end: number }[] = []

  /** @param most groups that are listed for one trigram */
  constructor(most: number) {
    this.#most = most
  }

  get isFull(): boolean {
    return this.#lists.length + ENTRY_BYTES * this.#entries.length >= TARGET_BYTES
  }

  get first(): { pair: number; third: number } | undefined {
    return this.#entries[0]
  }

  add(pair: number, third: number, fill: (take: (group: number) => void) => void): void {
    const lists = this.#lists
    const start = lists.length
    lists.begin()
    fill((group) => lists.add(group))
    const frequent = lists.count > this.#most
    if (frequent) lists.length = start
    this.#entries.push({ pair, third, count: frequent ? FREQUENT : lists.count, end: lists.length })
  }

  /** The stored block; the builder is empty again. */
  finish(): { bytes: Uint8Array; trigrams: number } {
    const entries = this.#entries
    const trigrams = entries.length
    const words = new Uint32Array(4 * trigrams)
    for (const [i, { pair, third, count, end }] of entries.entries()) {
      words[i] = pair
      words[trigrams + i] = third
      words[2 * trigrams + i] = count
      words[3 * trigrams + i] = end
    }
    const raw = concatBytes([new Uint8Array(words.buffer), this.#lists.bytes.subarray(0, this.#lists.length)])
    this.#entries = []
    this.#lists.clear()
    const packed = zstdCompress(raw)
    const payload = packed.length < raw.length ? packed : raw
    const bytes = allocate(HEADER_BYTES + payload.length)
    writeUint32(bytes, 4, trigrams)
    writeUint32(bytes, 8, raw.length)
    writeUint32(bytes, 12, payload === packed ? 1 : 0)
    bytes.set(payload, HEADER_BYTES)
    writeUint32(bytes, 0, crc32(bytes.subarray(4)))
    return { bytes, trigrams }
  }
}

/** How often a trigram occurs, and where. `frequent`: too often to tell where. */
export type Found = { kind: 'frequent' } | { kind: 'list'; count: number; start: number; end: number }

export class TrigramBlock {
  readonly trigrams: number
  /** In memory. */
  readonly sizeBytes: number
  readonly #words: Uint32Array
  readonly #lists: Uint8Array

  private constructor(trigrams: number, raw: Uint8Array) {
    this.trigrams = trigrams
    this.sizeBytes = raw.length
    this.#words = new Uint32Array(raw.buffer, raw.byteOffset, 4 * trigrams)
    this.#lists = raw.subarray(ENTRY_BYTES * trigrams)
  }

  static parse(stored: Uint8Array, fail: (reason: string, cause?: unknown) => never): TrigramBlock {
    if (stored.length < HEADER_BYTES) fail('is too short')
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
    if (crc32(stored.subarray(4)) !== view.getUint32(0, true)) fail('does not match its checksum')
    const trigrams = view.getUint32(4, true)
    const rawLength = view.getUint32(8, true)
    let raw: Uint8Array = stored.subarray(HEADER_BYTES)
    if (view.getUint32(12, true) !== 0) {
      try {
        raw = zstdDecompress(raw, rawLength)
      } catch (error) {
        return fail('cannot be decompressed', error)
      }
    }
    // A copy: words must be aligned, and a view would keep the whole read in memory.
    const block = raw.length === rawLength && rawLength >= ENTRY_BYTES * trigrams && trigrams > 0
    if (!block) fail('has another size')
    const parsed = new TrigramBlock(trigrams, new Uint8Array(raw))
    let last = 0
    for (let i = 0; i < trigrams; i++) {
      const end = parsed.#words[3 * trigrams + i] as number
      if (end < last || end > parsed.#lists.length) fail('has lists out of order')
      if (i > 0 && parsed.compare(i - 1, parsed.pair(i), parsed.third(i)) >= 0) fail('has trigrams out of order')
      last = end
    }
    return parsed
  }

  pair(i: number): number {
    return this.#words[i] as number
  }

  third(i: number): number {
    return this.#words[this.trigrams + i] as number
  }

  /** Of trigram i to another one. */
  compare(i: number, pair: number, third: number): number {
    return this.pair(i) - pair || this.third(i) - third
  }

  /** Undefined: no row has it. */
  find(pair: number, third: number): Found | undefined {
    const place = firstWhere(this.trigrams, (i) => this.compare(i, pair, third) >= 0)
    return place < this.trigrams && this.compare(place, pair, third) === 0 ? this.at(place) : undefined
  }

  at(i: number): Found {
    const count = this.#words[2 * this.trigrams + i] as number
    if (count === FREQUENT) return { kind: 'frequent' }
    const ends = 3 * this.trigrams
    return {
      kind: 'list',
      count,
      start: i === 0 ? 0 : (this.#words[ends + i - 1] as number),
      end: this.#words[ends + i] as number,
    }
  }

  /** @returns how many there were; −1 when the list is damaged */
  each(found: { start: number; end: number }, take: (group: number) => void): number {
    return eachPosting(this.#lists, found.start, found.end, take)
  }
}
