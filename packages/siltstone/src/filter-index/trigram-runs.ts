/**
 * Turns pairs of trigram and group, which come by ascending group, into a list of groups for each trigram: in memory as
 * long as they fit, then in sorted runs on the scratch disk that are merged at the end (single-pass in-memory indexing;
 * Heinz & Zobel, JASIST 2003).
 */
import { concatBytes, readUint32, writeUint32 } from '../codec/bytes.ts'
import type { Pending } from '../format/segment/sink.ts'
import type { Scratch, ScratchFile } from '../ports/scratch.ts'
import { eachPosting, PostingBuffer } from './postings.ts'
import { grown, TrigramTable } from './trigram-table.ts'

const CHUNK_BYTES = 1 << 20
/** First two units, third, number of groups, bytes of their list. */
const HEAD_BYTES = 16
/** 8 bytes each, and 4 more while a run is sorted. A little less than a power of two, to which arrays grow. */
const MAX_PAIRS = 4_000_000

/** One trigram of one run. */
export interface TrigramList {
  pair: number
  third: number
  /** Calls `take` for every group, ascending. */
  each(take: (group: number) => void): void
}

export class TrigramRuns {
  readonly #scratch: Scratch
  readonly #maxPairs: number
  readonly #runs: Run[] = []
  #table = new TrigramTable()
  /** Per trigram: the last group that has it, plus 1. */
  #seen = new Uint32Array(1_024)
  #numbers = new Uint32Array(1 << 16)
  #groups = new Uint32Array(1 << 16)
  #count = 0

  constructor(scratch: Scratch, maxPairs = MAX_PAIRS) {
    this.#scratch = scratch
    this.#maxPairs = maxPairs
  }

  get spilledRuns(): number {
    return this.#runs.length
  }

  /** Groups ascend. */
  add(group: number, text: string): Pending {
    let pair = text.charCodeAt(0) * 65_536 + text.charCodeAt(1)
    for (let i = 2; i < text.length; i++) {
      const third = text.charCodeAt(i)
      this.#note(pair, third, group)
      pair = ((pair << 16) | third) >>> 0
    }
    return this.#count >= this.#maxPairs ? this.#spill() : undefined
  }

  #note(pair: number, third: number, group: number): void {
    const number = this.#table.numberOf(pair, third)
    if (number >= this.#seen.length) this.#seen = grown(this.#seen, new Uint32Array(2 * this.#seen.length))
    if (this.#seen[number] === group + 1) return
    this.#seen[number] = group + 1
    if (this.#count === this.#numbers.length) {
      this.#numbers = grown(this.#numbers, new Uint32Array(2 * this.#count))
      this.#groups = grown(this.#groups, new Uint32Array(2 * this.#count))
    }
    this.#numbers[this.#count] = number
    this.#groups[this.#count++] = group
  }

  /** What is in memory, by trigram. */
  *#sorted(): Generator<TrigramList> {
    const table = this.#table
    const ends = new Uint32Array(table.count + 1)
    for (let i = 0; i < this.#count; i++) (ends[(this.#numbers[i] as number) + 1] as number) += 1
    for (let number = 0; number < table.count; number++)
      ends[number + 1] = (ends[number + 1] as number) + (ends[number] as number)
    // Counting sort: stable, so groups stay in order. Afterwards `ends[number]` is where the list of `number` ends.
    const lists = new Uint32Array(this.#count)
    for (let i = 0; i < this.#count; i++) {
      const number = this.#numbers[i] as number
      lists[ends[number] as number] = this.#groups[i] as number
      ends[number] = (ends[number] as number) + 1
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
    const file = await this.#scratch.create()
    this.#runs.push(new Run(file))
    const chunk = new PostingBuffer()
    for (const list of this.#sorted()) {
      const head = chunk.length
      chunk.skip(HEAD_BYTES)
      chunk.begin()
      list.each((group) => chunk.add(group))
      const { bytes, length, count } = chunk
      writeUint32(bytes, head, list.pair)
      writeUint32(bytes, head + 4, list.third)
      writeUint32(bytes, head + 8, count)
      writeUint32(bytes, head + 12, length - head - HEAD_BYTES)
      if (length < CHUNK_BYTES) continue
      await file.append(bytes.subarray(0, length))
      chunk.clear()
    }
    await file.append(chunk.bytes.subarray(0, chunk.length))
    this.#table = new TrigramTable()
    this.#seen.fill(0)
    this.#count = 0
  }

  /** All trigrams, in order, each with its lists: one after another they ascend, and an end may be the next beginning. Once. */
  async *merged(): AsyncGenerator<TrigramList[]> {
    if (this.#runs.length === 0) {
      for (const list of this.#sorted()) yield [list]
      return
    }
    if (this.#count > 0) await this.#spill()
    // The memory of pairs is not needed any more.
    this.#numbers = this.#groups = this.#seen = new Uint32Array(0)
    const heads = await Promise.all(this.#runs.map((run) => run.next()))
    for (;;) {
      let best: TrigramList | undefined
      for (const head of heads) if (head && (!best || compare(head, best) < 0)) best = head
      if (!best) return
      const equal: TrigramList[] = []
      const taken: number[] = []
      for (const [i, head] of heads.entries())
        if (head && compare(head, best) === 0) {
          equal.push(head)
          taken.push(i)
        }
      yield equal
      for (const i of taken) {
        const run = this.#runs[i] as Run
        heads[i] = run.buffered() ?? (await run.next())
      }
    }
  }

  /** Gives the scratch disk back. */
  async close(): Promise<void> {
    await Promise.all(this.#runs.splice(0).map((run) => run.file.discard()))
  }
}

function compare(a: TrigramList, b: TrigramList): number {
  return a.pair - b.pair || a.third - b.third
}

/** Reads a run back, once. A list is valid until the next one is asked for. */
class Run {
  readonly file: ScratchFile
  #chunk = new Uint8Array(0)
  #at = 0
  /** Of the file, read so far. */
  #position = 0

  constructor(file: ScratchFile) {
    this.file = file
  }

  async next(): Promise<TrigramList | undefined> {
    const buffered = this.buffered()
    if (buffered) return buffered
    const left = this.#chunk.subarray(this.#at)
    const rest = this.file.sizeBytes - this.#position
    if (left.length === 0 && rest === 0) return undefined
    const wanted =
      left.length >= HEAD_BYTES ? Math.max(CHUNK_BYTES, HEAD_BYTES + readUint32(left, 12) - left.length) : CHUNK_BYTES
    const more = await this.file.read(this.#position, Math.min(rest, wanted))
    this.#position += more.length
    this.#chunk = concatBytes([left, more])
    this.#at = 0
    return this.next()
  }

  /** The next list when it is in memory: nothing to wait for. */
  buffered(): TrigramList | undefined {
    const chunk = this.#chunk
    const head = this.#at
    if (head + HEAD_BYTES > chunk.length) return undefined
    const start = head + HEAD_BYTES
    const end = start + readUint32(chunk, head + 12)
    if (end > chunk.length) return undefined
    this.#at = end
    return {
      pair: readUint32(chunk, head),
      third: readUint32(chunk, head + 4),
      each: (take) => eachPosting(chunk, start, end, take),
    }
  }
}
