import type { DeleteRequest } from '../../model/write.ts'
import { embedderOf, openCollection, withEmbeddedTexts } from '../call.ts'
import type { Fields } from '../wire/fields.ts'
import { readUint } from '../wire/fields.ts'
import { checkIndexed, filterOf } from '../wire/filters.ts'
import { badValue } from '../wire/problem.ts'
import { idsReader, type RequestLimits } from '../wire/request-limits.ts'
import { readRecords, type RecordsOp } from '../wire/record-bodies.ts'
import { type Answer, type Call, json, type Route } from '../route.ts'
import { object, ref, uint } from '../openapi-schemas.ts'

const COLLECTION = '/api/v2/tenants/{tenant}/databases/{database}/collections/{collection_id}'

export const recordWriteRoutes: Route[] = [
  {
    method: 'POST',
    path: `${COLLECTION}/add`,
    operation: 'collection_add',
    tag: 'Record',
    summary: 'Adds records; existing ids are ignored',
    access: 'write',
    body: ref('AddRecords'),
    answer: object({}),
    status: 201,
    handle: (call) => write(call, 'add'),
  },
  {
    method: 'POST',
    path: `${COLLECTION}/upsert`,
    operation: 'collection_upsert',
    tag: 'Record',
    summary: 'Adds records, or changes existing ones',
    access: 'write',
    body: ref('AddRecords'),
    answer: object({}),
    handle: (call) => write(call, 'upsert'),
  },
  {
    method: 'POST',
    path: `${COLLECTION}/update`,
    operation: 'collection_update',
    tag: 'Record',
    summary: 'Changes records; missing ids are ignored',
    access: 'write',
    body: ref('UpdateRecords'),
    answer: object({}),
    handle: (call) => write(call, 'update'),
  },
  {
    method: 'POST',
    path: `${COLLECTION}/delete`,
    operation: 'collection_delete',
    tag: 'Record',
    summary: 'Deletes records by ids, by a filter, or by both; returns the number of deleted records',
    access: 'write',
    body: ref('DeleteRecords'),
    answer: object({ deleted: uint }),
    handle: deleteRecords,
  },
]

async function write(call: Call, op: RecordsOp): Promise<Answer> {
  const collection = await openCollection(call)
  const body = await call.body()
  const records = await readRecords(op, body, embedderOf(call, collection), call.limits)
  const run = () => collection.write(records)
  const { version } = await (body.has('embeddings') ? run() : withEmbeddedTexts('embeddings', run))
  return json({}, { version })
}

async function deleteRecords(call: Call): Promise<Answer> {
  const collection = await openCollection(call)
  const request = deleteRequest(await call.body(), call.limits)
  checkIndexed(request.filter, collection.info)
  const { version, deleted } = await collection.delete(request)
  return json({ deleted }, { version })
}

function deleteRequest(body: Fields, limits: RequestLimits): DeleteRequest {
  const ids = body.optional('ids', idsReader(limits))
  const filter = filterOf(body, limits)
  const limit = body.optional('limit', readUint)
  if (ids?.length === 0 && filter === undefined) {
    throw badValue('ids, where', 'Either ids or where must be specified')
  }
  if (limit !== undefined && filter === undefined) {
    throw badValue('limit, where', 'limit can only be specified when a where clause is provided')
  }
  return { ...(ids && { ids }), ...(filter && { filter }), ...(limit !== undefined && { limit }) }
}
