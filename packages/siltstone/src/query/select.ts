/**
 * Finds the records that a filter admits: a set of rows for each segment of the snapshot, and a list of the records that
 * the log changed. A changed record is tested as it is now, so its row in the snapshot is never in a set.
 */
import { Pacer, type Pause } from '../pacer.ts'
import { type FilterTest, columnsOf, compileFilter } from '../filter/evaluate.ts'
import type { Filter, FilterColumns } from '../model/filter.ts'
import { filterIndexOf, nameOf } from '../filter-index/filter-index.ts'
import { AnswerMemo } from '../filter-index/answer-memo.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import { memoize } from '../memo.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { RowSet } from '../format/row-set.ts'
import { phraseRows } from './phrase-rows.ts'
import { countsOf, everything, type Selection } from './selection.ts'
import { inOrderInSlices, inSlices, SLICE_RECORDS } from './slices.ts'

/** Rows with a short filter that are tested between two pauses. */
const BATCH_ROWS = 4_096

/** Up to this many changed records, their parsed metadata and documents are kept as long as the view is. */
const MAX_CHANGED_KEPT = 10_000

/** By segment: an `OpenSegment` has fixed deletions and overlays. */
const known = new WeakMap<OpenSegment, AnswerMemo<RowSet>>()

export async function select(view: View, filter: Filter | undefined, pause: Pause): Promise<Selection> {
  if (!filter) return everything(view)
  const compiled = {
    test: compileFilter(filter),
    columns: columnsOf(filter),
    ids: mentionsIds(filter),
    clauses: clausesOf(filter),
  }
  const { test, columns } = compiled
  const { segments } = view.base
  const name = segments.length === 0 ? '' : nameOf(filter)
  // Of all segments together: each may have fewer rows to test than make a slice.
  const pacer = new Pacer(BATCH_ROWS, pause)
  const matches = await Promise.all(
    segments.map((segment) => memoOf(segment).get(name, () => matching(segment, filter, compiled, pause, pacer))),
  )
  const rows = matches.map((match, i) => match.copy().intersect(everything(view).rows[i] as RowSet))
  const changed = everything(view).changed
  const [metadatas, documents] = await Promise.all([
    columns.metadata ? changedMetadatas(view, pause) : undefined,
    columns.document ? changedDocuments(view, pause) : undefined,
  ])
  const admitted: ChangedRecord[] = []
  const cost = testCost(compiled.clauses)
  for (const [i, record] of changed.entries()) {
    if (test({ id: record.id, metadata: metadatas?.[i] ?? null, document: documents?.[i] ?? null }))
      admitted.push(record)
    const due = pacer.spend(cost)
    if (due) await due
  }
  return { rows, counts: countsOf(rows), changed: admitted }
}

const changedMetadatas = oncePerView((view, pause) =>
  inSlices(refsOf(everything(view).changed), SLICE_RECORDS, pause, async (slice) =>
    (await view.metadatas(slice)).map((text) => (text === null ? null : parseForFilter(text))),
  ),
)
const changedDocuments = oncePerView((view, pause) =>
  inSlices(refsOf(everything(view).changed), SLICE_RECORDS, pause, (slice) => view.documents(slice)),
)

function refsOf(records: readonly ChangedRecord[]): RecordRef[] {
  return records.map((changed): RecordRef => ({ changed }))
}

/** Reads something of the changed records, once for each view unless there are too many of them. */
function oncePerView<T>(read: (view: View, pause: Pause) => Promise<T>): (view: View, pause: Pause) => Promise<T> {
  const values = new WeakMap<View, Promise<T>>()
  return (view, pause) => {
    if (everything(view).changed.length > MAX_CHANGED_KEPT) return read(view, pause)
    return memoize(values, view, () => read(view, pause))
  }
}

interface Compiled {
  test: FilterTest
  columns: FilterColumns
  /** Whether the test reads ids. */
  ids: boolean
  clauses: number
}

