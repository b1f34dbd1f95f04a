/**
 * Conditional transactions: reads, then a commit that holds only if nothing that was read has changed since.
 *
 * The read token is the version of the first read. Later reads of the transaction give it back and see that same
 * version, whatever was written since; the commit is checked against everything after it. A version that is no longer
 * kept is a stale read (412).
 */
import { conflict, invalid, isSiltstoneError } from '../../errors.ts'
import type { RecordOp } from '../../model/record.ts'
import { getText } from '../answers.ts'
import { embedderOf, openCollection } from '../call.ts'
import { Fields, readBigUint, readList, readStrings, readWord } from '../wire/fields.ts'
import type { IncludeName } from '../wire/include.ts'
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
    summary: 'A get whose answer carries the token for a conditional commit',
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
    summary: 'Writes only if none of the ids that were read has changed since (409, 412)',
    access: 'write',
    body: ref('ConditionalCommit'),
    answer: ref('ConditionalCommitAnswer'),
    handle: conditionalCommit,
  },
]

/** What a read of an old version, or of one of another history, is refused with. */
const NOT_KEPT = new Set(['gone', 'version-not-reached'])

async function conditionalGet(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  const body = await call.body()
  const token = body.optional('read_token', readBigUint)
  const { names, ...request } = getRequest(call, body, collection)
  try {
    const response = await collection.get(token === undefined ? request : { ...request, at: token })
    const text = getText(response, names as IncludeName[], { read_token: token ?? response.version })
    return { text, version: response.version }
  } catch (error) {
    if (token === undefined || !isSiltstoneError(error, 'not-found') || !NOT_KEPT.has(error.code)) throw error
    throw conflict('stale-read', `version ${token} is no longer kept: begin the transaction again`, { cause: error })
  }
}

async function conditionalCommit(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  const body = await call.body()
  const token = body.optional('read_token', readBigUint)
  const readIds = body.optional('read_ids', readStrings) ?? []
  if (token === undefined && readIds.length > 0) {
    throw invalid('read-token-missing', 'conditional commit with read_ids requires read_token', { field: 'read_token' })
  }
  const embed = embedderOf(call, collection)
  const operations: RecordOp[] = []
  for (const [i, item] of body.required('operations', readList).entries()) {
    operations.push(...(await readOperation(Fields.of(item, `operations[${i}]`), embed)))
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

async function readOperation(item: Fields, embed: EmbedTexts | undefined): Promise<readonly RecordOp[]> {
  const kind = item.required('operation', readKind)
  const payload = item.required('payload', (json, path) => Fields.of(json, path))
  if (kind !== 'delete') return readRecords(kind, payload, embed)
  const ids = payload.optional('ids', readStrings) ?? []
  if (ids.length === 0 || payload.has('where') || payload.has('where_document') || payload.has('limit')) {
    const text = 'A conditional delete names its ids; a filter or a limit cannot be committed conditionally'
    throw invalid('conditional-delete', text, { field: payload.path })
  }
  return ids.map((id) => ({ op: 'delete', id, vector: null, document: null, metadata: null, uri: null }))
}
