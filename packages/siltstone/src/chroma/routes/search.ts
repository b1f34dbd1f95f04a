import { unsupported } from '../../errors.ts'
import { prepare } from '../../search/prepare.ts'
import { searchText } from '../answers.ts'
import { embedderOf, openForReading, readOptionsOf } from '../call.ts'
import { ref } from '../openapi-schemas.ts'
import type { Answer, Call, Route } from '../route.ts'
import { checkIndexed } from '../wire/filters.ts'
import { readSearches } from '../wire/search-body.ts'
import { EXPLAIN_HEADER, parseSearchOptions, SEARCH_HEADER } from '../wire/search-options.ts'

export const searchRoutes: Route[] = [
  {
    method: 'POST',
    path: '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}/search',
    operation: 'collection_search',
    tag: 'Record',
    summary: 'Records ranked by an expression over nearest-neighbour searches, dense and sparse',
    access: 'read',
    isRead: true,
    body: ref('SearchRecords'),
    answer: ref('SearchAnswer'),
    handle: search,
  },
]

async function search(call: Call): Promise<Answer> {
  const collection = await openForReading(call)
  const body = await call.body()
  const parsed = readSearches(body, call.limits)
  const read = readOptionsOf(call, body)
  const effort = parseSearchOptions(call.header(SEARCH_HEADER))
  for (const { search } of parsed) checkIndexed(search.filter, collection.info)
  const searches = await prepare(
    parsed.map((one) => one.search),
    {
      schema: collection.info.schema,
      needsIndex: true,
      embed: async (texts) => {
        const embed = embedderOf(call, collection)
        if (embed) return embed(texts)
        throw unsupported('no-embedder', 'This server has no embedders: send a vector as the query instead of a text')
      },
    },
  )
  const explain = call.header(EXPLAIN_HEADER) === 'true'
  const response = await collection.search({ ...read, searches, explain, ...(effort && { effort }) })
  const selects = parsed.map(({ select }) => select)
  const { explanation, version } = response
  const headers = explanation && { [EXPLAIN_HEADER]: JSON.stringify(explanation) }
  return { text: searchText(response, selects), version, ...(headers && { headers }) }
}
