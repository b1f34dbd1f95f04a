/**
 * Conditional transactions: reads, and then a commit that succeeds only if no record that was read has changed.
 *
 * The read token is the version of the first read. Later reads of the transaction send it and see the same version; the
 * commit is checked against all later writes. If the version is no longer kept, the answer is a stale read (412).
 */
import { conflict, invalid, isSiltstoneError } from '../../errors.ts'
import type { RecordOp } from '../../model/record.ts'
import { getText } from '../answers.ts'
import { embedderOf, openCollection } from '../call.ts'
import { Fields, readBigUint, readList, readWord } from '../wire/fields.ts'
import { checkRecordCount, idsReader, type RequestLimits } from '../wire/request-limits.ts'
import { readRecords, type EmbedTexts } from '../wire/record-bodies.ts'
import { type Answer, type Call, json, type Route } from '../route.ts'
import { ref } from '../openapi-schemas.ts'
import { getRequest } from './records-read.ts'

const COLLECTION = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}'

export const conditionalRoutes: Route[] = [
  {
    method: 'POST',
    path: `${COLLECTION}/conditional/get`,
    operation: 'collection_conditional_get',
    tag: 'Record',
    summary: 'A get whose answer contains the token for a conditional commit',
    access: 'read',
    body: ref('ConditionalGet'),
    answer: ref('ConditionalGetAnswer'),
    handle: conditionalGet,
  },
  {
    method: 'POST',
    path: `${COLLECTION}/conditional/commit`,
    operation: 'collection_conditional_commit',
    tag: 'Record',
    summary: 'Writes only if no record that was read has changed (else 409, 412)',
    access: 'write',
    body: ref('ConditionalCommit'),
    answer: ref('ConditionalCommitAnswer'),
    handle: conditionalCommit,
  },
]

/** Error codes of reads of a version that is no longer kept, or of another history. */
const NOT_KEPT = new Set(['gone', 'version-not-reached'])

async function conditionalGet(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  const body = await call.body()
  const token = body.optional('read_token', readBigUint)
  const { names, ...request } = getRequest(call, body, collection)
  try {
    const response = await collection.get(token === undefined ? request : { ...request, at: token })
    const text = getText(response, names, { read_token: token ?? response.version })
    return { text, version: response.version }
  } catch (error) {
    if (token === undefined || !isSiltstoneError(error, 'not-found') || !NOT_KEPT.has(error.code)) throw error
    throw conflict('stale-read', `version ${token} is no longer kept: start the transaction again`, { cause: error })
  }
}

async function conditionalCommit(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  const body = await call.body()
  const token = body.optional('read_token', readBigUint)
  const readIds = body.optional('read_ids', idsReader(call.limits)) ?? []
  if (token === undefined && readIds.length > 0) {
    throw invalid('read-token-missing', 'conditional commit with read_ids requires read_token', { field: 'read_token' })
  }
  const embed = embedderOf(call, collection)
  const operations: RecordOp[] = []
  for (const [i, item] of body.required('operations', readList).entries()) {
    for (const one of await readOperation(Fields.of(item, `operations[${i}]`), embed, call.limits)) operations.push(one)
    checkRecordCount('operations', operations.length, call.limits)
  }
  if (operations.length === 0) return json({ first_inserted_record_offset: null, record_count: 0 })
  const { version, recordCount } = await collection.commitIf({
    ...(token !== undefined && { readToken: String(token) }),
    readIds,
    operations,
  })
  return json({ first_inserted_record_offset: version, record_count: recordCount }, { version })
}

const readKind = readWord(['add', 'update', 'upsert', 'delete'])

async function readOperation(
  item: Fields,
  embed: EmbedTexts | undefined,
  limits: RequestLimits,
): Promise<readonly RecordOp[]> {
  const kind = item.required('operation', readKind)
  const payload = item.required('payload', (json, path) => Fields.of(json, path))
  if (kind !== 'delete') return readRecords(kind, payload, embed, limits)
  const ids = payload.optional('ids', idsReader(limits)) ?? []
  if (ids.length === 0 || payload.has('where') || payload.has('where_document') || payload.has('limit')) {
    const text = 'A conditional delete needs ids; a filter or a limit cannot be committed conditionally'
    throw invalid('conditional-delete', text, { field: payload.path })
  }
  return ids.map((id) => ({ op: 'delete', id, vector: null, document: null, metadata: null, uri: null }))
}
