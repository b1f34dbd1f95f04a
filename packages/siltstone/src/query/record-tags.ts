import type { RecordRef } from '../log/view.ts'

/** Numbers for the records that a search ranks: the rows of all segments first, then other records as they come. */
export class RecordTags {
  readonly #firstTags: number[] = []
  readonly #others: RecordRef[] = []
  #rows = 0

  /** Call for each segment in order, before `addRecord`. @returns the tag of its row 0 */
  addSegment(rows: number): number {
    this.#firstTags.push(this.#rows)
    this.#rows += rows
    return this.#rows - rows
  }

  /** @returns its tag */
  addRecord(ref: RecordRef): number {
    this.#others.push(ref)
    return this.#rows + this.#others.length - 1
  }

  ref(tag: number): RecordRef {
    if (tag >= this.#rows) return this.#others[tag - this.#rows] as RecordRef
    const segment = this.#segmentOf(tag)
    return { changed: null, row: { segment, row: tag - (this.#firstTags[segment] as number) } }
  }

  /** The rows that some tags stand for: of each segment, ascending. */
  bySegment(tags: readonly number[]): { segment: number; firstTag: number; rows: number[] }[] {
    const rowsOf = new Map<number, number[]>()
    for (const tag of tags) {
      const segment = this.#segmentOf(tag)
      const row = tag - (this.#firstTags[segment] as number)
      const rows = rowsOf.get(segment)
      if (rows) rows.push(row)
      else rowsOf.set(segment, [row])
    }
    const found: { segment: number; firstTag: number; rows: number[] }[] = []
    for (const [segment, rows] of rowsOf)
      found.push({ segment, firstTag: this.#firstTags[segment] as number, rows: rows.sort((a, b) => a - b) })
    return found
  }

  #segmentOf(tag: number): number {
    let segment = this.#firstTags.length - 1
    while ((this.#firstTags[segment] as number) > tag) segment--
    return segment
  }
}
