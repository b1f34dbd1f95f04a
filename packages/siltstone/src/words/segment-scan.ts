/**
 * Finds the rows of one segment whose sums may be among the k largest: MaxScore (Turtle & Flood, "Query evaluation:
 * strategies and optimizations", 1995) over windows of rows, with the bounds of blocks (Ding & Suel, "Faster top-k document
 * retrieval using block-max indexes", SIGIR 2011).
 *
 * In each window, terms are split by their bounds there. The *non-essential* ones together cannot lift a row to the k best so
 * far, so a row that has only them is never looked at. The postings of the essential ones are added up, row by row in flat
 * memory; rows that can still reach the k best get the others by look-up. A window whose bounds together are too small
 * is skipped. Where few rows are admitted, these are looked up in all lists instead.
 *
 * Sums here are in 64 bits and in any order, so they differ a little from scores. A row is kept if it is within `margin` of
 * the k best; the caller computes the scores of what is kept.
 */
import type { RowSet } from '../format/row-set.ts'
import type { Pacer } from '../pacer.ts'
import type { BestSums } from './best-sums.ts'
import type { RowCursor } from './row-cursor.ts'

/** Rows; a multiple of 32. */
export const WINDOW = 4_096
/** With fewer admitted rows in a window than this, each is looked up. */
const FEW_ROWS = 64

export interface Kept {
  rows: number[]
  sums: number[]
}

export class SegmentScan {
  readonly #cursors: readonly RowCursor[]
  readonly #admitted: RowSet
  readonly #best: BestSums
  readonly #margin: number
  readonly #canPrune: boolean
  readonly #rare: readonly boolean[]
  readonly #sums = new Float64Array(WINDOW)
  readonly #marks = new Uint32Array(WINDOW / 32)
  readonly #kept: Kept = { rows: [], sums: [] }

  /** @param canPrune false: bounds do not hold, because a weight of the query or of a record is negative */
  constructor(cursors: readonly RowCursor[], admitted: RowSet, best: BestSums, margin: number, canPrune: boolean) {
    this.#cursors = cursors
    this.#admitted = admitted
    this.#best = best
    this.#margin = margin
    this.#canPrune = canPrune
    this.#rare = cursors.map((cursor) => cursor.spread(admitted.rows) > WINDOW)
  }

  async run(pacer: Pacer): Promise<Kept> {
    const { rows } = this.#admitted
    const few = this.#admitted.count() < (rows / WINDOW) * FEW_ROWS
    for (let start = 0; start < rows; start += WINDOW) {
      const due = pacer.spend(this.#window(start, Math.min(rows, start + WINDOW), few))
      if (due) await due
    }
    return this.#kept
  }

  /** What a sum must reach. */
  get #least(): number {
    return this.#best.least - this.#margin
  }

  /** @returns about how many postings it read */
  #window(start: number, end: number, few: boolean): number {
    const words = this.#admitted.bits.subarray(start >>> 5, (end + 31) >>> 5)
    if (few && !words.some((word) => word !== 0)) return 1
    const present: { cursor: RowCursor; bound: number }[] = []
    let total = 0
    for (const [i, cursor] of this.#cursors.entries()) {
      const bound = cursor.enter(start, end, this.#rare[i] as boolean)
      if (bound < 0) continue
      present.push({ cursor, bound })
      total += bound
    }
    if (present.length === 0 || (this.#canPrune && total < this.#least)) return 1
    present.sort((a, b) => a.bound - b.bound)
    const essential = this.#canPrune ? this.#firstEssential(present) : 0
    const admittedFew = few && bitCount(words) <= FEW_ROWS
    if (admittedFew && this.#canPrune) this.#lookUp(present, present.length, start, words)
    else {
      for (let i = essential; i < present.length; i++)
        (present[i] as (typeof present)[number]).cursor.addTo(this.#sums, this.#marks, start, end)
      const marks = this.#marks.subarray(0, words.length)
      for (let w = 0; w < words.length; w++) marks[w] = (marks[w] as number) & (words[w] as number)
      this.#lookUp(present, essential, start, marks)
      this.#sums.fill(0)
      this.#marks.fill(0)
    }
    return end - start
  }

  /** The first term, by ascending bounds, without which a row cannot be among the best. */
  #firstEssential(present: readonly { bound: number }[]): number {
    let sum = 0
    let first = 0
    while (first < present.length) {
      sum += (present[first] as { bound: number }).bound
      if (sum >= this.#least) break
      first++
    }
    return first
  }

  /** Adds the first `missing` terms to the rows of a window that are marked, and keeps those that may be among the best. */
  #lookUp(
    present: readonly { cursor: RowCursor; bound: number }[],
    missing: number,
    start: number,
    marks: Uint32Array,
  ): void {
    const rests = [0]
    for (let i = 0; i < missing; i++) rests.push((rests[i] as number) + (present[i] as { bound: number }).bound)
    // If all terms are looked up, a row may have none.
    const isOpen = missing === present.length
    for (let w = 0; w < marks.length; w++)
      for (let word = marks[w] as number; word !== 0; word &= word - 1) {
        const at = w * 32 + 31 - Math.clz32(word & -word)
        const row = start + at
        let sum = this.#sums[at] as number
        let hasTerm = !isOpen
        let i = missing
        for (; i > 0 && sum + (rests[i] as number) >= this.#least; i--) {
          const part = (present[i - 1] as { cursor: RowCursor }).cursor.partOf(row)
          if (part === undefined) continue
          sum += part
          hasTerm = true
        }
        if (i > 0 || !hasTerm || sum < this.#least) continue
        this.#best.offer(sum)
        this.#kept.rows.push(row)
        this.#kept.sums.push(sum)
      }
  }
}

function bitCount(words: Uint32Array): number {
  let count = 0
  for (const each of words) for (let word = each; word !== 0; word &= word - 1) count++
  return count
}
