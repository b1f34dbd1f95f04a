/**
 * A segment whose rows a new one takes over. What its indexes say of these rows is merged into those of the new segment, with
 * other row numbers, instead of made again from their texts.
 */
import type { RowSet } from '../row-set.ts'
import type { SegmentReader } from './reader.ts'

/** In a map of rows: the row is not in the new segment. */
export const GONE = 0xffffffff

/** The columns that indexes are made of. */
export type IndexedColumn = 'documents' | 'metadata'

/** Rows of the old segment whose values overlays changed: its indexes do not know these values. */
export type ChangedRows = Partial<Record<IndexedColumn, RowSet>>

export class OldSegment {
  readonly reader: SegmentReader
  readonly #takenRows: number
  readonly #map: Uint32Array
  readonly #changed: ChangedRows
  readonly #maps = new Map<IndexedColumn, Uint32Array>()

  /**
   * @param takenRows how many of its rows are taken over
   * @param map by old row its row in the new segment, or `GONE`; filled by the caller before anybody asks for it
   */
  constructor(reader: SegmentReader, takenRows: number, map: Uint32Array, changed: ChangedRows = {}) {
    this.reader = reader
    this.#takenRows = takenRows
    this.#map = map
    this.#changed = changed
  }

  /** Whether all of its rows are taken over, with their values in the column. */
  isWhole(column: IndexedColumn): boolean {
    return this.#takenRows === this.reader.rows && !this.#changed[column]
  }

  isChanged(column: IndexedColumn, row: number): boolean {
    return this.#changed[column]?.has(row) ?? false
  }

  /**
   * By old row: its row in the new segment, or `GONE` if it is not there or has another value in the column. Call once all rows of
   * the new segment are written.
   */
  rowsOf(column: IndexedColumn): Uint32Array {
    const changed = this.#changed[column]
    if (!changed) return this.#map
    let map = this.#maps.get(column)
    if (!map) {
      map = this.#map.map((row, old) => (changed.has(old) ? GONE : row))
      this.#maps.set(column, map)
    }
    return map
  }

  /** The old rows that the indexes of the new segment must not know of. Call as `rowsOf`. */
  leftOut(column: IndexedColumn): number[] {
    const rows: number[] = []
    const map = this.rowsOf(column)
    for (let row = 0; row < map.length; row++) if (map[row] === GONE) rows.push(row)
    return rows
  }
}

const CHANGED_BITS: Record<IndexedColumn, number> = { documents: 1, metadata: 2 }
const SEGMENT_STEP = 4

/** Where a row of a new segment was, as a number: its segment, by its place in a list, and its columns that overlays changed. */
export function originOf(segments: readonly OldSegment[], segment: number, row: number): number {
  const old = segments[segment] as OldSegment
  let origin = segment * SEGMENT_STEP
  for (const column of ['documents', 'metadata'] as const)
    if (old.isChanged(column, row)) origin += CHANGED_BITS[column]
  return origin
}

/** The place in the list of the segment whose indexes know the row's value in a column; −1: none. */
export function segmentThatKnows(origin: number | undefined, column: IndexedColumn): number {
  if (origin === undefined || (origin & CHANGED_BITS[column]) !== 0) return -1
  return Math.floor(origin / SEGMENT_STEP)
}
