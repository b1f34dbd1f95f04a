/**
 * The rows that have a term, ascending, each with a payload: of a word how often it occurs less 1, of a dimension its weight,
 * as a number in a table of weights or as the bits of a 32-bit float.
 *
 * A stored list is words of 32 bits: the CRC-32 of what follows; the directory, four words for each block; the blocks. A
 * block has the distances of its rows (to the row before, that of the block before included, less 1; the first of a list is
 * counted from −1), then the payloads, each packed into as few bits as the largest needs.
 */
import { crc32 } from '#codec'
import { firstWhere } from '../binary-search.ts'
import { bitsOf, pack, packedWords, unpack, unpackAscending, unpackOne } from './bit-packing.ts'
import { BLOCK_POSTINGS, ENTRY_WORDS, FLOAT_BITS, MOST_IN_BOUND } from './layout.ts'

/** Bounds what the postings of a block can add to a score. */
export type BoundOf = (rows: Uint32Array, payloads: Uint32Array) => number

/** The bound of a block of words: the largest frequency and the least length of a document. */
export function wordBound(frequency: number, length: number): number {
  return ((Math.min(frequency, MOST_IN_BOUND) << 16) | Math.min(length, MOST_IN_BOUND)) >>> 0
}

/** @returns the bytes of a list */
export function encodeList(rows: Uint32Array, payloads: Uint32Array, areFloats: boolean, boundOf: BoundOf): Uint8Array {
  const blocks = Math.ceil(rows.length / BLOCK_POSTINGS)
  const bits: { rows: number; payloads: number }[] = []
  const distances = new Uint32Array(rows.length)
  let sizeWords = 1 + blocks * ENTRY_WORDS
  let last = -1
  for (let i = 0; i < rows.length; i++) {
    distances[i] = (rows[i] as number) - last - 1
    last = rows[i] as number
  }
  for (let start = 0; start < rows.length; start += BLOCK_POSTINGS) {
    const end = Math.min(rows.length, start + BLOCK_POSTINGS)
    const needed = {
      rows: bitsOf(largest(distances, start, end)),
      payloads: areFloats ? FLOAT_BITS : bitsOf(largest(payloads, start, end)),
    }
    bits.push(needed)
    sizeWords += packedWords(end - start, needed.rows) + packedWords(end - start, needed.payloads)
  }
  const words = new Uint32Array(sizeWords)
  const first = 1 + blocks * ENTRY_WORDS
  let at = first
  for (const [block, { rows: rowBits, payloads: payloadBits }] of bits.entries()) {
    const start = block * BLOCK_POSTINGS
    const end = Math.min(rows.length, start + BLOCK_POSTINGS)
    const count = end - start
    pack(distances.subarray(start, end), count, rowBits, words, at)
    at += packedWords(count, rowBits)
    pack(payloads.subarray(start, end), count, payloadBits, words, at)
    at += packedWords(count, payloadBits)
    const bound = boundOf(rows.subarray(start, end), payloads.subarray(start, end))
    words.set([rows[end - 1] as number, at - first, rowBits | (payloadBits << 8), bound], 1 + block * ENTRY_WORDS)
  }
  const bytes = new Uint8Array(words.buffer)
  words[0] = crc32(bytes.subarray(4))
  return bytes
}

function largest(numbers: Uint32Array, start: number, end: number): number {
  let most = 0
  for (let i = start; i < end; i++) if ((numbers[i] as number) > most) most = numbers[i] as number
  return most
}

/** Rows and payloads of one block. */
export interface Block {
  rows: Uint32Array
  payloads: Uint32Array
  count: number
}

export function emptyBlock(): Block {
  return { rows: new Uint32Array(BLOCK_POSTINGS), payloads: new Uint32Array(BLOCK_POSTINGS), count: 0 }
}

export class PostingList {
  /** The number of rows that have the term. */
  readonly count: number
  readonly blocks: number
  readonly #words: Uint32Array
  readonly #first: number

  private constructor(words: Uint32Array, count: number) {
    this.#words = words
    this.count = count
    this.blocks = Math.ceil(count / BLOCK_POSTINGS)
    this.#first = 1 + this.blocks * ENTRY_WORDS
  }

