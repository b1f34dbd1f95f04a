/** Walks through the rows that have a term of a query, by windows of rows, which may be entered in any order. */

/** Rows of a window: a power of two, and a multiple of 32. */
export const WINDOW_ROWS = 1 << 14

/** How many windows a segment has. */
export function windowsIn(rows: number): number {
  return Math.ceil(rows / WINDOW_ROWS)
}

/** Rows of a window, ascending, that may be among the best, and the sums of what they have so far. */
export interface Candidates {
  readonly rows: Uint32Array
  readonly sums: Float64Array
  /** Of both. */
  count: number
}

export interface RowCursor {
  /** By window: a bound of what one of its rows can get from this term, at least 0; −1 if no row has it. */
  readonly bounds: Float64Array
  /** Moves to a window. */
  enter(window: number): void
  /**
   * Adds its contributions to the rows of the window that are marked. Marks others whose contribution is at least `need`.
   * @param sums and @param marks of the window; sums of rows that are not marked are 0
   * @returns postings that it read
   */
  addTo(sums: Float64Array, marks: Uint32Array, need: number): number
  /** Replaces the candidates by the rows whose contribution is at least `need`. @returns postings that it read */
  select(need: number, into: Candidates): number
  /** Adds its contributions to candidates, and drops those whose sum is below `need`. */
  join(candidates: Candidates, need: number): void
  /** The contribution to one row of the window; NaN if it does not have the term. Rows must ascend within a window. */
  partOf(row: number): number
}

/** Adds a contribution to one row of a window, as `RowCursor.addTo` says. @param at its place in the window */
export function addPart(sums: Float64Array, marks: Uint32Array, at: number, part: number, need: number): void {
  const word = marks[at >>> 5] as number
  const bit = 1 << (at & 31)
  if ((word & bit) !== 0) sums[at] = (sums[at] as number) + part
  else if (part >= need) {
    sums[at] = part
    marks[at >>> 5] = word | bit
  }
}
