/**
 * Finds the rows of one segment whose sums may be among the k largest: MaxScore (Turtle & Flood, "Query evaluation:
 * strategies and optimizations", 1995) over windows of rows, with the bounds of blocks (Ding & Suel, "Faster top-k document
 * retrieval using block-max indexes", SIGIR 2011).
 *
 * The windows with the largest bounds come first, since their rows raise what a row must reach; a window whose bounds
 * together are too small is skipped. In each window, terms are split by their bounds there. The *non-essential* ones together
 * cannot lift a row to the k best so far, so a row that has only them is never looked at. The contributions of the essential ones
 * are added up in flat memory, the largest bounds first: a row is left out if its first contribution and the bounds of the terms that
 * follow cannot lift it to the k best. The rows that can still reach the k best get those of the others, term by term, and are
 * dropped as soon as they cannot reach them any more. Where few rows are admitted, these are looked up in all lists instead.
 *
 * Sums here are in 64 bits and in any order, so they differ a little from scores. A row is kept if it is within `margin` of
 * the k best; the caller computes the scores of what is kept.
 */
import type { RowSet } from '../format/row-set.ts'
import type { Pacer } from '../pacer.ts'
import type { BestSums } from './best-sums.ts'
import { type Candidates, type RowCursor, windowsIn, WINDOW_ROWS } from './row-cursor.ts'

/** With fewer admitted rows in a window than this, each is looked up. */
const FEW_ROWS = 256
/** Windows are sorted by their bounds into this many classes. */
const CLASSES = 256

/** In no order. */
export interface Kept {
  rows: number[]
  sums: number[]
}

export interface ScanOptions {
  /** The segment's rows that may be found: those in both sets. */
  admitted: RowSet
  visible: RowSet
  /** How many are admitted. */
  admittedRows: number
  best: BestSums
  margin: number
  /** False: bounds do not hold, because a weight of the query or of a record is negative. */
  canPrune: boolean
}

/** What a window needs. A window is scanned without a pause, so one is enough; sums and marks are zero between two windows. */
interface WindowMemory {
  sums: Float64Array
  marks: Uint32Array
  candidates: Candidates
}

let spare: WindowMemory | undefined

function windowMemory(): WindowMemory {
  return {
    sums: new Float64Array(WINDOW_ROWS),
    marks: new Uint32Array(WINDOW_ROWS / 32),
    candidates: { rows: new Uint32Array(WINDOW_ROWS), sums: new Float64Array(WINDOW_ROWS), count: 0 },
  }
}

export class SegmentScan {
  readonly #cursors: readonly RowCursor[]
  readonly #options: ScanOptions
  /** Of each window: the bounds of all terms together; −1: no row has any. */
  readonly #totals: Float64Array
  /** The terms that rows of the window have, by ascending bound there. */
  readonly #present: RowCursor[] = []
  readonly #bounds: Float64Array
  /** By place in `#present`: the bounds of all terms before it together. */
  readonly #rests: Float64Array
  readonly #kept: Kept = { rows: [], sums: [] }

  /** @param cursors at least one */
  constructor(cursors: readonly RowCursor[], options: ScanOptions) {
    this.#cursors = cursors
    this.#options = options
    this.#bounds = new Float64Array(cursors.length)
    this.#rests = new Float64Array(cursors.length + 1)
    this.#totals = totalsOf(cursors)
  }

  async run(pacer: Pacer): Promise<Kept> {
    const { canPrune, admitted, admittedRows } = this.#options
    const few = canPrune && admittedRows < windowsIn(admitted.rows) * FEW_ROWS
    const windows = canPrune ? largestFirst(this.#totals) : this.#totals.keys()
    for (const window of windows) {
      const total = this.#totals[window] as number
      if (total < 0 || (canPrune && total < this.#least)) continue
      const due = pacer.spend((few && this.#scanFew(window)) || this.#scan(window))
      if (due) await due
    }
    return this.#kept
  }

  /** What a sum must reach. */
  get #least(): number {
    return this.#options.best.least - this.#options.margin
  }

  /** @returns about how many postings it read */
  #scan(window: number): number {
    this.#enter(window)
    const { canPrune } = this.#options
    const least = this.#least
    const rests = this.#rests
    const present = this.#present
    const memory = spare ?? windowMemory()
    // An error would leave sums behind: then the memory is not used again.
    spare = undefined
    const { candidates } = memory
    let essential = 0
    if (canPrune) while (essential < present.length && (rests[essential + 1] as number) < least) essential++
    const need = canPrune ? least - (rests[essential] as number) : Number.NEGATIVE_INFINITY
    let read = 1
    if (essential === present.length - 1) read += (present[essential] as RowCursor).select(need, candidates)
    else {
      // The largest bounds first: a row that has none of these needs more from the others.
      for (let i = present.length - 1; i >= essential; i--)
        read += (present[i] as RowCursor).addTo(
          memory.sums,
          memory.marks,
          canPrune ? least - (rests[i] as number) : need,
        )
      collect(memory, need, window * WINDOW_ROWS)
    }
    this.#keepAdmitted(candidates)
    for (let i = essential - 1; i >= 0 && candidates.count > 0; i--) {
      read += candidates.count
      ;(present[i] as RowCursor).join(candidates, least - (rests[i] as number))
    }
    const { rows, sums, count } = candidates
    for (let i = 0; i < count; i++) this.#keep(rows[i] as number, sums[i] as number)
    spare = memory
    return read
  }

  /** Moves all terms that rows of the window have there, and sorts them by their bounds. */
  #enter(window: number): void {
    const present = this.#present
    const bounds = this.#bounds
    present.length = 0
    for (const cursor of this.#cursors) {
      const bound = cursor.bounds[window] as number
      if (bound < 0) continue
      cursor.enter(window)
      let at = present.push(cursor) - 1
      for (; at > 0 && (bounds[at - 1] as number) > bound; at--) {
        present[at] = present[at - 1] as RowCursor
        bounds[at] = bounds[at - 1] as number
      }
      present[at] = cursor
      bounds[at] = bound
    }
    for (let i = 0; i < present.length; i++) this.#rests[i + 1] = (this.#rests[i] as number) + (bounds[i] as number)
  }

  #keepAdmitted(candidates: Candidates): void {
    const { admitted, visible } = this.#options
    const { rows, sums, count } = candidates
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number
      if (!admitted.has(row) || !visible.has(row)) continue
      rows[kept] = row
      sums[kept++] = sums[i] as number
    }
    candidates.count = kept
  }

