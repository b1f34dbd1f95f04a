/** Reads and checks the `schema` of a request that creates a collection, and merges it over the defaults. */
import { type Space, SPACES } from '../../model/collection.ts'
import { isDefaultEmbeddingFunction, readEmbeddingFunction } from '../embedding-function.ts'
import { Fields, readBoolean, readString, readWord } from '../wire/fields.ts'
import { DEFAULT_HNSW, type HnswParameters, readSchemaHnsw } from './hnsw.ts'
import { badShape, badValue, schemaProblem } from '../wire/problem.ts'
import { DOCUMENT_KEY, EMBEDDING_KEY, type Index, isTextKey, type Schema, type ValueTypes } from '../../model/schema.ts'
import { type Language, LANGUAGES } from '../../model/text-fields.ts'
import { defaultSchema } from './schema.ts'

export interface VectorIndex {
  space?: Space
  hnsw?: Partial<HnswParameters>
  embeddingFunction?: Record<string, unknown>
}

export interface UserSchema {
  /** Equal to the defaults. */
  isDefault: boolean
  /** Merged over the defaults, without the vector index's parameters. */
  merged: Record<string, unknown>
  /** The parameters of #embedding's index. */
  vectorIndex: VectorIndex
}

const INDEXES: Record<string, readonly string[]> = {
  string: ['fts_index', 'string_inverted_index'],
  float_list: ['vector_index'],
  sparse_vector: ['sparse_vector_index'],
  int: ['int_inverted_index'],
  float: ['float_inverted_index'],
  bool: ['bool_inverted_index'],
}

/** @throws ApiProblem 422 (types), SiltstoneError `invalid` (settings that a schema may not have) */
export function readSchema(json: unknown, path: string): UserSchema {
  const fields = Fields.of(json, path)
  const defaults = fields.required('defaults', readValueTypes)
  const keysName = fields.has('keys') ? 'keys' : 'key_overrides'
  const keys = fields.required(keysName, (json, keysPath) => readKeys(Fields.of(json, keysPath)))
  const cmek = fields.optional('cmek', readCmek)
  const text = fields.optional('text', readText)
  checkDefaults(defaults)
  const merged = merge({ defaults, keys: Object.fromEntries(keys) })
  const vectorIndex = takeVectorIndex(merged)
  const isDefault =
    isDefaultIndex(vectorIndex) && cmek === undefined && text === undefined && JSON.stringify(merged) === DEFAULT_TEXT
  return { isDefault, merged: { ...merged, ...(cmek && { cmek }), ...(text && { text }) }, vectorIndex }
}

/** @throws ApiProblem 422 (types), SiltstoneError `invalid` (settings that a schema may not have) */
export function readKeys(fields: Fields): [string, ValueTypes][] {
  return [...fields.keys].map((key) => {
    const types = fields.required(key, readValueTypes)
    checkKey(key, types)
    return [key, types]
  })
}

const KEY_OF_GCP = /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/

/** The name of a customer's encryption key. It is stored and returned; a bucket's own settings decide on encryption. */
function readCmek(json: unknown, path: string): { gcp: string } {
  const fields = Fields.of(json, path)
  fields.denyUnknown(['gcp'])
  const gcp = fields.required('gcp', readString)
  if (!KEY_OF_GCP.test(gcp))
    throw badValue('schema', `CMEK does not match the pattern of its provider: ${gcp.slice(0, 200)}`)
  return { gcp }
}

/** An extension: the keys whose texts are searched by words. */
export function readText(json: unknown, path: string): Record<string, { language: Language }> {
  const fields = Fields.of(json, path)
  const text = [...fields.keys].map((key) => {
    if (!isTextKey(key))
      throw badValue('schema', `text can name ${DOCUMENT_KEY} and metadata keys, and '${key.slice(0, 60)}' is neither`)
    const field = fields.required(key, (value, below) => Fields.of(value, below))
    field.denyUnknown(['language'])
    return [key, { language: field.required('language', readWord(LANGUAGES)) }] as const
  })
  // fromEntries defines properties, so a key named __proto__ is a key like any other.
  return Object.fromEntries(text)
}

