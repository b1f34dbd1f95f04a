/**
 * Walks through a long list and decodes what each window needs: whole blocks where contributions are added up, the rows alone
 * where single rows are looked up. Nothing is kept from window to window.
 */
import { firstWhere } from '../binary-search.ts'
import { BLOCK_POSTINGS } from '../word-index/layout.ts'
import { emptyBlock, type PostingList } from '../word-index/posting-list.ts'
import { boundOf, partAt, partsOf } from './list-scoring.ts'
import { addPart, type Candidates, type RowCursor, windowsIn, WINDOW_ROWS } from './row-cursor.ts'
import type { ListScoring } from './score.ts'
import type { IndexedSource } from './word-state.ts'

/** Of the block that was decoded last, whatever cursor did it: a block is used before the next one is decoded. */
const decoded = emptyBlock()
const parts = new Float64Array(BLOCK_POSTINGS)

export class TermCursor implements RowCursor {
  readonly bounds: Float64Array
  readonly #list: PostingList
  readonly #scoring: ListScoring
  readonly #source: IndexedSource
  readonly #blockBounds: Float64Array
  /** By window: the first block that may have one of its rows. */
  readonly #starts: Uint32Array
  #firstRow = 0
  /** Of the last look-up in the window: the block, its rows if they are decoded, and the place among them. */
  #block = 0
  #rows: Uint32Array | undefined
  #decodedBlock = -1
  #near = 0

  /** @param segmentRows rows of the segment */
  constructor(list: PostingList, scoring: ListScoring, source: IndexedSource, segmentRows: number) {
    const { blocks } = list
    this.#list = list
    this.#scoring = scoring
    this.#source = source
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
    this.#near = 0
  }

  /** Decodes a block and computes what its postings add. @returns the place of the first one in the window */
  #decode(block: number): number {
    this.#list.decode(block, decoded)
    partsOf(this.#scoring, this.#source, decoded.rows, decoded.payloads, 0, decoded.count, parts)
    const { rows, count } = decoded
    const start = this.#firstRow
    return (rows[0] as number) >= start ? 0 : firstWhere(count, (i) => (rows[i] as number) >= start)
  }

  addTo(sums: Float64Array, marks: Uint32Array, need: number): number {
    const list = this.#list
    const start = this.#firstRow
    const { rows } = decoded
    let read = 0
    for (let block = this.#block; block < list.blocks; block++) {
      const first = this.#decode(block)
      const { count } = decoded
      for (let i = first; i < count; i++) {
        const at = (rows[i] as number) - start
        if (at >= WINDOW_ROWS) return read
        read++
        addPart(sums, marks, at, parts[i] as number, need)
      }
    }
    return read
  }

  select(need: number, into: Candidates): number {
    const list = this.#list
    const last = this.#firstRow + WINDOW_ROWS - 1
    const { rows } = decoded
    let selected = 0
    let read = 0
    for (let block = this.#block; block < list.blocks; block++) {
      if ((this.#blockBounds[block] as number) >= need) {
        const first = this.#decode(block)
        const { count } = decoded
        read += count
        for (let i = first; i < count; i++) {
          const part = parts[i] as number
          if (part < need) continue
          const row = rows[i] as number
          if (row > last) break
          into.rows[selected] = row
          into.sums[selected++] = part
        }
      }
      if (list.lastRow(block) >= last) break
    }
    into.count = selected
    return read
  }

  join(candidates: Candidates, need: number): void {
    const list = this.#list
    const { blocks } = list
    const { rows: wanted, sums, count } = candidates
    const { rows } = decoded
    let block = this.#block - 1
    let last = -1
    let bound = 0
    let isDecoded = false
    let near = 0
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = wanted[i] as number
      if (row > last) {
        do block++
        while (block < blocks && list.lastRow(block) < row)
        last = block < blocks ? list.lastRow(block) : Number.POSITIVE_INFINITY
        bound = block < blocks ? (this.#blockBounds[block] as number) : Number.NEGATIVE_INFINITY
        isDecoded = false
      }
      let sum = sums[i] as number
      // What cannot reach `need` with the bound of the block is not worth decoding it.
      if (sum + bound >= need) {
        // All of its rows, since a block has many candidates as a rule; payloads only where one is found.
        if (!isDecoded) {
          list.decodeRows(block, rows)
          isDecoded = true
          near = 0
        }
        while ((rows[near] as number) < row) near++
        if (rows[near] === row) sum += partAt(this.#scoring, this.#source, row, list.payload(block, near))
      }
      if (sum < need) continue
      wanted[kept] = row
      sums[kept++] = sum
    }
    candidates.count = kept
  }

  partOf(row: number): number {
    const list = this.#list
    const block = list.blockOf(row, this.#block)
    if (block !== this.#block) this.#near = 0
    this.#block = block
    if (block === list.blocks) return Number.NaN
    const rows = (this.#rows ??= new Uint32Array(BLOCK_POSTINGS))
    if (block !== this.#decodedBlock) list.decodeRows((this.#decodedBlock = block), rows)
    while ((rows[this.#near] as number) < row) this.#near++
    if (rows[this.#near] !== row) return Number.NaN
    return partAt(this.#scoring, this.#source, row, list.payload(block, this.#near))
  }
}
