import type { RecordRef } from '../log/view.ts'

/** Tags stand for records: a number for a segment's row, a place in a list for others. */
export class Candidates {
  readonly #starts: number[] = []
  readonly #others: RecordRef[] = []
  #rows = 0

  /** Call once per segment, in order, before `other`. @returns the tag of its row 0 */
  startOf(rows: number): number {
    this.#starts.push(this.#rows)
    this.#rows += rows
    return this.#rows - rows
  }

  other(ref: RecordRef): number {
    this.#others.push(ref)
    return this.#rows + this.#others.length - 1
  }

  ref(tag: number): RecordRef {
    if (tag >= this.#rows) return this.#others[tag - this.#rows] as RecordRef
    return { changed: null, row: this.row(tag) }
  }

  /** The tag of a segment's row 0. */
  tagOf(segment: number): number {
    return this.#starts[segment] as number
  }

  /** Of a tag that stands for a row. */
  row(tag: number): { segment: number; row: number } {
    let segment = this.#starts.length - 1
    while ((this.#starts[segment] as number) > tag) segment--
    return { segment, row: tag - (this.#starts[segment] as number) }
  }
}
