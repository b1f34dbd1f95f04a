import type { RecordRef } from '../log/view.ts'
import type { Selection } from '../query/selection.ts'

/** Records whose metadata are read at once. */
export const SLICE_ROWS = 1_024

/** The selected records, segment by segment, then those that the log changed. */
export function* slicesOf({ rows, changed }: Selection): Generator<RecordRef[]> {
  for (const [segment, set] of rows.entries()) {
    let slice: RecordRef[] = []
    for (const row of set) {
      slice.push({ changed: null, row: { segment, row } })
      if (slice.length < SLICE_ROWS) continue
      yield slice
      slice = []
    }
    if (slice.length > 0) yield slice
  }
  for (let i = 0; i < changed.length; i += SLICE_ROWS)
    yield changed.slice(i, i + SLICE_ROWS).map((record) => ({ changed: record }))
}
