/**
 * Turns pairs of trigram and group, which come by ascending group, into a list of groups for each trigram. As long as the
 * pairs fit, that happens in memory; otherwise sorted runs go to the scratch disk and are merged at the end (single-pass
 * in-memory indexing; Heinz & Zobel, JASIST 2003).
 */
import { readUint32, writeUint32 } from '../codec/bytes.ts'
import type { Pending } from '../format/segment/sink.ts'
import type { Scratch } from '../ports/scratch.ts'
import { type RunItems, SpilledRuns } from '../sort/spilled-runs.ts'
import { eachPosting, PostingBuffer } from './postings.ts'
import { grown, TrigramTable } from './trigram-table.ts'

/** What a pair takes in memory, 4 bytes, and what more it takes while a run is sorted. */
export const TRIGRAM_PAIR_BYTES = 8
const MAX_PAIRS = 4_000_000
/** Pairs are kept in chunks, because an array that grows is copied again and again. */
const CHUNK_BITS = 16
const CHUNK_PAIRS = 1 << CHUNK_BITS
const ASCII_PAIRS = 1 << 17
const ASCII_BITS = 7
const ASCII_TRIGRAMS = 1 << (3 * ASCII_BITS)
/** In two code units as one word: the bits that ASCII does not have. */
const NOT_ASCII = 0xff80ff80 | 0

/** The groups of one trigram in one run. */
export interface TrigramList {
  /** The first two UTF-16 code units, the first in the upper 16 bits. */
  pair: number
  /** The third code unit. */
  third: number
  /** Calls `take` for each group, ascending. */
  each(take: (group: number) => void): void
}

export class TrigramRuns {
  readonly #runs: SpilledRuns<TrigramList>
  readonly #maxPairs: number
  readonly #asciiPairs: number
  #table = new TrigramTable()
  /** For each trigram of the table that is not of ASCII: the last group that has it, plus 1. */
  #seen = new Uint32Array(1_024)
  /**
   * Most trigrams are of ASCII, and are found without a hash, once there are enough to be worth 16 MB. For each of these: the last
   * group that has it, plus 1, and its number in the table, plus 1.
   */
  #ascii: { seen: Uint32Array; numbers: Uint32Array } | undefined
  /** The trigram of each pair. */
  #numbers: Uint32Array[] = []
  #count = 0
  /** The groups of the pairs, ascending, and for each the number of pairs before its first. */
  #groups: number[] = []
  #firsts: number[] = []

  /** @param asciiPairs from this many pairs on, trigrams of ASCII are found without a hash */
  constructor(scratch: Scratch, maxPairs = MAX_PAIRS, asciiPairs = ASCII_PAIRS) {
    this.#asciiPairs = asciiPairs
    this.#runs = new SpilledRuns(scratch, trigramItems())
    this.#maxPairs = maxPairs
  }

