import { invalid } from '../errors.ts'
import { filterIndexOf } from '../filter-index/filter-index.ts'
import type { GetRequest, GetResponse, Include } from '../model/read.ts'
import type { Filter } from '../model/filter.ts'
import type { RecordRef, View } from '../log/view.ts'
import { ColumnPrefetch } from './column-prefetch.ts'
import { filterRefs } from './filter-refs.ts'
import { firstMatching } from './first-matching.ts'
import { columnsInSlices, findInSlices, inOrderInSlices, SLICE_RECORDS } from './slices.ts'
import type { Pause } from '../pacer.ts'
import { MOST_AHEAD, select, selectedRefs } from './select.ts'

/** Answers a `get` from one view: records in order of first insertion; limit and offset apply after the filter. */
export async function get(
  view: View,
  request: GetRequest,
  pause: Pause,
): Promise<Omit<GetResponse, 'pageToken'> & { more: boolean }> {
  const { limit, offset = 0 } = request
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0))
    throw invalid('bad-limit', `limit is ${limit}; give an integer of 0 or more`, { field: 'limit' })
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw invalid('bad-offset', `offset is ${offset}; give an integer of 0 or more`, { field: 'offset' })
  const page = await pageOf(view, request, offset, limit ?? Number.POSITIVE_INFINITY, pause)
  const columns = await columnsInSlices(view, page.refs, request.include, pause)
  return { ...columns, version: view.version, more: page.more }
}

/**
 * Reads what a first `get` with a filter reads before it knows any row: the heads of the indexes, and the directories of the columns.
 * Nothing where reads are quick.
 */
export async function prepare(view: View, include: Include): Promise<void> {
  const columns = new ColumnPrefetch(include)
  const distant = view.base.segments.filter(({ reader }) => !reader.source.isLocal)
  await Promise.all(
    distant.flatMap((segment) => [
      filterIndexOf(segment.reader, { document: include.documents === true }),
      columns.directories(segment),
    ]),
  )
}

async function pageOf(
  view: View,
  request: GetRequest,
  offset: number,
  limit: number,
  pause: Pause,
): Promise<{ refs: RecordRef[]; more: boolean }> {
  if (!request.ids && !request.filter) return everythingPage(view, offset, limit, pause)
  const refs = request.ids
    ? await byIds(view, request, pause)
    : await byFilter(view, { ...request, filter: request.filter as Filter }, offset + limit + 1, pause)
  return { refs: refs.slice(offset, offset + limit), more: offset + limit < refs.length }
}

/**
 * Where a request takes long, columns are read while other reads are under way: their directories with the indexes, and their rows, if
 * few match, with the places of these rows.
 * @param wanted no more of them are needed
 */
async function byFilter(
  view: View,
  { filter, include }: { filter: Filter } & Pick<GetRequest, 'include'>,
  wanted: number,
  pause: Pause,
): Promise<RecordRef[]> {
  const { segments } = view.base
  const prefetch = segments.some(({ reader }) => !reader.source.isLocal) ? new ColumnPrefetch(include) : undefined
  const find = async () => {
    const first = wanted === Number.POSITIVE_INFINITY ? undefined : await firstMatching(view, filter, wanted, pause)
    if (first) return first
    const selection = await select(view, filter, pause, prefetch)
    const isFew = selection.counts.reduce((sum, count) => sum + count, 0) <= Math.min(MOST_AHEAD, 2 * wanted)
    const [refs] = await Promise.all([
      selectedRefs(view, selection, pause),
      ...(isFew ? segments.map((segment, i) => prefetch?.placed(segment, selection.rows[i]?.toArray() ?? [])) : []),
    ])
    return refs
  }
  const [refs] = await Promise.all([find(), ...segments.map((segment) => prefetch?.directories(segment))])
  return refs
}

async function byIds(view: View, request: GetRequest, pause: Pause): Promise<RecordRef[]> {
  const found = await inOrderInSlices(view, await findInSlices(view, request.ids as readonly string[], pause), pause)
  if (!request.filter) return found
  return filterRefs(view, found, request.filter, pause)
}

/**
 * A page of all records. The snapshot keeps the order of its rows, and the records that the log inserted follow all of
 * them, so only the records of the page are visited.
 */
async function everythingPage(
  view: View,
  offset: number,
  limit: number,
  pause: Pause,
): Promise<{ refs: RecordRef[]; more: boolean }> {
  const order = await view.base.order()
  const changedRows = view.overlay.changedRows()
  const refs: RecordRef[] = []
  let skip = offset
  let place = 0
  for (; place < order.rows.length && refs.length < limit; place++) {
    if (place % SLICE_RECORDS === SLICE_RECORDS - 1) await pause()
    const row = { segment: order.segments[place] as number, row: order.rows[place] as number }
    const changed = changedRows.get(row.segment)?.get(row.row)
    if (changed && (!changed.live || changed.ordinal !== undefined)) continue
    if (skip > 0) skip--
    else refs.push(changed ? { changed } : { changed: null, row })
  }
  if (refs.length < limit) {
    const inserted = view.overlay.records().filter(({ live, ordinal }) => live && ordinal !== undefined)
    inserted.sort((a, b) => (a.ordinal as number) - (b.ordinal as number))
    for (const changed of inserted.slice(skip, skip + limit - refs.length)) refs.push({ changed })
  }
  return { refs, more: offset + refs.length < view.liveRecords }
}
