/**
 * Which records a filter admits, as row sets over the snapshot's segments and a list of touched records. A touched
 * record (one that the log changed) is judged by what it is now, so its row is never in a set of a filtered selection.
 */
import { type FilterTest, columnsOf, compileFilter } from '../filter/evaluate.ts'
import type { Filter, FilterColumns } from '../model/filter.ts'
import { filterIndexOf, nameOf } from '../filter-index/filter-index.ts'
import { KeptAnswers } from '../filter-index/kept-answers.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { RowSet } from '../format/row-set.ts'

export interface Selection {
  /** By segment: untouched live rows that match. */
  rows: readonly RowSet[]
  /** How many they are. */
  counts: readonly number[]
  /** Live touched records that match. */
  fresh: readonly ChangedRecord[]
}

/** Lets other work run between pieces of a long computation. */
export type Yield = () => Promise<void>

const BATCH_ROWS = 4_096

/** Touched records whose parsed metadata are kept. */
const MAX_TOUCHED_KEPT = 10_000

const everything = new WeakMap<View, Selection>()
/** The same segment has the same deletions and overlays. */
const known = new WeakMap<OpenSegment, KeptAnswers<RowSet>>()

export async function select(view: View, filter: Filter | undefined, pause: Yield): Promise<Selection> {
  if (!filter) return all(view)
  const compiled = { test: compileFilter(filter), columns: columnsOf(filter), ids: mentionsIds(filter) }
  const { test, columns } = compiled
  const name = nameOf(filter)
  const { segments } = view.base
  const matches = await Promise.all(
    segments.map((segment) => keptOf(segment).get(name, () => matching(segment, filter, compiled, pause))),
  )
  const rows = matches.map((match, i) => match.copy().intersect(all(view).rows[i] as RowSet))
  const touched = all(view).fresh
  const [metadatas, documents] = await Promise.all([
    columns.metadata ? touchedMetadatas(view) : undefined,
    columns.document ? touchedDocuments(view) : undefined,
  ])
  const fresh = touched.filter(({ id }, i) =>
    test({ id, metadata: metadatas?.[i] ?? null, document: documents?.[i] ?? null }),
  )
  return { rows, counts: countsOf(rows), fresh }
}

/** Every live record; made once per view. */
function all(view: View): Selection {
  let selection = everything.get(view)
  if (!selection) {
    const touched = view.overlay.changedRows()
    const rows = view.base.segments.map((segment, i) => {
      const live = segment.live()
      for (const row of touched.get(i)?.keys() ?? []) live.remove(row)
      return live
    })
    selection = { rows, counts: countsOf(rows), fresh: view.overlay.records().filter(({ live }) => live) }
    everything.set(view, selection)
  }
  return selection
}

function countsOf(rows: readonly RowSet[]): number[] {
  return rows.map((one) => one.count())
}

const touchedMetadatas = oncePerView(async (view) => {
  const texts = await view.metadatas(refsOf(all(view).fresh))
  return texts.map((text) => (text === null ? null : parseForFilter(text)))
})
const touchedDocuments = oncePerView((view) => view.documents(refsOf(all(view).fresh)))

function refsOf(records: readonly ChangedRecord[]): RecordRef[] {
  return records.map((fresh): RecordRef => ({ changed: fresh }))
}

/** Kept for as long as the view is, while the touched records are not very many. */
function oncePerView<T>(read: (view: View) => Promise<T>): (view: View) => Promise<T> {
  const values = new WeakMap<View, Promise<T>>()
  return (view) => {
    if (all(view).fresh.length > MAX_TOUCHED_KEPT) return read(view)
    let value = values.get(view)
    if (!value) {
      value = read(view)
      values.set(view, value)
      // A failure is not kept: the next query tries again.
      value.catch(() => values.delete(view))
    }
    return value
  }
}

interface Compiled {
  test: FilterTest
  columns: FilterColumns
  /** Whether it looks at ids. */
  ids: boolean
}

/** Answers to filters that were asked of the segment before. */
function keptOf(segment: OpenSegment): KeptAnswers<RowSet> {
  let kept = known.get(segment)
  if (!kept) {
    kept = new KeptAnswers(segment.rows / 8)
    known.set(segment, kept)
  }
  return kept
}

/** The live rows of a segment that match. What its indexes leave open is looked at row by row. */
async function matching(segment: OpenSegment, filter: Filter, compiled: Compiled, pause: Yield): Promise<RowSet> {
  const { columns } = compiled
  const live = segment.live()
  const [index] = await Promise.all([
    filterIndexOf(segment.reader, columns),
    columns.document && segment.reader.prepare(['documents']),
  ])
  if (!index) return tested(segment, live.toArray(), new RowSet(segment.rows), compiled, pause)
  const { certain, possible } = await index.bounds(filter)
  const found = live.copy().intersect(certain)
  const open = live.copy().intersect(possible)
  // The indexes know nothing of columns that an overlay changed.
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
  return tested(segment, open.toArray(), found, compiled, pause)
}

/** Adds those candidates that match to the rows found. */
async function tested(
  segment: OpenSegment,
  candidates: readonly number[],
  found: RowSet,
  { test, columns, ids }: Compiled,
  pause: Yield,
): Promise<RowSet> {
  for (let i = 0; i < candidates.length; i += BATCH_ROWS) {
    const rows = candidates.slice(i, i + BATCH_ROWS)
    const [names, metadatas, documents] = await Promise.all([
      ids ? segment.reader.ids(rows) : undefined,
      columns.metadata ? segment.column('metadata', rows) : undefined,
      columns.document ? segment.column('documents', rows) : undefined,
    ])
    rows.forEach((row, k) => {
      if (test(rowOf(names?.[k] ?? '', metadatas?.[k] ?? null, documents?.[k] ?? null))) found.add(row)
    })
    await pause()
  }
  return found
}

function mentionsIds(filter: Filter): boolean {
  return filter.kind === 'id' || ((filter.kind === 'and' || filter.kind === 'or') && filter.clauses.some(mentionsIds))
}

function rowOf(id: string, metadata: string | null, document: string | null) {
  return { id, metadata: metadata === null ? null : parseForFilter(metadata), document }
}

export function countSelected(selection: Selection): number {
  return selection.counts.reduce((sum, count) => sum + count, selection.fresh.length)
}

/** The selected records in order of first insertion. */
export async function selectedRefs(view: View, selection: Selection): Promise<RecordRef[]> {
  const refs: RecordRef[] = selection.fresh.map((fresh) => ({ changed: fresh }))
  selection.rows.forEach((rows, segment) => {
    for (const row of rows) refs.push({ changed: null, row: { segment, row } })
  })
  return view.inOrder(refs)
}
