import type { RowSet } from '../../format/row-set.ts'
import type { Ivf } from '../ivf.ts'

/** A segment to search through its inverted file, and the rows of it that may be answered. */
export interface IndexedSegment {
  ivf: Ivf
  rows: RowSet
  /** Number of rows in `rows`. */
  count: number
  /** The tag of row 0: a row's tag, unique among all segments of the search, is this plus its number. */
  firstTag: number
}

export function isFiltered({ rows, count }: IndexedSegment): boolean {
  return count < rows.rows
}