/** Answers to filters that were applied to the segment before. */
function memoOf(segment: OpenSegment): AnswerMemo<RowSet> {
  let memo = known.get(segment)
  if (!memo) {
    memo = new AnswerMemo(segment.rows / 8)
    known.set(segment, memo)
  }
  return memo
}

/** The matching live rows of a segment. Rows that its indexes cannot decide are tested one by one. */
async function matching(
  segment: OpenSegment,
  filter: Filter,
  compiled: Compiled,
  pause: Pause,
  pacer: Pacer,
): Promise<RowSet> {
  const { columns } = compiled
  const live = segment.live()
  const [index] = await Promise.all([
    filterIndexOf(segment.reader, columns),
    columns.document && segment.reader.prepare(['documents']),
  ])
  if (!index) return tested(segment, live.toArray(), new RowSet(segment.rows), compiled, pacer)
  const { certain, possible } = await index.bounds(filter, pause, (text, language) =>
    phraseRows(segment.reader, text, language),
  )
  const found = live.copy().intersect(certain)
  const open = live.copy().intersect(possible)
  // The indexes do not have the values that an overlay changed.
  for (const overlay of segment.overlays) {
    const changed = overlay.descriptor.columns
    if (!(columns.metadata && changed.includes('metadata')) && !(columns.document && changed.includes('documents')))
      continue
    for (const row of (await overlay.load()).rows) {
      found.remove(row)
      if (live.has(row)) open.add(row)
    }
  }
  open.subtract(found)
  return tested(segment, open.toArray(), found, compiled, pacer)
}

/** Adds the matching candidates to `found`. */
async function tested(
  segment: OpenSegment,
  candidates: readonly number[],
  found: RowSet,
  { test, columns, ids, clauses }: Compiled,
  pacer: Pacer,
): Promise<RowSet> {
  const size = batchRows(clauses)
  for (let i = 0; i < candidates.length; i += size) {
    const rows = candidates.slice(i, i + size)
    const [names, metadatas, documents] = await Promise.all([
      ids ? segment.reader.ids(rows) : undefined,
      columns.metadata ? segment.column('metadata', rows) : undefined,
      columns.document ? segment.column('documents', rows) : undefined,
    ])
    rows.forEach((row, k) => {
      if (test(rowOf(names?.[k] ?? '', metadatas?.[k] ?? null, documents?.[k] ?? null))) found.add(row)
    })
    const due = pacer.spend(rows.length * testCost(clauses))
    if (due) await due
  }
  return found
}

/** Rows that are tested at once: fewer if the test of each has many clauses. */
export function batchRows(clauses: number): number {
  return Math.max(1, Math.floor(BATCH_ROWS / testCost(clauses)))
}

/** Of testing one row, in rows with a short filter. */
function testCost(clauses: number): number {
  return Math.max(1, clauses / 8)
}

export function clausesOf(filter: Filter): number {
  return 'clauses' in filter ? filter.clauses.reduce((sum, clause) => sum + clausesOf(clause), 1) : 1
}

function mentionsIds(filter: Filter): boolean {
  return (
    filter.kind === 'id' ||
    filter.kind === 'id-order' ||
    ((filter.kind === 'and' || filter.kind === 'or') && filter.clauses.some(mentionsIds))
  )
}

function rowOf(id: string, metadata: string | null, document: string | null) {
  return { id, metadata: metadata === null ? null : parseForFilter(metadata), document }
}

/** The selected records in order of first insertion. */
export async function selectedRefs(view: View, selection: Selection, pause: Pause): Promise<RecordRef[]> {
  const refs: RecordRef[] = selection.changed.map((changed) => ({ changed }))
  for (const [segment, rows] of selection.rows.entries())
    for (const row of rows) {
      refs.push({ changed: null, row: { segment, row } })
      if (refs.length % SLICE_RECORDS === 0) await pause()
    }
  return inOrderInSlices(view, refs, pause)
}
