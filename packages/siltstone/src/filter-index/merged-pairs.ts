/** Merges sorted pairs of a value and a row. */
import type { Pairs } from './growing.ts'

/** Pairs by ascending value; of one value, rows may be in any order. */
export type PairSource = AsyncIterable<Pairs>

class Cursor {
  readonly #source: AsyncIterator<Pairs>
  #pairs: Pairs = { values: new Float64Array(0), rows: new Uint32Array(0) }
  #at = 0
  /** Undefined at the end. */
  value: number | undefined

  constructor(source: PairSource) {
    this.#source = source[Symbol.asyncIterator]()
  }

  get row(): number {
    return this.#pairs.rows[this.#at] as number
  }

  /** @returns false: `refill` must be called */
  step(): boolean {
    this.value = this.#pairs.values[++this.#at]
    return this.value !== undefined
  }

  async refill(): Promise<void> {
    this.#at = 0
    do {
      const next = await this.#source.next()
      if (next.done) {
        this.value = undefined
        return
      }
      this.#pairs = next.value
    } while (this.#pairs.values.length === 0)
    this.value = this.#pairs.values[0]
  }
}

/** All different pairs by value, then row, in batches of `size`; the last may be smaller. Memory: the rows of one value. */
export async function* mergedPairs(sources: readonly PairSource[], size: number): AsyncGenerator<Pairs> {
  const cursors = sources.map((source) => new Cursor(source))
  await Promise.all(cursors.map((cursor) => cursor.refill()))
  let rows = new Uint32Array(1_024)
  let out: Pairs = { values: new Float64Array(size), rows: new Uint32Array(size) }
  let filled = 0
  for (;;) {
    let least: number | undefined
    for (const { value } of cursors) if (value !== undefined && (least === undefined || value < least)) least = value
    if (least === undefined) break
    let count = 0
    for (const cursor of cursors)
      while (cursor.value === least) {
        if (count === rows.length) {
          const larger = new Uint32Array(2 * count)
          larger.set(rows)
          rows = larger
        }
        rows[count++] = cursor.row
        if (!cursor.step()) await cursor.refill()
      }
    if (count > 1) rows.subarray(0, count).sort()
    for (let i = 0; i < count; i++) {
      if (i > 0 && rows[i] === rows[i - 1]) continue
      out.values[filled] = least
      out.rows[filled++] = rows[i] as number
      if (filled < size) continue
      yield out
      out = { values: new Float64Array(size), rows: new Uint32Array(size) }
      filled = 0
    }
  }
  if (filled > 0) yield { values: out.values.subarray(0, filled), rows: out.rows.subarray(0, filled) }
}