  #keep(row: number, sum: number): void {
    if (sum < this.#least) return
    this.#options.best.offer(sum)
    this.#kept.rows.push(row)
    this.#kept.sums.push(sum)
  }

  /** Looks up the admitted rows of a window in all lists. @returns 0, with nothing done, if they are not few */
  #scanFew(window: number): number {
    const first = (window * WINDOW_ROWS) / 32
    const { admitted, visible } = this.#options
    const end = Math.min(first + WINDOW_ROWS / 32, visible.bits.length)
    const wanted: number[] = []
    for (let w = first; w < end; w++)
      for (let word = (admitted.bits[w] as number) & (visible.bits[w] as number); word !== 0; word &= word - 1) {
        if (wanted.length === FEW_ROWS) return 0
        wanted.push(w * 32 + 31 - Math.clz32(word & -word))
      }
    if (wanted.length > 0) this.#enter(window)
    for (const row of wanted) this.#lookUp(row)
    return 1 + wanted.length * this.#cursors.length
  }

  #lookUp(row: number): void {
    const least = this.#least
    const present = this.#present
    let sum = 0
    let hasTerm = false
    for (let i = present.length; i > 0; i--) {
      if (sum + (this.#rests[i] as number) < least) return
      const part = (present[i - 1] as RowCursor).partOf(row)
      if (Number.isNaN(part)) continue
      sum += part
      hasTerm = true
    }
    if (hasTerm) this.#keep(row, sum)
  }
}

/** Makes candidates of the marked rows whose sums are at least `need`. Leaves no sums and no marks. */
function collect({ sums, marks, candidates }: WindowMemory, need: number, firstRow: number): void {
  const { rows, sums: found } = candidates
  let count = 0
  for (let w = 0; w < marks.length; w++) {
    let word = marks[w] as number
    if (word === 0) continue
    marks[w] = 0
    do {
      const at = w * 32 + 31 - Math.clz32(word & -word)
      const sum = sums[at] as number
      sums[at] = 0
      if (sum >= need) {
        rows[count] = firstRow + at
        found[count++] = sum
      }
      word &= word - 1
    } while (word !== 0)
  }
  candidates.count = count
}

function totalsOf(cursors: readonly RowCursor[]): Float64Array {
  const totals = new Float64Array(cursors[0]?.bounds.length ?? 0).fill(-1)
  for (const { bounds } of cursors)
    for (let window = 0; window < totals.length; window++) {
      const bound = bounds[window] as number
      if (bound >= 0) totals[window] = Math.max(0, totals[window] as number) + bound
    }
  return totals
}

/** Windows by descending bounds, roughly: a counting sort by classes of bounds. */
function largestFirst(totals: Float64Array): Uint32Array {
  let most = 0
  for (const total of totals) if (total > most) most = total
  const classOf = (total: number): number =>
    total > 0 && most < Number.POSITIVE_INFINITY
      ? CLASSES - 1 - Math.floor(((CLASSES - 1) * total) / most)
      : CLASSES - 1
  const ends = new Uint32Array(CLASSES + 1)
  for (const total of totals) (ends[classOf(total) + 1] as number) += 1
  for (let i = 0; i < CLASSES; i++) ends[i + 1] = (ends[i + 1] as number) + (ends[i] as number)
  const windows = new Uint32Array(totals.length)
  for (let window = 0; window < totals.length; window++) {
    const own = classOf(totals[window] as number)
    const place = ends[own] as number
    windows[place] = window
    ends[own] = place + 1
  }
  return windows
}
