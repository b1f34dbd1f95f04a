/** Walks through one list of a query's term by ascending rows, and bounds what its blocks add to a sum. */
import { BLOCK_POSTINGS, MOST_IN_BOUND } from '../word-index/layout.ts'
import { type Block, emptyBlock, placeFrom, placeOf, type PostingList } from '../word-index/posting-list.ts'
import type { RowCursor } from './row-cursor.ts'
import type { ListScoring } from './score.ts'
import type { IndexedSource } from './word-state.ts'

const bits = new Uint32Array(1)
const float = new Float32Array(bits.buffer)

export class TermCursor implements RowCursor {
  readonly #list: PostingList
  readonly #block: Block = emptyBlock()
  /** Bounds of the contributions of each block; at least 0, since a row may not have the term. */
  readonly #bounds: Float64Array
  readonly #scoring: ListScoring
  readonly #lengths: ArrayLike<number> | undefined
  readonly #weights: Float32Array | undefined
  #decoded = -1
  /** The first block that may have a row of the window, and the one of the last look-up in it. */
  #at = 0
  #near = 0

  constructor(list: PostingList, scoring: ListScoring, { lengths, weights }: IndexedSource) {
    this.#list = list
    this.#scoring = scoring
    this.#lengths = lengths
    this.#weights = weights
    this.#bounds = Float64Array.from({ length: list.blocks }, (_, block) => Math.max(0, this.#bound(list.bound(block))))
  }

  #bound(stored: number): number {
    const scoring = this.#scoring
    if (scoring.kind === 'words') {
      const frequency = stored >>> 16
      const length = stored & MOST_IN_BOUND
      // More occurrences than a bound can say add at most this.
      if (frequency === MOST_IN_BOUND) return scoring.saturation === 1 ? scoring.weight : Number.POSITIVE_INFINITY
      return partOf(scoring, frequency - 1, length)
    }
    bits[0] = stored
    return scoring.weight * (float[0] as number)
  }

  /** Rows of the segment per block, on average: large for a rare term. */
  spread(rows: number): number {
    return (rows * BLOCK_POSTINGS) / this.#list.count
  }

  /** Moves to a window of rows. @returns a bound of what a row of it can get from this term; −1 if no row has it */
  enter(start: number, end: number, isRare: boolean): number {
    const list = this.#list
    const bounds = this.#bounds
    this.#at = this.#near = list.blockOf(start, this.#at)
    let most = -1
    for (let block = this.#at; block < list.blocks; block++) {
      if (block > 0 && list.lastRow(block - 1) + 1 >= end) break
      if ((bounds[block] as number) <= most) continue
      // A block of a rare term covers many windows, and most of them have none of its rows.
      if (isRare && !this.#hasRowIn(block, start, end)) continue
      most = bounds[block] as number
    }
    return most
  }

  #hasRowIn(block: number, start: number, end: number): boolean {
    this.load(block)
    const { rows, count } = this.#block
    const first = placeFrom(this.#block, start)
    return first < count && (rows[first] as number) < end
  }

  load(block: number): void {
    if (this.#decoded === block) return
    this.#list.decode(block, this.#block)
    this.#decoded = block
  }

  /** Adds its contributions to the rows of a window, and marks them. @param sums and @param marks of the window */
  addTo(sums: Float64Array, marks: Uint32Array, start: number, end: number): void {
    const list = this.#list
    const block = this.#block
    for (let b = this.#at; b < list.blocks; b++) {
      if (b > 0 && list.lastRow(b - 1) + 1 >= end) return
      this.load(b)
      if (this.#scoring.kind === 'words') this.#addWords(block, sums, marks, start, end)
      else this.#addWeights(block, sums, marks, start, end)
    }
  }

  #addWords(block: Block, sums: Float64Array, marks: Uint32Array, start: number, end: number): void {
    const scoring = this.#scoring
    if (scoring.kind !== 'words') return
    const lengths = this.#lengths as ArrayLike<number>
    const { weight, saturation, base, perWord } = scoring
    const { rows, payloads, count } = block
    for (let i = placeFrom(block, start); i < count; i++) {
      const row = rows[i] as number
      if (row >= end) return
      const at = row - start
      const frequency = (payloads[i] as number) + 1
      sums[at] =
        (sums[at] as number) +
        (weight * frequency) / (saturation * frequency + base + perWord * ((lengths[row] as number) - 1))
      marks[at >>> 5] = (marks[at >>> 5] as number) | (1 << (at & 31))
    }
  }

  #addWeights(block: Block, sums: Float64Array, marks: Uint32Array, start: number, end: number): void {
    const { weight } = this.#scoring
    const { rows, payloads, count } = block
    for (let i = placeFrom(block, start); i < count; i++) {
      const row = rows[i] as number
      if (row >= end) return
      const at = row - start
      sums[at] = (sums[at] as number) + weight * this.amount(payloads[i] as number)
      marks[at >>> 5] = (marks[at >>> 5] as number) | (1 << (at & 31))
    }
  }

  /** What a payload stands for: a weight, or occurrences less 1. */
  amount(payload: number): number {
    if (this.#scoring.kind === 'words') return payload
    if (this.#weights) return this.#weights[payload] as number
    bits[0] = payload
    return float[0] as number
  }

  /** The contribution to one row of the window; undefined if it does not have the term. Rows must ascend within a window. */
  partOf(row: number): number | undefined {
    const list = this.#list
    while (this.#near < list.blocks && list.lastRow(this.#near) < row) this.#near++
    if (this.#near === list.blocks) return undefined
    this.load(this.#near)
    const place = placeOf(this.#block, row)
    if (place < 0) return undefined
    const payload = this.#block.payloads[place] as number
    const scoring = this.#scoring
    if (scoring.kind === 'words')
      return partOf(scoring, payload, ((this.#lengths as ArrayLike<number>)[row] as number) - 1)
    return scoring.weight * this.amount(payload)
  }
}

function partOf(
  { weight, saturation, base, perWord }: Extract<ListScoring, { kind: 'words' }>,
  repetitions: number,
  length: number,
): number {
  const frequency = repetitions + 1
  return (weight * frequency) / (saturation * frequency + base + perWord * length)
}
