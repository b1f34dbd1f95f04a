import { invalid } from '../errors.ts'
import type { GetRequest, GetResponse } from '../model/read.ts'
import type { RecordRef, View } from '../log/view.ts'
import { filterRefs } from './filter-refs.ts'
import { columnsInSlices, findInSlices, inOrderInSlices, SLICE_RECORDS } from './slices.ts'
import type { Pause } from '../pacer.ts'
import { select, selectedRefs } from './select.ts'

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
    : await selectedRefs(view, await select(view, request.filter, pause), pause)
  return { refs: refs.slice(offset, offset + limit), more: offset + limit < refs.length }
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
