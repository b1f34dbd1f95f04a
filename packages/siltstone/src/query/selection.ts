/** A set of records of a view: rows of each segment, and records that the log changed. */
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { View } from '../log/view.ts'
import type { RowSet } from '../format/row-set.ts'

export interface Selection {
  /** For each segment: the matching live rows that the log did not change. */
  rows: readonly RowSet[]
  /** Number of rows in each set. */
  counts: readonly number[]
  /** The matching live records that the log changed. */
  changed: readonly ChangedRecord[]
}

const known = new WeakMap<View, Selection>()

/** All live records, found once for each view. */
export function everything(view: View): Selection {
  let selection = known.get(view)
  if (!selection) {
    const changed = view.overlay.changedRows()
    const rows = view.base.segments.map((segment, i) => {
      const live = segment.live()
      for (const row of changed.get(i)?.keys() ?? []) live.remove(row)
      return live
    })
    selection = { rows, counts: countsOf(rows), changed: view.overlay.records().filter(({ live }) => live) }
    known.set(view, selection)
  }
  return selection
}

export function countsOf(rows: readonly RowSet[]): number[] {
  return rows.map((one) => one.count())
}
