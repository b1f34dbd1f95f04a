/** Walks through the rows that have a term of a query, by ascending windows of rows. */
export interface RowCursor {
  /** Rows of the segment per block, on average: large for a rare term. */
  spread(rows: number): number
  /** Moves to a window of rows. @returns a bound of what a row of it can get from this term; −1 if no row has it */
  enter(start: number, end: number, isRare: boolean): number
  /** Adds its contributions to the rows of a window, and marks them. @param sums and @param marks of the window */
  addTo(sums: Float64Array, marks: Uint32Array, start: number, end: number): void
  /** The contribution to one row of the window; undefined if it does not have the term. Rows must ascend within a window. */
  partOf(row: number): number | undefined
}