function readValueTypes(json: unknown, path: string): ValueTypes {
  const fields = Fields.of(json, path)
  const types: ValueTypes = {}
  for (const [type, names] of Object.entries(INDEXES)) {
    // Old clients prefix type names with # and index names with $.
    const field = fields.has(type) ? type : `#${type}`
    const value = fields.optional(field, (value, valuePath) => Fields.of(value, valuePath))
    if (value === undefined) continue
    types[type] = {}
    for (const name of names) {
      const read = value.optional(value.has(name) ? name : `$${name}`, (item, itemPath) =>
        readIndex(name, item, itemPath),
      )
      if (read !== undefined) types[type][name] = read
    }
  }
  return types
}

function readIndex(name: string, json: unknown, path: string): Index {
  const fields = Fields.of(json, path)
  const enabled = fields.required('enabled', readBoolean)
  const config = fields.required('config', (value, valuePath) => readConfig(name, Fields.of(value, valuePath)))
  return { enabled, config }
}

function readConfig(name: string, fields: Fields): Record<string, unknown> {
  if (name === 'vector_index') return readVectorConfig(fields)
  if (name === 'sparse_vector_index') {
    fields.denyUnknown(['embedding_function', 'source_key', 'bm25', 'algorithm'])
    return withoutUndefined({
      embedding_function: fields.optional('embedding_function', readEmbeddingFunction),
      source_key: fields.optional('source_key', readString),
      bm25: fields.optional('bm25', readBoolean),
      algorithm: readAlgorithm(fields, ['wand', 'max_score']),
    })
  }
  fields.denyUnknown(name === 'fts_index' ? ['algorithm'] : [])
  return withoutUndefined({ algorithm: readAlgorithm(fields, ['trigram', 'token_bitmap']) })
}

function readVectorConfig(fields: Fields): Record<string, unknown> {
  fields.denyUnknown(['space', 'embedding_function', 'source_key', 'hnsw', 'spann'])
  if (fields.has('hnsw') && fields.has('spann')) {
    throw badValue('schema', 'Both spann and hnsw config cannot be present at the same time.')
  }
  // Siltstone has one kind of index: SPANN's parameters are checked for their shape and dropped.
  fields.optional('spann', (json, path) => Fields.of(json, path))
  return withoutUndefined({
    space: fields.optional('space', readWord(SPACES)),
    embedding_function: fields.optional('embedding_function', readEmbeddingFunction),
    source_key: fields.optional('source_key', readString),
    hnsw: fields.optional('hnsw', (json, path) => readSchemaHnsw(Fields.of(json, path))),
  })
}

/** @param words the first one is the default, which the schema leaves out */
function readAlgorithm(fields: Fields, words: readonly string[]): string | undefined {
  const word = fields.optional('algorithm', readWord(words))
  return word === words[0] ? undefined : word
}

function withoutUndefined(config: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
}

function checkDefaults(types: ValueTypes): void {
  if (types['float_list']?.['vector_index']?.enabled === true) {
    throw badValue('schema', 'Vector index cannot be enabled by default. It can only be enabled on #embedding field.')
  }
  if (types['sparse_vector']?.['sparse_vector_index']?.enabled === true) {
    throw badValue(
      'schema',
      'Sparse vector index cannot be enabled by default. Please enable sparse vector index on specific keys.',
    )
  }
  if (types['string']?.['fts_index']?.enabled === true) {
    throw badValue(
      'schema',
      'Full text search / regular expression index cannot be enabled by default. It can only be enabled on #document field.',
    )
  }
}

