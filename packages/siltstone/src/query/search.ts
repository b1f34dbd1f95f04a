/** Nearest neighbours in one view, for requests as users make them. */
import { notFound } from '../errors.ts'
import type { Correction, NeededEffort } from '../ivf/search/correction.ts'
import { SearchRecorder } from '../ivf/search/search-recorder.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import type { Filter } from '../model/filter.ts'
import type { QueryRequest, QueryResponse } from '../model/read.ts'
import type { Pause } from '../pacer.ts'
import { filterRefs } from './filter-refs.ts'
import { checkDimension, checkRecall, NearestSearch } from './nearest.ts'
import { select } from './select.ts'
import { everything } from './selection.ts'
import { findInSlices, inSlices, SLICE_RECORDS } from './slices.ts'

/** @throws SiltstoneError `invalid` dimension-mismatch; `not-found` id-missing */
export async function search(
  view: View,
  space: Space,
  request: QueryRequest,
  pause: Pause,
  { recorder = new SearchRecorder(), correction }: { recorder?: SearchRecorder; correction?: Correction } = {},
): Promise<QueryResponse> {
  checkDimensions(view, request)
  checkRecall(request.search?.recall)
  const found = new NearestSearch(view, space, request, pause, recorder, correction?.factors())
  const { ids, filter } = request
  if (ids) await found.rankRefs(found.asks ? await refsOf(view, ids, filter, pause) : [])
  // Concurrently: what the filter reads takes at least as many rounds as opening the indexes.
  else if (found.asks) await found.rank(select(view, filter, pause))
  recorder.endStage('search')
  const hits = await found.hits()
  recorder.endStage('columns')
  return { hits, version: view.version }
}

/**
 * The exact answer to a query without a filter, and what each of its vectors would have needed of the indexes.
 * @throws SiltstoneError as `search`
 */
export async function examineExactly(
  view: View,
  space: Space,
  request: QueryRequest,
  pause: Pause,
): Promise<{ answer: QueryResponse; needed: NeededEffort[] }> {
  const exact = { ...request, include: {}, search: { exact: true } }
  checkDimensions(view, exact)
  const found = new NearestSearch(view, space, exact, pause, new SearchRecorder())
  await found.rank(everything(view))
  return { answer: { hits: await found.hits(), version: view.version }, needed: await found.needed() }
}

function checkDimensions(view: View, request: QueryRequest): void {
  for (const [i, vector] of request.vectors.entries()) checkDimension(view, vector, `query_embeddings[${i}]`)
}

async function refsOf(
  view: View,
  ids: readonly string[],
  filter: Filter | undefined,
  pause: Pause,
): Promise<readonly RecordRef[]> {
  const found = await findInSlices(view, ids, pause)
  // As Chroma: a filter asks which of the ids match it, so an id that does not exist does not match.
  if (!filter && found.length !== new Set(ids).size) {
    const known = new Set(await inSlices(found, SLICE_RECORDS, pause, (slice) => view.ids(slice)))
    const missing = ids.find((id) => !known.has(id))
    throw notFound('id-missing', `Error finding id: ${JSON.stringify(missing)} is not in the collection`, {
      field: 'ids',
    })
  }
  return filter ? filterRefs(view, found, filter, pause) : found
}
