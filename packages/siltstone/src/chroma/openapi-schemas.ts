/** JSON Schemas of bodies and answers, for the OpenAPI document. */
import type { JsonSchema } from './route.ts'

export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` })
export const list = (items: JsonSchema): JsonSchema => ({ type: 'array', items })
export const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] })
export const object = (properties: Record<string, JsonSchema>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
})

export const text: JsonSchema = { type: 'string' }
export const uint: JsonSchema = { type: 'integer', minimum: 0 }
export const bool: JsonSchema = { type: 'boolean' }
export const map: JsonSchema = { type: 'object', additionalProperties: true }
export const texts = list(text)
const nullableTexts = list({ type: ['string', 'null'] })

const vector: JsonSchema = {
  description: 'Numbers, or base64 of little-endian 32-bit floats',
  oneOf: [list({ type: 'number' }), { type: 'string', format: 'byte' }],
}
const include = list({ enum: ['distances', 'documents', 'embeddings', 'metadatas', 'uris'] })
const readLevel: JsonSchema = { enum: ['index_and_wal', 'index_only', 'index_and_bounded_wal'] }
const filter = { where: map, where_document: map }

const recordLists = {
  ids: texts,
  documents: nullableTexts,
  uris: nullableTexts,
  metadatas: list(orNull(ref('Metadata'))),
}
const getBody = { ids: texts, ...filter, limit: uint, offset: uint, include, read_level: readLevel }
const getAnswer = {
  ids: texts,
  embeddings: orNull(list(orNull(list({ type: 'number' })))),
  documents: orNull(nullableTexts),
  uris: orNull(nullableTexts),
  metadatas: orNull(list(orNull(ref('Metadata')))),
  include,
}
const pageToken = { ...text, description: 'From x-siltstone-page-token: the next page of the same state' }
const nested = (schema: JsonSchema): JsonSchema => orNull(list(list(schema)))

export const components: Record<string, JsonSchema> = {
  Error: object({ error: text, message: text, code: text }, ['error', 'message']),
  Metadata: {
    type: 'object',
    description: 'Booleans, 64-bit integers, floats, strings, arrays of one of these, or sparse vectors',
    additionalProperties: true,
  },
  Tenant: object({ name: text, resource_name: { type: ['string', 'null'] } }),
  Database: object({ id: { type: 'string', format: 'uuid' }, name: text, tenant: text }),
  Collection: object({
    id: { type: 'string', format: 'uuid' },
    name: text,
    configuration_json: map,
    schema: map,
    metadata: orNull(ref('Metadata')),
    dimension: { type: ['integer', 'null'] },
    tenant: text,
    database: text,
    log_position: uint,
    version: uint,
  }),
  CreateCollection: object(
    {
      name: text,
      metadata: orNull(ref('Metadata')),
      configuration: orNull(map),
      schema: orNull(map),
      get_or_create: bool,
    },
    ['name'],
  ),
  UpdateCollection: object({
    new_name: text,
    new_metadata: ref('Metadata'),
    new_configuration: map,
    new_schema: {
      ...object({ keys: map }, ['keys']),
      description: 'Indexes of keys, as in the schema of a new collection',
    },
  }),
  AddRecords: object(
    {
      ...recordLists,
      embeddings: { ...list(vector), description: 'Optional where documents are given: the server embeds them' },
    },
    ['ids'],
  ),
  UpdateRecords: object(
    {
      ...recordLists,
      embeddings: list(orNull(vector)),
      embed: { ...bool, description: 'Embed the given documents where no embedding is given' },
    },
    ['ids'],
  ),
  DeleteRecords: object({ ids: texts, ...filter, limit: uint }),
  GetRecords: object({
    ...getBody,
    page_token: pageToken,
  }),
  GetAnswer: object(getAnswer),
  QueryRecords: object({
    query_embeddings: list(list({ type: 'number' })),
    query_texts: { ...texts, description: 'Instead of query_embeddings: the server embeds them' },
    n_results: { ...uint, default: 10 },
    ids: texts,
    ...filter,
    include,
    read_level: readLevel,
  }),
  QueryAnswer: object({
    ids: list(texts),
    embeddings: nested(orNull(list({ type: 'number' }))),
    documents: nested({ type: ['string', 'null'] }),
    uris: nested({ type: ['string', 'null'] }),
    metadatas: nested(orNull(ref('Metadata'))),
    distances: nested({ type: ['number', 'null'] }),
    include,
  }),
  Rank: {
    type: 'object',
    description:
      'One of $val, $knn, $sum, $mul, $max, $min, $sub, $div, $abs, $exp, $log, $attr: docs/reference/search.md has the grammar',
    additionalProperties: true,
    minProperties: 1,
    maxProperties: 1,
  },
  Search: object({
    filter: orNull(map),
    rank: orNull(ref('Rank')),
    group_by: orNull(object({ keys: texts, aggregate: map })),
    limit: orNull(object({ offset: uint, limit: { type: ['integer', 'null'], minimum: 0 } })),
    select: orNull(object({ keys: texts })),
    max_score: { type: ['number', 'null'], description: 'Only records with at most this score' },
    facets: orNull(object({ keys: texts, limit: uint }, ['keys'])),
    highlight: orNull(object({ texts, fragments: uint, length: uint })),
    order_by: orNull(list(object({ key: { type: 'string' }, order: { enum: ['asc', 'desc'] } }, ['key']))),
    mmr: orNull(object({ lambda: { type: 'number' }, candidates: uint })),
    did_you_mean: orNull(object({ text: { type: 'string' } })),
    suggest: orNull(object({ text: { type: 'string' }, limit: uint }, ['text'])),
  }),
  KnownWord: object({ word: { type: 'string' }, documents: uint }),
  SearchRecords: object({ searches: list(ref('Search')), read_level: readLevel }, ['searches']),
  SearchAnswer: object({
    ids: list(texts),
    documents: list(orNull(nullableTexts)),
    embeddings: list(orNull(list(orNull(list({ type: 'number' }))))),
    metadatas: list(orNull(list(orNull(ref('Metadata'))))),
    scores: list(orNull(list({ type: 'number' }))),
    select: list(texts),
    facets: { ...list(orNull(map)), description: 'Where a search asks for them' },
    highlights: {
      ...list(orNull(list(orNull(list(texts))))),
      description: 'Where a search asks for them: of each hit, fragments of unmarked and marked parts in turn',
    },
    did_you_mean: {
      ...list(
        orNull(
          object({
            text: { type: 'string' },
            words: list(object({ word: { type: 'string' }, documents: uint, suggestions: list(ref('KnownWord')) })),
          }),
        ),
      ),
      description:
        'Where a search asks for it: its text with unknown and rare words corrected; null: nothing to suggest',
    },
    suggestions: { ...list(orNull(list(ref('KnownWord')))), description: 'Where a search asks for them' },
    explanations: { ...list(list(map)), description: 'With the header x-siltstone-explain: true' },
  }),
  IndexingStatus: object({
    op_indexing_progress: { type: 'number' },
    num_unindexed_ops: uint,
    num_indexed_ops: uint,
    total_ops: uint,
  }),
  ConditionalGet: object({ ...getBody, page_token: pageToken, read_token: { type: ['integer', 'null'] } }),
  ConditionalGetAnswer: object({ ...getAnswer, read_token: uint }),
  ConditionalCommit: object(
    {
      read_token: { type: ['integer', 'null'] },
      read_ids: texts,
      operations: list(
        object({ operation: { enum: ['add', 'update', 'upsert', 'delete'] }, payload: map }, ['operation', 'payload']),
      ),
    },
    ['operations'],
  ),
  ConditionalCommitAnswer: object({ first_inserted_record_offset: { type: ['integer', 'null'] }, record_count: uint }),
}

/** The names of a body's fields; undefined when it may have any. */
export function fieldsOf(schema: JsonSchema | undefined): ReadonlySet<string> | undefined {
  if (schema === undefined) return undefined
  const known = fieldSets.get(schema)
  if (known) return known
  const name = (schema['$ref'] as string | undefined)?.split('/').at(-1)
  const { properties } = name === undefined ? schema : (components[name] as JsonSchema)
  if (properties === undefined) return undefined
  const made = new Set(Object.keys(properties as object))
  fieldSets.set(schema, made)
  return made
}

const fieldSets = new WeakMap<JsonSchema, ReadonlySet<string>>()