  /** @param group not smaller than that of the call before */
  add(group: number, text: string): Pending {
    if (this.#groups.at(-1) !== group) {
      this.#groups.push(group)
      this.#firsts.push(this.#count)
      // Not within a group: each of the two ways knows its own trigrams of the group.
      if (this.#count >= this.#asciiPairs)
        this.#ascii ??= { seen: new Uint32Array(ASCII_TRIGRAMS), numbers: new Uint32Array(ASCII_TRIGRAMS) }
    }
    const ascii = this.#ascii
    let pair = text.charCodeAt(0) * 65_536 + text.charCodeAt(1)
    // The last units, 7 bits each; meaningful if they are ASCII.
    let place = (pair >>> 9) | (pair & 127)
    for (let i = 2; i < text.length; i++) {
      const third = text.charCodeAt(i)
      place = ((place << ASCII_BITS) | third) & (ASCII_TRIGRAMS - 1)
      if (!ascii || ((pair | third) & NOT_ASCII) !== 0) this.#note(pair >>> 0, third, group)
      else if (ascii.seen[place] !== group + 1) {
        ascii.seen[place] = group + 1
        let number = ascii.numbers[place] as number
        if (number === 0) ascii.numbers[place] = number = this.#table.numberOf(pair >>> 0, third) + 1
        this.#push(number - 1)
      }
      pair = (pair << 16) | third
    }
    return this.#count >= this.#maxPairs ? this.#spill() : undefined
  }

  #note(pair: number, third: number, group: number): void {
    const number = this.#table.numberOf(pair, third)
    if (number >= this.#seen.length) this.#seen = grown(this.#seen, new Uint32Array(2 * number))
    if (this.#seen[number] === group + 1) return
    this.#seen[number] = group + 1
    this.#push(number)
  }

  #push(number: number): void {
    const place = this.#count & (CHUNK_PAIRS - 1)
    if (place === 0) this.#numbers[this.#count >>> CHUNK_BITS] ??= new Uint32Array(CHUNK_PAIRS)
    const chunk = this.#numbers[this.#count >>> CHUNK_BITS] as Uint32Array
    chunk[place] = number
    this.#count++
  }

  /** The lists in memory, by trigram. */
  *#sorted(): Generator<TrigramList> {
    const table = this.#table
    const ends = new Uint32Array(table.count + 1)
    for (let start = 0; start < this.#count; start += CHUNK_PAIRS) {
      const chunk = this.#numbers[start >>> CHUNK_BITS] as Uint32Array
      const pairs = Math.min(CHUNK_PAIRS, this.#count - start)
      for (let i = 0; i < pairs; i++) {
        const next = (chunk[i] as number) + 1
        ends[next] = (ends[next] as number) + 1
      }
    }
    for (let number = 0; number < table.count; number++)
      ends[number + 1] = (ends[number + 1] as number) + (ends[number] as number)
    // Counting sort: stable, so groups stay in order. After the loop the list of `number` ends at `ends[number]`.
    const lists = new Uint32Array(this.#count)
    for (let g = 0; g < this.#groups.length; g++) {
      const group = this.#groups[g] as number
      const end = this.#firsts[g + 1] ?? this.#count
      for (let i = this.#firsts[g] as number; i < end; i++) {
        const number = (this.#numbers[i >>> CHUNK_BITS] as Uint32Array)[i & (CHUNK_PAIRS - 1)] as number
        const at = ends[number] as number
        lists[at] = group
        ends[number] = at + 1
      }
    }
    for (const number of table.sorted()) {
      const start = number === 0 ? 0 : (ends[number - 1] as number)
      const list = lists.subarray(start, ends[number])
      yield {
        pair: table.pairs[number] as number,
        third: table.thirds[number] as number,
        each: (take) => {
          for (let i = 0; i < list.length; i++) take(list[i] as number)
        },
      }
    }
  }

  async #spill(): Promise<void> {
    await this.#runs.add(this.#sorted())
    this.#table = new TrigramTable()
    this.#seen.fill(0)
    this.#ascii?.seen.fill(0)
    this.#ascii?.numbers.fill(0)
    this.#count = 0
    this.#groups = []
    this.#firsts = []
  }

  /**
   * The lists of each trigram, trigrams ascending. Each list continues the one before it; its first group may be the last
   * of that list. Call once.
   */
  async *merged(): AsyncGenerator<TrigramList[]> {
    if (this.#runs.count === 0) {
      for (const list of this.#sorted()) yield [list]
      return
    }
    if (this.#count > 0) await this.#spill()
    // Frees the memory of the pairs.
    this.#numbers = []
    this.#seen = new Uint32Array(0)
    this.#ascii = undefined
    let equal: TrigramList[] = []
    for await (const batch of this.#runs.merged())
      for (const list of batch) {
        if (equal[0] && compare(equal[0], list) !== 0) {
          yield equal
          equal = []
        }
        equal.push(list)
      }
    if (equal.length > 0) yield equal
  }

  /** Frees the scratch disk. */
  close(): Promise<void> {
    return this.#runs.close()
  }
}

function compare(a: TrigramList, b: TrigramList): number {
  return a.pair - b.pair || a.third - b.third
}

/** Pair and third code unit, 4 bytes each, then the list. */
const HEAD_BYTES = 8

function trigramItems(): RunItems<TrigramList> {
  const buffer = new PostingBuffer()
  return {
    encode: (list) => {
      buffer.clear()
      buffer.skip(HEAD_BYTES)
      list.each((group) => buffer.add(group))
      writeUint32(buffer.bytes, 0, list.pair)
      writeUint32(buffer.bytes, 4, list.third)
      return buffer.bytes.subarray(0, buffer.length)
    },
    decode: (bytes) => ({
      pair: readUint32(bytes, 0),
      third: readUint32(bytes, 4),
      each: (take) => void eachPosting(bytes, HEAD_BYTES, bytes.length, take),
    }),
    compare,
  }
}
