/** Endpoints that look at collections. */
import { databaseOf, pageOf, readOptionsOf, uintQuery } from '../../chroma/call.ts'
import { text, uint } from '../../chroma/openapi-schemas.ts'
import type { Answer, Call, Route } from '../../chroma/route.ts'
import { yieldToEventLoop } from '#codec'
import { fieldsOf } from '../../engine/fields.ts'
import { mapOf, MAX_MAP_RECORDS } from '../../engine/map.ts'
import { summaryOf } from '../../engine/summary.ts'
import { invalid, isSiltstoneError } from '../../errors.ts'
import { parseWhere } from '../../filter/index.ts'
import type { CollectionInfo } from '../../model/collection.ts'
import type { CollectionSummary } from '../../model/maintenance.ts'
import type { Collection } from '../../model/store.ts'
import { parseExact } from '../../records/exact-json.ts'
import { list } from '../../chroma/openapi-schemas.ts'
import { COLLECTION, collectionOf, COLLECTIONS } from '../call.ts'
import { exactAnswer } from '../json-text.ts'
import { SCHEMAS } from '../schemas.ts'

const PAGE = 100
const AT_ONCE = 8
const MAX_VALUES = 1_000
const MAX_RECORDS = 1_000_000

export const collectionRoutes: Route[] = [
  {
    method: 'GET',
    path: COLLECTIONS,
    operation: 'siltstone_collections',
    tag: 'Siltstone',
    summary: 'Collections with version, counts and size, ordered by id; 100 without a limit',
    access: 'read',
    query: { limit: uint, offset: uint },
    answer: list(SCHEMAS.summary),
    handle: listCollections,
  },
  {
    method: 'GET',
    path: COLLECTION,
    operation: 'siltstone_collection',
    tag: 'Siltstone',
    summary: 'A collection, by its name or id, with version, counts and size',
    access: 'read',
    answer: SCHEMAS.summary,
    handle: showCollection,
  },
  {
    method: 'GET',
    path: `${COLLECTION}/fields`,
    operation: 'siltstone_fields',
    tag: 'Siltstone',
    summary: 'The keys of the metadata, with types and the most frequent values, of up to 100,000 records',
    access: 'read',
    isRead: true,
    query: {
      key: { ...text, description: 'Only this key' },
      values: { ...uint, description: 'Values listed for each key; default 20' },
      where: { ...text, description: 'Only records that match this filter, as JSON' },
      maxRecords: { ...uint, description: 'Records to read; default 100,000' },
    },
    answer: SCHEMAS.fields,
    handle: fields,
  },
  {
    method: 'GET',
    path: `${COLLECTION}/map`,
    operation: 'siltstone_map',
    tag: 'Siltstone',
    summary: 'Records of a sample as points: their vectors on the two principal components, and the values of a key',
    access: 'read',
    isRead: true,
    query: {
      records: { ...uint, description: `Points at most; default 2,000, at most ${MAX_MAP_RECORDS}` },
      key: { ...text, description: 'The key of the metadata whose values are given' },
    },
    answer: SCHEMAS.map,
    handle: map,
  },
]

export async function openInfo(call: Call, { tenant, database, id }: CollectionInfo): Promise<Collection> {
  return call.options.engine.collection(tenant, database, id)
}

async function listCollections(call: Call): Promise<Answer> {
  const { tenant, database } = databaseOf(call)
  const page = { limit: PAGE, ...pageOf(call) }
  const infos = await call.options.engine.catalog.listCollections(tenant, database, page)
  const found: (CollectionSummary | undefined)[] = []
  for (let i = 0; i < infos.length; i += AT_ONCE)
    found.push(...(await Promise.all(infos.slice(i, i + AT_ONCE).map((info) => summaryIfThere(call, info)))))
  return exactAnswer(found.filter((one) => one !== undefined))
}

/** undefined for a collection that was deleted meanwhile */
async function summaryIfThere(call: Call, info: CollectionInfo): Promise<CollectionSummary | undefined> {
  try {
    return await summaryOf(info, await openInfo(call, info))
  } catch (error) {
    if (isSiltstoneError(error, 'not-found')) return undefined
    throw error
  }
}

async function showCollection(call: Call): Promise<Answer> {
  const info = await collectionOf(call)
  const summary = await summaryOf(info, await openInfo(call, info))
  return exactAnswer(summary, { version: summary.version })
}

async function fields(call: Call): Promise<Answer> {
  const info = await collectionOf(call)
  const key = call.query('key')
  const values = bounded(call, 'values', MAX_VALUES)
  const maxRecords = bounded(call, 'maxRecords', MAX_RECORDS)
  const where = call.query('where')
  const report = await fieldsOf(await openInfo(call, info), {
    ...readOptionsOf(call),
    ...(key !== undefined && { key }),
    ...(values !== undefined && { values }),
    ...(maxRecords !== undefined && { maxRecords }),
    ...(where !== undefined && { filter: parseWhere(jsonOf(where)) }),
  })
  return exactAnswer(report, { version: report.version })
}

function bounded(call: Call, name: string, max: number): number | undefined {
  const value = uintQuery(call, name)
  if (value === undefined || value <= max) return value
  throw invalid('over-limit', `${name} is ${value}; give at most ${max}`, { field: name })
}

function jsonOf(where: string) {
  try {
    return parseExact(where)
  } catch (cause) {
    throw invalid('where-clause', `where is not JSON: ${(cause as Error).message}`, { field: 'where', cause })
  }
}

async function map(call: Call): Promise<Answer> {
  const info = await collectionOf(call)
  const records = bounded(call, 'records', MAX_MAP_RECORDS)
  const key = call.query('key')
  const report = await mapOf(
    await openInfo(call, info),
    { ...readOptionsOf(call), ...(records !== undefined && { records }), ...(key !== undefined && { key }) },
    yieldToEventLoop,
  )
  return exactAnswer(report, { version: report.version })
}
