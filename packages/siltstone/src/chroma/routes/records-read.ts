import { yieldToEventLoop } from '#codec'
import { isSiltstoneError, unsupported } from '../../errors.ts'
import type { GetRequest, GetResponse, QueryRequest } from '../../model/read.ts'
import type { Collection } from '../../model/store.ts'
import { getText, queryText } from '../answers.ts'
import { EXPLAIN_HEADER, parseSearchOptions, SEARCH_HEADER } from '../wire/search-options.ts'
import { embedderOf, openCollection, openForReading, readOptionsOf, withEmbeddedTexts } from '../call.ts'
import { type Fields, readList, readString, readStrings, readUint } from '../wire/fields.ts'
import { checkIndexed, filterOf } from '../wire/filters.ts'
import { numberText } from '../wire/float-text.ts'
import { columnsToRead, DEFAULT_GET, DEFAULT_QUERY, type IncludeName, includeOf } from '../wire/include.ts'
import { ApiProblem, badShape } from '../wire/problem.ts'
import { checkResults, idsReader } from '../wire/request-limits.ts'
import { type Answer, type Call, json, type Route } from '../route.ts'
import { ref, text, uint } from '../openapi-schemas.ts'
import { readQueryVectors } from '../wire/vectors.ts'

const COLLECTION = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}'
const DEFAULT_RESULTS = 10

export const recordReadRoutes: Route[] = [
  {
    method: 'POST',
    path: `${COLLECTION}/get`,
    operation: 'collection_get',
    tag: 'Record',
    summary: 'Records by ids or by a filter, in insertion order',
    access: 'read',
    isRead: true,
    body: ref('GetRecords'),
    answer: ref('GetAnswer'),
    handle: get,
  },
  {
    method: 'POST',
    path: `${COLLECTION}/query`,
    operation: 'collection_query',
    tag: 'Record',
    summary: 'The nearest records to each query',
    access: 'read',
    isRead: true,
    body: ref('QueryRecords'),
    answer: ref('QueryAnswer'),
    handle: query,
  },
  {
    method: 'GET',
    path: `${COLLECTION}/count`,
    operation: 'collection_count',
    tag: 'Record',
    summary: 'The number of records',
    access: 'read',
    isRead: true,
    query: { read_level: text },
    answer: uint,
    handle: count,
  },
  {
    method: 'GET',
    path: `${COLLECTION}/indexing_status`,
    operation: 'indexing_status',
    tag: 'Record',
    summary: 'The part of the log that is folded into the snapshot',
    access: 'read',
    answer: ref('IndexingStatus'),
    handle: indexingStatus,
  },
]

/** Builds the engine's request from a get body, after the checks that depend on the collection. */
export function getRequest(
  call: Call,
  body: Fields,
  collection: Collection,
): GetRequest & { names: readonly IncludeName[] } {
  const include = includeOf(body, DEFAULT_GET)
  const ids = body.optional('ids', idsReader(call.limits))
  const filter = filterOf(body, call.limits)
  checkIndexed(filter, collection.info)
  const limit = body.optional('limit', readUint)
  const offset = body.optional('offset', readUint)
  const pageToken = body.optional('page_token', readString)
  return {
    ...readOptionsOf(call, body),
    ...(ids && { ids }),
    ...(filter && { filter }),
    ...(limit !== undefined && { limit }),
    ...(offset !== undefined && { offset }),
    ...(pageToken !== undefined && { pageToken }),
    include: columnsToRead(include),
    names: include,
  }
}

async function get(call: Call): Promise<Answer> {
  const collection = await openForReading(call)
  const body = await call.body()
  const { names, ...request } = getRequest(call, body, collection)
  const response = await collection.get(request)
  return { text: getText(response, names), version: response.version, headers: pageHeaders(response) }
}

export function pageHeaders({ pageToken }: GetResponse): Record<string, string> {
  return pageToken === undefined ? {} : { 'x-siltstone-page-token': pageToken }
}

async function query(call: Call): Promise<Answer> {
  const collection = await openForReading(call)
  const body = await call.body()
  const include = includeOf(body, DEFAULT_QUERY)
  const k = body.optional('n_results', readUint) ?? DEFAULT_RESULTS
  const ids = body.optional('ids', idsReader(call.limits))
  const filter = filterOf(body, call.limits)
  checkIndexed(filter, collection.info)
  const vectors = await queryVectors(call, body, collection, k)
  const search = parseSearchOptions(call.header(SEARCH_HEADER))
  const request: QueryRequest = {
    ...readOptionsOf(call, body),
    vectors,
    k,
    ...(ids && { ids }),
    ...(filter && { filter }),
    include: columnsToRead(include),
    ...(search && { search }),
    explain: call.header(EXPLAIN_HEADER) === 'true',
  }
  const run = () => runQuery(collection, request)
  const response = await (body.has('query_texts') ? withEmbeddedTexts('query_embeddings', run) : run())
  const { explanation, version } = response
  const headers = explanation && { [EXPLAIN_HEADER]: JSON.stringify(explanation) }
  return { text: queryText(response, include), version, ...(headers && { headers }) }
}

async function queryVectors(call: Call, body: Fields, collection: Collection, k: number): Promise<Float32Array[]> {
  const texts = body.optional('query_texts', readStrings)
  if (texts === undefined) {
    return body.required('query_embeddings', (json, path) => {
      checkResults(readList(json, path).length, k, call.limits)
      return readQueryVectors(json, path, yieldToEventLoop)
    })
  }
  checkResults(texts.length, k, call.limits)
  if (body.has('query_embeddings')) {
    throw badShape('query_texts', 'give either query_texts or query_embeddings, not both')
  }
  const embed = embedderOf(call, collection)
  if (embed === undefined) {
    throw unsupported('no-embedder', 'This server has no embedders: send query_embeddings instead of query_texts')
  }
  return texts.length === 0 ? [] : embed(texts)
}

/** Chroma answers a missing id with an error of its query plan and the status 500; clients expect that. */
async function runQuery(collection: Collection, request: QueryRequest) {
  try {
    return await collection.query(request)
  } catch (error) {
    if (!isSiltstoneError(error, 'not-found') || error.code !== 'id-missing') throw error
    const message = `Error executing plan: Internal error: Error finding id (${error.message})`
    throw new ApiProblem(500, 'InternalError', 'id-missing', message, error)
  }
}

async function count(call: Call): Promise<Answer> {
  const collection = await openForReading(call)
  return json(await collection.count(readOptionsOf(call)))
}

async function indexingStatus(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  const { totalOps, indexedOps, unindexedOps } = await collection.indexingStatus()
  const progress = numberText(totalOps === 0 ? 1 : indexedOps / totalOps)
  const counts = JSON.stringify({ num_unindexed_ops: unindexedOps, num_indexed_ops: indexedOps, total_ops: totalOps })
  return { text: `{"op_indexing_progress":${progress},${counts.slice(1)}` }
}
