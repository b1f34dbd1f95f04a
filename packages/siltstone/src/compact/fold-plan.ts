/** What a fold takes and what it has to do, without any I/O. */
import type { AppliedEntry, RefusedInLog } from '../log/applied-log.ts'
import type { KeptEntry } from '../log/entry-vectors.ts'
import type { Locked } from '../log/collection-state.ts'
import type { ChangedRecord, LogOverlayView } from '../log/log-overlay.ts'
import type { View } from '../log/view.ts'
import type { RecordChange } from '../records/apply.ts'
import type { RowRef } from '../snapshot/base-state.ts'
import type { CommitBase } from '../snapshot/commit-loop.ts'

/** Some entries of the log above one manifest, as it was when the fold began. */
export interface FoldInput extends CommitBase {
  /** As the last of the entries left it. */
  view: View
  /**
   * The state before the first entry, which other folds will have made when this one commits. Null: that of the manifest, so the
   * entries are the first above its watermark.
   */
  before: LogOverlayView | null
  entries: readonly KeptEntry[]
  /** Number of the first entry. */
  first: number
  /** Bytes of these entries. */
  sizeBytes: number
  refused: readonly RefusedInLog[]
  /** The last entry deletes the collection: nothing of it is kept. */
  isClosed: boolean
  /** An entry goes back to an earlier snapshot, on which the view is based. */
  isReset: boolean
}

/** A row of the base, and the record that it held. Null: another fold makes the row, or may move the record to another one. */
export interface RowOfRecord {
  id: string
  row: RowRef | null
}

/** A record whose row stays, and the columns that the entries changed. */
export interface Overlaid {
  record: ChangedRecord
  columns: Partial<RecordChange>
}

/** Every changed record is in one or two of these. */
export interface FoldPlan {
  /** Records that become rows of a new segment: the log gave them a vector. */
  written: readonly ChangedRecord[]
  /** Rows that are deleted, because their records were removed or are written again. */
  deleted: readonly RowOfRecord[]
  overlaid: readonly Overlaid[]
}

/** Which entries a fold takes. */
export interface FoldRange {
  /** Default: the first above the watermark. */
  first?: number
  /** The last that it may take. Default: the last that is applied. */
  last?: number
  /** So many bytes of entries, about. Default: all that are applied. */
  bytes?: number
}

/** @returns null when there is nothing to fold */
export function foldInput(
  { log, views }: Locked,
  { first, last: most = Infinity, bytes = Infinity }: FoldRange = {},
): FoldInput | null {
  const { manifest, pointer, refused } = log
  const from = first ?? manifest.watermark + 1
  const taken: AppliedEntry[] = []
  let sizeBytes = 0
  for (const one of log.applied) {
    if (one.entry.number < from) continue
    if (sizeBytes >= bytes || one.entry.number > most) break
    taken.push(one)
    sizeBytes += one.sizeBytes
  }
  const last = taken.at(-1)?.entry.number
  const view = last === undefined ? undefined : views.upTo(last)
  if (manifest.state === 'closed' || !view) return null
  const entries = taken.map(({ entry }) => entry)
  return {
    pointer,
    manifest,
    view,
    before: log.applied.find(({ entry }) => entry.number === from - 1)?.after ?? null,
    entries,
    first: from,
    sizeBytes,
    refused: refused.filter(({ entry }) => entry >= from && entry <= view.version),
    isClosed: entries.some(({ control }) => control?.kind === 'closed'),
    isReset: entries.some(({ control }) => control?.kind === 'reset'),
  }
}

export function planFold({ view, before, isClosed }: Pick<FoldInput, 'view' | 'before' | 'isClosed'>): FoldPlan {
  const written: ChangedRecord[] = []
  const deleted: RowOfRecord[] = []
  const overlaid: Overlaid[] = []
  for (const record of isClosed ? [] : view.overlay.records()) {
    // step: record-before-the-range
    const earlier = before?.get(record.id)
    if (record === earlier) continue
    const columns = earlier ? changedSince(earlier, record) : record.columns
    if (columns && columns.vector === undefined) {
      overlaid.push({ record, columns })
      continue
    }
    if (earlier ? earlier.live : record.row) deleted.push({ id: record.id, row: before ? null : record.row })
    if (record.live) written.push(record)
  }
  return { written, deleted, overlaid }
}

/**
 * What changed of a record that another fold writes, changes or removes.
 * @returns undefined when it does not keep the row that it has after that fold
 */
function changedSince(earlier: ChangedRecord, { columns, ordinal }: ChangedRecord): Partial<RecordChange> | undefined {
  const from = earlier.columns
  // A record that was removed and inserted again has another place in the order.
  if (!columns || !from || ordinal !== earlier.ordinal || columns.vector !== from.vector) return undefined
  return {
    ...(columns.document !== from.document && { document: columns.document }),
    ...(columns.metadata !== from.metadata && { metadata: columns.metadata }),
    ...(columns.uri !== from.uri && { uri: columns.uri }),
  }
}
