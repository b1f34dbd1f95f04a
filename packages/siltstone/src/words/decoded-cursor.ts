/** Walks through a short list, all of whose contributions are computed first, so that its bounds are exact. */
import { BLOCK_POSTINGS } from '../word-index/layout.ts'
import type { PostingList } from '../word-index/posting-list.ts'
import { partsOf } from './list-scoring.ts'
import { addPart, type Candidates, type RowCursor, windowsIn, WINDOW_ROWS } from './row-cursor.ts'
import type { ListScoring } from './score.ts'
import type { IndexedSource } from './word-state.ts'

/** Of one block. */
const payloads = new Uint32Array(BLOCK_POSTINGS)

export class DecodedCursor implements RowCursor {
  readonly bounds: Float64Array
  readonly #rows: Uint32Array
  readonly #parts: Float64Array
  /** By window: the place of its first posting; and the number of postings at the end. */
  readonly #starts: Uint32Array
  #firstRow = 0
  /** Of the window's postings; the first is that of the last look-up. */
  #near = 0
  #end = 0

  /** @param segmentRows rows of the segment */
  constructor(list: PostingList, scoring: ListScoring, source: IndexedSource, segmentRows: number) {
    const { count, blocks } = list
    const rows = new Uint32Array(count)
    const parts = new Float64Array(count)
    for (let block = 0, end = 0; block < blocks; block++) {
      const start = end
      end += list.decodeInto(block, rows, start, payloads, 0)
      partsOf(scoring, source, rows, payloads, start, end, parts)
    }
    const windows = windowsIn(segmentRows)
    const bounds = new Float64Array(windows)
    const starts = new Uint32Array(windows + 1)
    for (let window = 0, i = 0; window < windows; window++) {
      starts[window] = i
      const end = (window + 1) * WINDOW_ROWS
      let most = i < count && (rows[i] as number) < end ? 0 : -1
      for (; i < count && (rows[i] as number) < end; i++) if ((parts[i] as number) > most) most = parts[i] as number
      bounds[window] = most
    }
    starts[windows] = count
    this.#rows = rows
    this.#parts = parts
    this.#starts = starts
    this.bounds = bounds
  }

  enter(window: number): void {
    this.#firstRow = window * WINDOW_ROWS
    this.#near = this.#starts[window] as number
    this.#end = this.#starts[window + 1] as number
  }

  addTo(sums: Float64Array, marks: Uint32Array, need: number): number {
    const rows = this.#rows
    const parts = this.#parts
    const firstRow = this.#firstRow
    const end = this.#end
    for (let i = this.#near; i < end; i++) {
      addPart(sums, marks, (rows[i] as number) - firstRow, parts[i] as number, need)
    }
    return end - this.#near
  }

  select(need: number, into: Candidates): number {
    const rows = this.#rows
    const parts = this.#parts
    const end = this.#end
    let count = 0
    for (let i = this.#near; i < end; i++) {
      const part = parts[i] as number
      if (part < need) continue
      into.rows[count] = rows[i] as number
      into.sums[count++] = part
    }
    into.count = count
    return end - this.#near
  }

  join(candidates: Candidates, need: number): void {
    const { rows: wanted, sums, count } = candidates
    const rows = this.#rows
    const parts = this.#parts
    const end = this.#end
    let near = this.#near
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = wanted[i] as number
      while (near < end && (rows[near] as number) < row) near++
      let sum = sums[i] as number
      if (near < end && rows[near] === row) sum += parts[near] as number
      if (sum < need) continue
      wanted[kept] = row
      sums[kept++] = sum
    }
    candidates.count = kept
  }

  partOf(row: number): number {
    const rows = this.#rows
    const end = this.#end
    let near = this.#near
    while (near < end && (rows[near] as number) < row) near++
    this.#near = near
    return near < end && rows[near] === row ? (this.#parts[near] as number) : Number.NaN
  }
}
