/**
 * Which records a filter admits, as row sets over the snapshot's segments and a list of touched records. A touched
 * record (one that the log changed) is judged by what it is now, so its row is never in a set of a filtered selection.
 */
import { type FilterTest, columnsOf, compileFilter } from '../filter/evaluate.ts'
import type { Filter, FilterColumns } from '../filter/types.ts'
import { filterIndexOf } from '../filter-index/filter-index.ts'
import type { FreshRecord } from '../log/fresh-state.ts'
import type { RecordRef, View } from '../log/view.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { RowSet } from '../snapshot/row-set.ts'

export interface Selection {
  /** By segment: untouched live rows that match. */
  rows: readonly RowSet[]
  /** Live touched records that match. */
  fresh: readonly FreshRecord[]
}

/** Lets other work run between pieces of a long computation. */
export type Yield = () => Promise<void>

const BATCH_ROWS = 4_096

const everything = new WeakMap<View, Selection>()

export async function select(view: View, filter: Filter | undefined, pause: Yield): Promise<Selection> {
  if (!filter) return all(view)
  const test = compileFilter(filter)
  const columns = columnsOf(filter)
  const rows: RowSet[] = []
  for (const [i, segment] of view.base.segments.entries())
    rows.push(await matching(segment, all(view).rows[i] as RowSet, filter, { test, columns }, pause))
  const touched = all(view).fresh
  const refs = touched.map((fresh): RecordRef => ({ fresh }))
  const [metadatas, documents] = await Promise.all([
    columns.metadata ? view.metadatas(refs) : undefined,
    columns.document ? view.documents(refs) : undefined,
  ])
  const fresh = touched.filter((record, i) => test(rowOf(record.id, metadatas?.[i] ?? null, documents?.[i] ?? null)))
  return { rows, fresh }
}

/** Every live record; made once per view. */
function all(view: View): Selection {
  let selection = everything.get(view)
  if (!selection) {
    const touched = view.fresh.touched()
    const rows = view.base.segments.map((segment, i) => {
      const live = segment.live()
      for (const row of touched.get(i)?.keys() ?? []) live.remove(row)
      return live
    })
    selection = { rows, fresh: view.fresh.records().filter(({ live }) => live) }
    everything.set(view, selection)
  }
  return selection
}

interface Compiled {
  test: FilterTest
  columns: FilterColumns
}

/** What the segment's indexes leave open is looked at row by row. */
async function matching(
  segment: OpenSegment,
  live: RowSet,
  filter: Filter,
  compiled: Compiled,
  pause: Yield,
): Promise<RowSet> {
  const index = await filterIndexOf(segment.reader)
  if (!index) return tested(segment, live.toArray(), new RowSet(segment.rows), filter, compiled, pause)
  const { certain, possible } = await index.bounds(filter)
  const found = live.copy().intersect(certain)
  const open = live.copy().intersect(possible)
  // The indexes know nothing of columns that an overlay changed.
  for (const overlay of segment.overlays)
    for (const row of (await overlay.load()).rows) {
      found.remove(row)
      if (live.has(row)) open.add(row)
    }
  open.subtract(found)
  return tested(segment, open.toArray(), found, filter, compiled, pause)
}

/** Adds those candidates that match to the rows found. */
async function tested(
  segment: OpenSegment,
  candidates: readonly number[],
  found: RowSet,
  filter: Filter,
  { test, columns }: Compiled,
  pause: Yield,
): Promise<RowSet> {
  const ids = mentionsIds(filter)
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
  return selection.rows.reduce((sum, rows) => sum + rows.count(), selection.fresh.length)
}

/** The selected records in order of first insertion. */
export async function selectedRefs(view: View, selection: Selection): Promise<RecordRef[]> {
  const refs: RecordRef[] = selection.fresh.map((fresh) => ({ fresh }))
  selection.rows.forEach((rows, segment) => {
    for (const row of rows) refs.push({ fresh: null, row: { segment, row } })
  })
  return view.inOrder(refs)
}