  /** @param bytes aligned to 4 @param fail throws the error of a damaged list */
  static parse(bytes: Uint8Array, count: number, fail: (reason: string) => never): PostingList {
    const list = new PostingList(new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2), count)
    if (bytes.length % 4 !== 0 || list.#words.length < list.#first) return fail(`has ${bytes.length} bytes`)
    if (crc32(bytes.subarray(4)) !== list.#words[0]) fail('does not match its checksum')
    list.#check(fail)
    return list
  }

  /** A list that was in a page. */
  static of(rows: Uint32Array, payloads: Uint32Array, areFloats: boolean, boundOf: BoundOf): PostingList {
    const bytes = encodeList(rows, payloads, areFloats, boundOf)
    return new PostingList(new Uint32Array(bytes.buffer), rows.length)
  }

  #check(fail: (reason: string) => never): void {
    let end = 0
    for (let block = 0; block < this.blocks; block++) {
      const { rowBits, payloadBits } = this.#bits(block)
      if (rowBits > 32 || payloadBits > 32) fail(`has block ${block} with ${rowBits} and ${payloadBits} bits`)
      const count = this.#countOf(block)
      end += packedWords(count, rowBits) + packedWords(count, payloadBits)
      if (end !== this.#entry(block, 1)) fail(`has a directory that does not fit block ${block}`)
    }
    if (this.#first + end !== this.#words.length)
      fail(`has ${this.#words.length} words instead of ${this.#first + end}`)
  }

  #entry(block: number, field: number): number {
    return this.#words[1 + block * ENTRY_WORDS + field] as number
  }

  #bits(block: number): { rowBits: number; payloadBits: number } {
    const word = this.#entry(block, 2)
    return { rowBits: word & 255, payloadBits: word >>> 8 }
  }

  #countOf(block: number): number {
    return Math.min(BLOCK_POSTINGS, this.count - block * BLOCK_POSTINGS)
  }

  get sizeBytes(): number {
    return this.#words.byteLength
  }

  lastRow(block: number): number {
    return this.#entry(block, 0)
  }

  bound(block: number): number {
    return this.#entry(block, 3)
  }

  /** The first block from `from` on that may have a row of at least `row`; `blocks` if there is none. */
  blockOf(row: number, from = 0): number {
    if (from < this.blocks && this.lastRow(from) >= row) return from
    return from + firstWhere(this.blocks - from, (i) => this.lastRow(from + i) >= row)
  }

  decode(block: number, into: Block): void {
    into.count = this.decodeInto(block, into.rows, 0, into.payloads, 0)
  }

  /** Fills both arrays from these places on. @returns postings of the block */
  decodeInto(block: number, rows: Uint32Array, rowsAt: number, payloads: Uint32Array, payloadsAt: number): number {
    const { rowBits, payloadBits } = this.#bits(block)
    const count = this.decodeRows(block, rows, rowsAt)
    unpack(this.#words, this.#startOf(block) + packedWords(count, rowBits), payloadBits, count, payloads, payloadsAt)
    return count
  }

  /** As `decodeInto`, without payloads. */
  decodeRows(block: number, rows: Uint32Array, rowsAt = 0): number {
    const count = this.#countOf(block)
    const { rowBits } = this.#bits(block)
    unpackAscending(this.#words, this.#startOf(block), rowBits, count, this.#rowBefore(block), rows, rowsAt)
    return count
  }

  /** Of one posting. @param i its place in the block */
  payload(block: number, i: number): number {
    const { rowBits, payloadBits } = this.#bits(block)
    return unpackOne(this.#words, this.#startOf(block) + packedWords(this.#countOf(block), rowBits), payloadBits, i)
  }

  #startOf(block: number): number {
    return this.#first + (block === 0 ? 0 : this.#entry(block - 1, 1))
  }

  #rowBefore(block: number): number {
    return block === 0 ? -1 : this.lastRow(block - 1)
  }

  /** Calls `take` for each posting. */
  each(take: (row: number, payload: number) => void): void {
    const block = emptyBlock()
    for (let b = 0; b < this.blocks; b++) {
      this.decode(b, block)
      for (let i = 0; i < block.count; i++) take(block.rows[i] as number, block.payloads[i] as number)
    }
  }

  /** Calls `take` for each of some rows that has the term. @param rows ascending; `i` is the place in it */
  find(rows: ArrayLike<number>, take: (i: number, payload: number) => void): void {
    const own = new Uint32Array(BLOCK_POSTINGS)
    let block = 0
    let decoded = -1
    let near = 0
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      block = this.blockOf(row, block)
      if (block === this.blocks) return
      if (decoded !== block) {
        this.decodeRows((decoded = block), own)
        near = 0
      }
      while ((own[near] as number) < row) near++
      if (own[near] === row) take(i, this.payload(block, near))
    }
  }
}
