import { invalid } from '../errors.ts'
import type { GetRequest, GetResponse } from '../model/read.ts'
import type { RecordRef, View } from '../log/view.ts'
import { filterRefs } from './filter-refs.ts'
import { select, selectedRefs, type Yield } from './select.ts'

/** Answers a `get` from one view: rows in order of first insertion, limit and offset after filtering. */
export async function get(
  view: View,
  request: GetRequest,
  pause: Yield,
): Promise<Omit<GetResponse, 'pageToken'> & { more: boolean }> {
  const { limit, offset = 0 } = request
  if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0))
    throw invalid('bad-limit', `limit is ${limit}; give an integer of 0 or more`, { field: 'limit' })
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw invalid('bad-offset', `offset is ${offset}; give an integer of 0 or more`, { field: 'offset' })
  const page = await pageOf(view, request, offset, limit ?? Number.POSITIVE_INFINITY, pause)
  const columns = await view.columns(page.refs, request.include)
  return { ...columns, version: view.version, more: page.more }
}

async function pageOf(
  view: View,
  request: GetRequest,
  offset: number,
  limit: number,
  pause: Yield,
): Promise<{ refs: RecordRef[]; more: boolean }> {
  if (!request.ids && !request.filter) return everythingPage(view, offset, limit)
  const refs = request.ids
    ? await byIds(view, request, pause)
    : await selectedRefs(view, await select(view, request.filter, pause))
  return { refs: refs.slice(offset, offset + limit), more: offset + limit < refs.length }
}

async function byIds(view: View, request: GetRequest, pause: Yield): Promise<RecordRef[]> {
  const found = await view.inOrder(await view.find(request.ids as readonly string[]))
  if (!request.filter) return found
  return filterRefs(view, found, request.filter, pause)
}

/**
 * A page of all records. The snapshot's order is kept ready, and touched records that were inserted by the log come
 * after all of it, so only the page itself is looked at.
 */
async function everythingPage(
  view: View,
  offset: number,
  limit: number,
): Promise<{ refs: RecordRef[]; more: boolean }> {
  const order = await view.base.order()
  const touched = view.overlay.changedRows()
  const refs: RecordRef[] = []
  let skip = offset
  let place = 0
  for (; place < order.rows.length && refs.length < limit; place++) {
    const row = { segment: order.segments[place] as number, row: order.rows[place] as number }
    const fresh = touched.get(row.segment)?.get(row.row)
    if (fresh && (!fresh.live || fresh.ordinal !== undefined)) continue
    if (skip > 0) skip--
    else refs.push(fresh ? { changed: fresh } : { changed: null, row })
  }
  if (refs.length < limit) {
    const inserted = view.overlay.records().filter(({ live, ordinal }) => live && ordinal !== undefined)
    inserted.sort((a, b) => (a.ordinal as number) - (b.ordinal as number))
    for (const fresh of inserted.slice(skip, skip + limit - refs.length)) refs.push({ changed: fresh })
  }
  return { refs, more: offset + refs.length < view.liveRecords }
}