function checkKey(key: string, types: ValueTypes): void {
  if (key.startsWith('#') && key !== DOCUMENT_KEY && key !== EMBEDDING_KEY) {
    throw badValue('schema', `key cannot begin with '#'. Keys starting with '#' are reserved for system use: ${key}`)
  }
  const only = key === DOCUMENT_KEY ? 'string' : key === EMBEDDING_KEY ? 'float_list' : undefined
  if (only !== undefined && Object.keys(types).some((type) => type !== only)) {
    const what = key === DOCUMENT_KEY ? 'Document' : 'Embedding'
    throw badValue('schema', `${what} field cannot have any value types other than ${only}: ${key}`)
  }
  const vector = types['float_list']?.['vector_index']
  if (vector?.enabled === true && key !== EMBEDDING_KEY) {
    throw badValue('schema', `Vector index can only be enabled on #embedding field: ${key}`)
  }
  if ((vector?.config['source_key'] ?? DOCUMENT_KEY) !== DOCUMENT_KEY) {
    throw badValue('schema', 'Vector index can only source from #document')
  }
  checkSparse(types['sparse_vector']?.['sparse_vector_index'])
  const { fts_index: fts, string_inverted_index: inverted } = types['string'] ?? {}
  if (fts?.enabled === true && key !== DOCUMENT_KEY) {
    const text = 'Full text search / regular expression index can only be enabled on #document field'
    throw badValue('schema', `${text}: ${key}`)
  }
  if (inverted?.enabled === true && key === DOCUMENT_KEY) {
    throw badValue('schema', `String inverted index can not be enabled on #document key: ${key}`)
  }
}

function checkSparse(sparse: Index | undefined): void {
  const { source_key: sourceKey, embedding_function: embeddingFunction } = sparse?.config ?? {}
  if (typeof sourceKey !== 'string') return
  if (sparse?.enabled === true && embeddingFunction === undefined) {
    throw badValue(
      'schema',
      'If source_key is provided then embedding_function must also be provided since there is no default embedding function.',
    )
  }
  if (sourceKey.startsWith('#') && sourceKey !== DOCUMENT_KEY) {
    throw badValue('schema', `source_key cannot begin with '#'. The only valid key starting with '#' is '#document'.`)
  }
}

function merge(user: Schema): Schema {
  const base = defaultSchema()
  const keys = new Map(Object.entries(base.keys))
  for (const [key, types] of Object.entries(user.keys)) keys.set(key, mergeTypes(keys.get(key) ?? {}, types))
  return { defaults: mergeTypes(base.defaults, user.defaults), keys: Object.fromEntries(keys) }
}

function mergeTypes(base: ValueTypes, user: ValueTypes): ValueTypes {
  const merged = { ...base }
  for (const [type, indexes] of Object.entries(user)) {
    merged[type] = { ...merged[type] }
    for (const [name, { enabled, config }] of Object.entries(indexes)) {
      merged[type][name] = { enabled, config: { ...merged[type][name]?.config, ...config } }
    }
  }
  return merged
}

/** Moves the parameters of #embedding's index out of the schema; those of the disabled default are dropped. */
function takeVectorIndex(schema: Schema): VectorIndex {
  const taken: VectorIndex = {}
  for (const types of [schema.defaults, schema.keys[EMBEDDING_KEY]]) {
    const vector = types?.['float_list']?.['vector_index']
    if (vector === undefined) throw badShape('schema', 'missing vector_index')
    const { space, hnsw, embedding_function: embeddingFunction, ...config } = vector.config
    vector.config = config
    if (types === schema.defaults) continue
    if (space !== undefined) taken.space = space as Space
    if (hnsw !== undefined) taken.hnsw = hnsw as Partial<HnswParameters>
    if (embeddingFunction !== undefined) taken.embeddingFunction = embeddingFunction as Record<string, unknown>
  }
  for (const name of ['batch_size', 'sync_threshold'] as const) {
    if ((taken.hnsw?.[name] ?? 2) < 2) throw schemaProblem(`Invalid HNSW configuration: ${name} must be at least 2`)
  }
  return taken
}

function isDefaultIndex({ space = 'l2', hnsw = {}, embeddingFunction }: VectorIndex): boolean {
  const names = Object.keys(hnsw) as (keyof HnswParameters)[]
  return (
    space === 'l2' &&
    isDefaultEmbeddingFunction(embeddingFunction) &&
    names.every((name) => name === 'num_threads' || hnsw[name] === DEFAULT_HNSW[name])
  )
}

const DEFAULT_TEXT = JSON.stringify(defaultSchema())
