/**
 * Turns postings, which come by ascending row, into a list for each term. As long as they fit, that happens in memory;
 * otherwise sorted runs go to the scratch disk and are merged at the end (single-pass in-memory indexing; Heinz & Zobel,
 * JASIST 2003).
 */
import { concatBytes } from '../codec/bytes.ts'
import type { Scratch } from '../ports/scratch.ts'
import { KeyNumbers } from './key-numbers.ts'
import { type RunItems, SpilledRuns } from '../sort/spilled-runs.ts'

/** What a posting takes in memory, 12 bytes, and what more it takes while a run is sorted. Arrays grow to the next power of two. */
export const POSTING_BYTES = 20

/** The postings of one term. */
export interface TermPostings {
  key: number
  /** Ascending. */
  rows: Uint32Array
  payloads: Uint32Array
}

export class Inverter {
  readonly #runs: SpilledRuns<TermPostings>
  readonly #maxPostings: number
  #numbers = new KeyNumbers()
  /** Of each posting: the number of its term, its row, its payload. */
  #terms = new Uint32Array(1 << 12)
  #rows = new Uint32Array(1 << 12)
  #payloads = new Uint32Array(1 << 12)
  #count = 0

  /** @param maxPostings the most postings in memory */
  constructor(scratch: Scratch, maxPostings: number) {
    this.#runs = new SpilledRuns(scratch, termPostingItems())
    this.#maxPostings = maxPostings
  }

  /** Rows must not descend, and a row has each key once. */
  add(key: number, row: number, payload: number): void {
    this.addNumbered(this.numberOf(key), row, payload)
  }

  /** The number of a term, from 0, until `endRow` returns a promise. */
  numberOf(key: number): number {
    return this.#numbers.of(key)
  }

  addNumbered(number: number, row: number, payload: number): void {
    if (this.#count === this.#terms.length) {
      this.#terms = doubled(this.#terms)
      this.#rows = doubled(this.#rows)
      this.#payloads = doubled(this.#payloads)
    }
    this.#terms[this.#count] = number
    this.#rows[this.#count] = row
    this.#payloads[this.#count++] = payload
  }

  /** Call after each row. If a promise is returned, wait for it before the next call. */
  endRow(): Promise<void> | undefined {
    return this.#count >= this.#maxPostings ? this.#spill() : undefined
  }

  /** The lists in memory, by key. */
  *#sorted(): Generator<TermPostings> {
    const numbers = this.#numbers
    const terms = numbers.count
    const ends = new Uint32Array(terms + 1)
    for (let i = 0; i < this.#count; i++) (ends[(this.#terms[i] as number) + 1] as number) += 1
    for (let number = 0; number < terms; number++)
      ends[number + 1] = (ends[number + 1] as number) + (ends[number] as number)
    // Counting sort: stable, so rows stay in order. After the loop the list of `number` ends at `ends[number]`.
    const rows = new Uint32Array(this.#count)
    const payloads = new Uint32Array(this.#count)
    for (let i = 0; i < this.#count; i++) {
      const number = this.#terms[i] as number
      const place = ends[number] as number
      rows[place] = this.#rows[i] as number
      payloads[place] = this.#payloads[i] as number
      ends[number] = place + 1
    }
    const order = Uint32Array.from({ length: terms }, (_, number) => number)
    order.sort((a, b) => numbers.key(a) - numbers.key(b))
    for (const number of order) {
      const start = number === 0 ? 0 : (ends[number - 1] as number)
      const end = ends[number] as number
      yield { key: numbers.key(number), rows: rows.subarray(start, end), payloads: payloads.subarray(start, end) }
    }
  }

  async #spill(): Promise<void> {
    await this.#runs.add(this.#sorted())
    this.#numbers = new KeyNumbers()
    this.#count = 0
  }

  /** All lists, keys ascending. Call once. */
  async *lists(): AsyncGenerator<TermPostings> {
    if (this.#runs.count === 0) {
      yield* this.#sorted()
      return
    }
    if (this.#count > 0) await this.#spill()
    // Frees the memory of the postings.
    this.#terms = this.#rows = this.#payloads = new Uint32Array(0)
    let equal: TermPostings[] = []
    for await (const batch of this.#runs.merged())
      for (const list of batch) {
        if (equal[0] && equal[0].key !== list.key) {
          yield joined(equal)
          equal = []
        }
        equal.push(list)
      }
    if (equal.length > 0) yield joined(equal)
  }

  /** Frees the scratch disk. */
  close(): Promise<void> {
    return this.#runs.close()
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(2 * array.length)
  larger.set(array)
  return larger
}

function joined(lists: readonly TermPostings[]): TermPostings {
  const [first] = lists as [TermPostings]
  if (lists.length === 1) return first
  const count = lists.reduce((sum, { rows }) => sum + rows.length, 0)
  const rows = new Uint32Array(count)
  const payloads = new Uint32Array(count)
  let at = 0
  for (const list of lists) {
    rows.set(list.rows, at)
    payloads.set(list.payloads, at)
    at += list.rows.length
  }
  return { key: first.key, rows, payloads }
}

/** The key as f64, then rows, then payloads. */
function termPostingItems(): RunItems<TermPostings> {
  const key = new Float64Array(1)
  const keyBytes = new Uint8Array(key.buffer)
  const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array) => new Uint8Array(buffer, byteOffset, byteLength)
  return {
    encode: (list) => {
      key[0] = list.key
      return concatBytes([keyBytes, bytesOf(list.rows), bytesOf(list.payloads)])
    },
    decode: (bytes) => {
      keyBytes.set(bytes.subarray(0, 8))
      const count = (bytes.length - 8) / 8
      // A copy: aligned, whatever the bytes are a view of.
      const words = new Uint32Array(new Uint8Array(bytes.subarray(8)).buffer)
      return { key: key[0] as number, rows: words.subarray(0, count), payloads: words.subarray(count) }
    },
    compare: (a, b) => a.key - b.key,
  }
}
