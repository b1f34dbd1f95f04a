/** The lists of one term in several fields as one: see BM25F in `score.ts`. */
import { addPart, type Candidates, type RowCursor, WINDOW_ROWS } from './row-cursor.ts'

export class FieldsCursor implements RowCursor {
  readonly bounds: Float64Array
  readonly #fields: readonly RowCursor[]
  readonly #together: (sum: number) => number
  readonly #sums = new Float64Array(WINDOW_ROWS)
  readonly #marks = new Uint32Array(WINDOW_ROWS / 32)

  #firstRow = 0

  /** @param together what a sum over the fields adds to the score; it grows with the sum, also to infinity */
  constructor(fields: readonly RowCursor[], together: (sum: number) => number) {
    this.#fields = fields
    this.#together = together
    this.bounds = new Float64Array(fields[0]?.bounds.length ?? 0)
    for (let window = 0; window < this.bounds.length; window++) {
      let sum = -1
      for (const { bounds } of fields) {
        const bound = bounds[window] as number
        if (bound >= 0) sum = Math.max(0, sum) + bound
      }
      this.bounds[window] = sum < 0 ? -1 : together(sum)
    }
  }

  enter(window: number): void {
    this.#firstRow = window * WINDOW_ROWS
    for (const field of this.#fields) field.enter(window)
  }

  addTo(sums: Float64Array, marks: Uint32Array, need: number): number {
    return this.#eachSum((at, sum) => addPart(sums, marks, at, sum, need))
  }

  select(need: number, into: Candidates): number {
    into.count = 0
    return this.#eachSum((at, sum) => {
      if (sum < need) return
      into.rows[into.count] = this.#firstRow + at
      into.sums[into.count++] = sum
    })
  }

  /** Calls `take` with each row of the window that has the term, by ascending place in it. @returns postings that it read */
  #eachSum(take: (at: number, sum: number) => void): number {
    const sums = this.#sums
    const marks = this.#marks
    let read = 0
    for (const field of this.#fields) read += field.addTo(sums, marks, Number.NEGATIVE_INFINITY)
    for (let w = 0; w < marks.length; w++) {
      for (let word = marks[w] as number; word !== 0; word &= word - 1) {
        const at = w * 32 + 31 - Math.clz32(word & -word)
        take(at, this.#together(sums[at] as number))
        sums[at] = 0
      }
      marks[w] = 0
    }
    return read
  }

  join(candidates: Candidates, need: number): void {
    const { rows, sums, count } = candidates
    let kept = 0
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number
      const part = this.partOf(row)
      const sum = (sums[i] as number) + (Number.isNaN(part) ? 0 : part)
      if (sum < need) continue
      rows[kept] = row
      sums[kept++] = sum
    }
    candidates.count = kept
  }

  partOf(row: number): number {
    let sum = Number.NaN
    for (const field of this.#fields) {
      const part = field.partOf(row)
      if (!Number.isNaN(part)) sum = Number.isNaN(sum) ? part : sum + part
    }
    return Number.isNaN(sum) ? sum : this.#together(sum)
  }
}
