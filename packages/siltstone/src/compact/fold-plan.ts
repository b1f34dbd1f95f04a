/** What a fold takes and what it has to do, without any I/O. */
import type { KeptEntry } from '../log/entry-vectors.ts'
import type { RefusedInLog } from '../log/applied-log.ts'
import type { Locked } from '../log/collection-state.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { View } from '../log/view.ts'
import type { RowRef } from '../snapshot/base-state.ts'
import type { CommitBase } from '../snapshot/commit-loop.ts'

/** The log above one manifest, as it was when the fold began. */
export interface FoldInput extends CommitBase {
  view: View
  entries: readonly KeptEntry[]
  /** Bytes of the log that it takes. */
  sizeBytes: number
  refused: readonly RefusedInLog[]
  /** The last entry deletes the collection: nothing of it is kept. */
  isClosed: boolean
  /** An entry goes back to an earlier snapshot, on which the view is based. */
  isReset: boolean
}

/** A row of the base, and the record that it held. */
export interface RowOfRecord {
  id: string
  row: RowRef
}

/** Every changed record is in one or two of these. */
export interface FoldPlan {
  /** Records that become rows of a new segment: the log gave them a vector. */
  written: readonly ChangedRecord[]
  /** Rows that are deleted, because their records were removed or are written again. */
  deleted: readonly RowOfRecord[]
  /** Records whose rows stay, with columns that the log changed. */
  overlaid: readonly ChangedRecord[]
}

/** @returns null when there is nothing to fold */
export function foldInput({ log, views }: Locked): FoldInput | null {
  const { manifest, pointer, entries, unfoldedBytes, refused, isClosed, end } = log
  if (manifest.state === 'closed' || end === manifest.watermark) return null
  const isReset = entries.some(({ control }) => control?.kind === 'reset')
  return { pointer, manifest, view: views.sequenced(), entries, sizeBytes: unfoldedBytes, refused, isClosed, isReset }
}

export function planFold({ view, isClosed }: FoldInput): FoldPlan {
  const written: ChangedRecord[] = []
  const deleted: RowOfRecord[] = []
  const overlaid: ChangedRecord[] = []
  for (const record of isClosed ? [] : view.overlay.records()) {
    if (record.columns && record.columns.vector === undefined) {
      overlaid.push(record)
      continue
    }
    if (record.row) deleted.push({ id: record.id, row: record.row })
    if (record.live) written.push(record)
  }
  return { written, deleted, overlaid }
}
