/** Walks through a long list: a block is decoded when it is needed first, and kept until the end of the query. */
import { BLOCK_POSTINGS } from '../word-index/layout.ts'
import { placeFrom, type PostingList } from '../word-index/posting-list.ts'
import { boundOf, partsOf } from './list-scoring.ts'
import { givePostingMemory, type PostingMemory, takePostingMemory } from './posting-memory.ts'
import { type Candidates, type RowCursor, windowsIn, WINDOW_ROWS } from './row-cursor.ts'
import type { ListScoring } from './score.ts'
import type { IndexedSource } from './word-state.ts'

export class TermCursor implements RowCursor {
  readonly bounds: Float64Array
  readonly #list: PostingList
  readonly #scoring: ListScoring
  readonly #source: IndexedSource
  readonly #blockBounds: Float64Array
  /** By window: the first block that may have one of its rows. */
  readonly #starts: Uint32Array
  /** Of all postings, filled where blocks are decoded. */
  readonly #memory: PostingMemory
  readonly #rows: Uint32Array
  readonly #parts: Float64Array
  readonly #isDecoded: Uint8Array
  /** Of one block. */
  readonly #payloads = new Uint32Array(BLOCK_POSTINGS)
  #firstRow = 0
  /** The block and the place of the last look-up in the window. */
  #block = 0
  #near = 0

  /** @param segmentRows rows of the segment */
  constructor(list: PostingList, scoring: ListScoring, source: IndexedSource, segmentRows: number) {
    const { blocks } = list
    this.#list = list
    this.#scoring = scoring
    this.#source = source
    this.#memory = takePostingMemory(list.count)
    this.#rows = this.#memory.rows
    this.#parts = this.#memory.parts
    this.#isDecoded = new Uint8Array(blocks)
    const bounds = new Float64Array(blocks)
    for (let block = 0; block < blocks; block++) bounds[block] = boundOf(scoring, list.bound(block))
    this.#blockBounds = bounds
    const windows = windowsIn(segmentRows)
    this.bounds = new Float64Array(windows)
    this.#starts = new Uint32Array(windows)
    let first = 0
    for (let window = 0; window < windows; window++) {
      const start = window * WINDOW_ROWS
      const end = start + WINDOW_ROWS
      while (first < blocks && list.lastRow(first) < start) first++
      this.#starts[window] = first
      let most = -1
      for (let block = first; block < blocks; block++) {
        if ((bounds[block] as number) > most) most = bounds[block] as number
        if (list.lastRow(block) >= end - 1) break
      }
      this.bounds[window] = most
    }
  }

  enter(window: number): void {
    this.#firstRow = window * WINDOW_ROWS
    this.#block = this.#starts[window] as number
    this.#near = this.#block * BLOCK_POSTINGS
  }

  release(): void {
    givePostingMemory(this.#memory)
  }

  /** @returns the place after the block's last posting */
  #decode(block: number): number {
    const start = block * BLOCK_POSTINGS
    const end = Math.min(start + BLOCK_POSTINGS, this.#list.count)
    if (this.#isDecoded[block] === 1) return end
    this.#isDecoded[block] = 1
    this.#list.decodeInto(block, this.#rows, start, this.#payloads, 0)
    partsOf(this.#scoring, this.#source, this.#rows, this.#payloads, start, end, this.#parts)
    return end
  }

  addTo(sums: Float64Array, marks: Uint32Array): number {
    const list = this.#list
    const rows = this.#rows
    const parts = this.#parts
    const start = this.#firstRow
    let read = 0
    for (let block = this.#block; block < list.blocks; block++) {
      const end = this.#decode(block)
      for (let i = placeFrom(rows, start, block * BLOCK_POSTINGS, end); i < end; i++) {
        const at = (rows[i] as number) - start
        if (at >= WINDOW_ROWS) return read
        sums[at] = (sums[at] as number) + (parts[i] as number)
        marks[at >>> 5] = (marks[at >>> 5] as number) | (1 << (at & 31))
        read++
      }
    }
    return read
  }

  select(need: number, into: Candidates): number {
    const list = this.#list
    const rows = this.#rows
    const parts = this.#parts
    const start = this.#firstRow
    const last = start + WINDOW_ROWS - 1
    let count = 0
    let read = 0
    for (let block = this.#block; block < list.blocks; block++) {
      if ((this.#blockBounds[block] as number) >= need) {
        const end = this.#decode(block)
        read += end - block * BLOCK_POSTINGS
        for (let i = placeFrom(rows, start, block * BLOCK_POSTINGS, end); i < end; i++) {
          const part = parts[i] as number
          if (part < need) continue
          const row = rows[i] as number
          if (row > last) break
          into.rows[count] = row
          into.sums[count++] = part
        }
      }
      if (list.lastRow(block) >= last) break
    }
    into.count = count
    return read
  }

  join(candidates: Candidates, need: number): void {
    const list = this.#list
    const rows = this.#rows
    const { rows: wanted, sums, count } = candidates
    const { blocks } = list
    let block = this.#block
    let near = 0
    let end = 0
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = wanted[i] as number
      let sum = sums[i] as number
      if (block < blocks && list.lastRow(block) < row) {
        do block++
        while (block < blocks && list.lastRow(block) < row)
        end = 0
      }
      // What cannot reach `need` with the bound of the block is not worth decoding it.
      if (block < blocks && sum + (this.#blockBounds[block] as number) >= need) {
        if (end === 0) {
          end = this.#decode(block)
          near = placeFrom(rows, row, block * BLOCK_POSTINGS, end)
        } else while ((rows[near] as number) < row) near++
        if (rows[near] === row) sum += this.#parts[near] as number
      }
      if (sum < need) continue
      wanted[kept] = row
      sums[kept++] = sum
    }
    candidates.count = kept
  }

  partOf(row: number): number {
    const list = this.#list
    let block = this.#block
    if (block < list.blocks && list.lastRow(block) < row) {
      do block++
      while (block < list.blocks && list.lastRow(block) < row)
      this.#block = block
      this.#near = block * BLOCK_POSTINGS
    }
    if (block === list.blocks) return Number.NaN
    this.#decode(block)
    const rows = this.#rows
    let near = this.#near
    while ((rows[near] as number) < row) near++
    this.#near = near
    return rows[near] === row ? (this.#parts[near] as number) : Number.NaN
  }
}
