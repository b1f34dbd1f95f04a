/** What an index collects while rows stream by: lists of rows, and pairs of a value and a row. */
import type { ScratchFile } from '../ports/scratch.ts'
import { PAIR_BYTES } from './layout.ts'
import { eachPosting, PostingBuffer } from './postings.ts'

/** Ascending rows without duplicates. Most lists take about one byte per row. */
export class GrowingRows {
  readonly #list = new PostingBuffer(16)

  add(row: number): void {
    this.#list.add(row)
  }

  values(): Uint32Array {
    const rows = new Uint32Array(this.#list.count)
    let count = 0
    eachPosting(this.#list.bytes, 0, this.#list.length, (row) => {
      rows[count++] = row
    })
    return rows
  }
}

const CHUNK_PAIRS = 1 << 15
/** Pairs of a run that are read at once. */
const READ_PAIRS = 4_096

export interface Pairs {
  values: Float64Array
  rows: Uint32Array
}

interface SortedRun {
  file: ScratchFile
  offset: number
  pairs: number
}

/**
 * Pairs of a value and a row; rows ascend. They lie in chunks, because growing one array would copy it again and again.
 * Spilled pairs lie in sorted runs on the scratch disk.
 */
export class GrowingPairs {
  readonly #runs: SortedRun[] = []
  #chunks: Pairs[] = []
  #first = emptyPairs(16)
  #spilled = 0
  /** Pairs in memory. */
  held = 0

  get count(): number {
    return this.#spilled + this.held
  }

  add(value: number, row: number): void {
    const { values, rows } = this.#chunkOf(this.held)
    values[this.held % CHUNK_PAIRS] = value
    rows[this.held++ % CHUNK_PAIRS] = row
  }

  #chunkOf(place: number): Pairs {
    // Most keys have few values, so the first chunk starts small and grows.
    if (place < CHUNK_PAIRS) {
      if (place === this.#first.rows.length) {
        const larger = emptyPairs(place * 2)
        larger.values.set(this.#first.values)
        larger.rows.set(this.#first.rows)
        this.#first = larger
      }
      return this.#first
    }
    const at = Math.floor(place / CHUNK_PAIRS) - 1
    const chunk = this.#chunks[at] ?? emptyPairs(CHUNK_PAIRS)
    this.#chunks[at] = chunk
    return chunk
  }

  /** The pairs in memory, sorted by value, then row. */
  #sorted(): Pairs {
    const all = new Float64Array(this.held)
    const order = new Uint32Array(this.held)
    for (let i = 0; i < this.held; i++) {
      all[i] = this.#chunkOf(i).values[i % CHUNK_PAIRS] as number
      order[i] = i
    }
    // Pairs were added by row.
    order.sort((a, b) => (all[a] as number) - (all[b] as number) || a - b)
    return {
      values: Float64Array.from(order, (i) => all[i] as number),
      rows: Uint32Array.from(order, (i) => this.#chunkOf(i).rows[i % CHUNK_PAIRS] as number),
    }
  }

  /** Appends the pairs in memory to a file, as a run. @throws SiltstoneError `unavailable` (`disk-full`, …) */
  async spill(file: ScratchFile): Promise<void> {
    const { values, rows } = this.#sorted()
    const run = { file, offset: file.sizeBytes, pairs: values.length }
    this.#runs.push(run)
    for (let i = 0; i < run.pairs; i += READ_PAIRS) {
      const some = values.subarray(i, i + READ_PAIRS)
      const bytes = new Uint8Array(some.length * PAIR_BYTES)
      new Float64Array(bytes.buffer, 0, some.length).set(some)
      new Uint32Array(bytes.buffer, 8 * some.length, some.length).set(rows.subarray(i, i + READ_PAIRS))
      await file.append(bytes)
    }
    this.#spilled += run.pairs
    this.held = 0
    this.#chunks = []
    this.#first = emptyPairs(16)
  }

  /** All pairs sorted by value, then row, in batches of `size`; the last may be smaller. */
  async *sorted(size: number): AsyncGenerator<Pairs> {
    const last = this.#sorted()
    if (this.#runs.length === 0) {
      for (let i = 0; i < last.values.length; i += size)
        yield { values: last.values.subarray(i, i + size), rows: last.rows.subarray(i, i + size) }
      return
    }
    const cursors = [...this.#runs.map((run) => new Cursor(readRun(run))), new Cursor(only(last))]
    await Promise.all(cursors.map((cursor) => cursor.refill()))
    let out = emptyPairs(size)
    let count = 0
    for (;;) {
      // Of equal values, the earlier run has the smaller rows.
      let best: Cursor | undefined
      for (const cursor of cursors) if (!cursor.isDone && (!best || cursor.value < best.value)) best = cursor
      if (!best) break
      out.values[count] = best.value
      out.rows[count++] = best.row
      if (count === size) {
        yield out
        out = emptyPairs(size)
        count = 0
      }
      if (!best.step()) await best.refill()
    }
    if (count > 0) yield { values: out.values.slice(0, count), rows: out.rows.slice(0, count) }
  }
}

function emptyPairs(count: number): Pairs {
  return { values: new Float64Array(count), rows: new Uint32Array(count) }
}

async function* readRun({ file, offset, pairs }: SortedRun): AsyncGenerator<Pairs> {
  for (let i = 0; i < pairs; i += READ_PAIRS) {
    const count = Math.min(READ_PAIRS, pairs - i)
    const bytes = new Uint8Array(count * PAIR_BYTES)
    await file.read(offset + i * PAIR_BYTES, bytes)
    yield { values: new Float64Array(bytes.buffer, 0, count), rows: new Uint32Array(bytes.buffer, 8 * count, count) }
  }
}

async function* only(pairs: Pairs): AsyncGenerator<Pairs> {
  yield pairs
}

class Cursor {
  readonly #source: AsyncGenerator<Pairs>
  #pairs = emptyPairs(0)
  #at = 0
  isDone = false

  constructor(source: AsyncGenerator<Pairs>) {
    this.#source = source
  }

  get value(): number {
    return this.#pairs.values[this.#at] as number
  }

  get row(): number {
    return this.#pairs.rows[this.#at] as number
  }

  /** @returns false if the cursor must be refilled */
  step(): boolean {
    return ++this.#at < this.#pairs.values.length
  }

  async refill(): Promise<void> {
    const next = await this.#source.next()
    this.#at = 0
    if (!next.done) this.#pairs = next.value
    this.isDone = next.done === true || next.value.values.length === 0
  }
}
