/** The lists of one term in several fields as one: see BM25F in `score.ts`. */
import type { RowCursor } from './row-cursor.ts'
import { WINDOW } from './segment-scan.ts'

export class FieldsCursor implements RowCursor {
  readonly #fields: readonly RowCursor[]
  readonly #together: (sum: number) => number
  readonly #sums = new Float64Array(WINDOW)
  readonly #marks = new Uint32Array(WINDOW / 32)

  /** @param together what a sum over the fields adds to the score; it grows with the sum, also to infinity */
  constructor(fields: readonly RowCursor[], together: (sum: number) => number) {
    this.#fields = fields
    this.#together = together
  }

  spread(rows: number): number {
    return Math.min(...this.#fields.map((field) => field.spread(rows)))
  }

  enter(start: number, end: number, isRare: boolean): number {
    let sum = 0
    let isThere = false
    for (const field of this.#fields) {
      const bound = field.enter(start, end, isRare)
      if (bound < 0) continue
      isThere = true
      sum += bound
    }
    return isThere ? this.#together(sum) : -1
  }

  addTo(sums: Float64Array, marks: Uint32Array, start: number, end: number): void {
    for (const field of this.#fields) field.addTo(this.#sums, this.#marks, start, end)
    for (let w = 0; w < this.#marks.length; w++) {
      const own = this.#marks[w] as number
      if (own === 0) continue
      marks[w] = (marks[w] as number) | own
      for (let word = own; word !== 0; word &= word - 1) {
        const at = w * 32 + 31 - Math.clz32(word & -word)
        sums[at] = (sums[at] as number) + this.#together(this.#sums[at] as number)
        this.#sums[at] = 0
      }
      this.#marks[w] = 0
    }
  }

  partOf(row: number): number | undefined {
    let sum: number | undefined
    for (const field of this.#fields) {
      const part = field.partOf(row)
      if (part !== undefined) sum = (sum ?? 0) + part
    }
    return sum === undefined ? undefined : this.#together(sum)
  }
}
