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
import type { ColumnPrefetch } from './column-prefetch.ts'
import { phraseRows } from './phrase-rows.ts'
import { countsOf, everything, type Selection } from './selection.ts'
import { inOrderInSlices, inSlices, SLICE_RECORDS } from './slices.ts'

/** Rows with a short filter that are tested between two pauses. */
const BATCH_ROWS = 4_096

/** Up to this many changed records, their parsed metadata and documents are kept as long as the view is. */
const MAX_CHANGED_KEPT = 10_000

/** Rows of a segment whose columns are read before it is known whether they are wanted. */
export const MOST_AHEAD = 256

/** By segment: an `OpenSegment` has fixed deletions and overlays. */
const known = new WeakMap<OpenSegment, AnswerMemo<RowSet>>()

/** @param prefetch what will be read of the records that are found */
export async function select(
  view: View,
  filter: Filter | undefined,
  pause: Pause,
  prefetch?: ColumnPrefetch,
): Promise<Selection> {
  if (!filter) return everything(view)
  const compiled = { ...compile(filter), ...(prefetch && { prefetch }) }
  const { segments } = view.base
  const name = segments.length === 0 ? '' : nameOf(filter)
  // Of all segments together: each may have fewer rows to test than make a slice.
  const pacer = new Pacer(BATCH_ROWS, pause)
  const matches = await Promise.all(
    segments.map((segment) => memoOf(segment).get(name, () => matching(segment, filter, compiled, pause, pacer))),
  )
  const rows = matches.map((match, i) => match.copy().intersect(everything(view).rows[i] as RowSet))
  return { rows, counts: countsOf(rows), changed: await admittedChanges(view, compiled, pause, pacer) }
}

/** What the indexes say of a filter, without a row being tested. */
export interface Undecided {
  /** For each segment: live rows that the log did not change and that the filter certainly admits. */
  found: readonly RowSet[]
  /** Likewise: rows that have to be tested. Disjoint from those found. */
  open: readonly RowSet[]
  /** The live records that the log changed and that the filter admits. */
  changed: readonly ChangedRecord[]
}

/** @returns undefined if the answer of a segment is known already, so that `select` costs little */
export async function undecided(view: View, filter: Filter, pause: Pause): Promise<Undecided | undefined> {
  const { segments } = view.base
  const name = nameOf(filter)
  if (segments.every((segment) => memoOf(segment).has(name))) return undefined
  const compiled = compile(filter)
  const bounds = await Promise.all(segments.map((segment) => decided(segment, filter, compiled, pause)))
  const shown = (set: RowSet, i: number) => set.intersect(everything(view).rows[i] as RowSet)
  return {
    found: bounds.map(({ found }, i) => shown(found, i)),
    open: bounds.map(({ open }, i) => shown(open, i)),
    changed: await admittedChanges(view, compiled, pause, new Pacer(BATCH_ROWS, pause)),
  }
}

const compile = (filter: Filter): Compiled => ({
  test: compileFilter(filter),
  columns: columnsOf(filter),
  ids: mentionsIds(filter),
  clauses: clausesOf(filter),
})

async function admittedChanges(
  view: View,
  { test, columns, clauses }: Compiled,
  pause: Pause,
  pacer: Pacer,
): Promise<ChangedRecord[]> {
  const changed = everything(view).changed
  const [metadatas, documents] = await Promise.all([
    columns.metadata ? changedMetadatas(view, pause) : undefined,
    columns.document ? changedDocuments(view, pause) : undefined,
  ])
  const admitted: ChangedRecord[] = []
  const cost = testCost(clauses)
  for (const [i, record] of changed.entries()) {
    if (test({ id: record.id, metadata: metadatas?.[i] ?? null, document: documents?.[i] ?? null }))
      admitted.push(record)
    const due = pacer.spend(cost)
    if (due) await due
  }
  return admitted
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
  prefetch?: ColumnPrefetch
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
  const { found, open } = await decided(segment, filter, compiled, pause)
  return tested(segment, open.toArray(), found, compiled, pacer)
}

/** The live rows of a segment that certainly match, and those that have to be tested. */
async function decided(
  segment: OpenSegment,
  filter: Filter,
  { columns }: Compiled,
  pause: Pause,
): Promise<{ found: RowSet; open: RowSet }> {
  const live = segment.live()
  const [index] = await Promise.all([
    filterIndexOf(segment.reader, columns),
    columns.document && segment.reader.prepare(['documents']),
  ])
  if (!index) return { found: new RowSet(segment.rows), open: live }
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
  return { found, open: open.subtract(found) }
}

/** Adds the matching candidates to `found`. */
async function tested(
  segment: OpenSegment,
  candidates: readonly number[],
  found: RowSet,
  { test, columns, ids, clauses, prefetch }: Compiled,
  pacer: Pacer,
): Promise<RowSet> {
  // Most of a few candidates match, as a rule; of many, what is read ahead would mostly be read for nothing.
  const ahead = candidates.length <= MOST_AHEAD ? prefetch : undefined
  const size = batchRows(clauses)
  for (let i = 0; i < candidates.length; i += size) {
    const rows = candidates.slice(i, i + size)
    const [names, metadatas, documents] = await Promise.all([
      ids ? segment.reader.ids(rows) : undefined,
      columns.metadata ? segment.column('metadata', rows) : undefined,
      columns.document ? segment.column('documents', rows) : undefined,
      ahead?.placed(segment, rows),
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
