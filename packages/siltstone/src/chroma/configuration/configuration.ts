/**
 * A collection's configuration: built from `configuration`, `schema` and legacy metadata at creation, changed by PUT, and
 * returned in `configuration_json`.
 *
 * The configuration is authoritative for the vector index (space, HNSW parameters, embedding function). A stored schema
 * holds the rest; when it is returned, the configuration's values are merged into it.
 */
import { type CollectionInfo, type Space, SPACES } from '../../model/collection.ts'
import { invalid, type SiltstoneError } from '../../errors.ts'
import { isDefaultEmbeddingFunction, readEmbeddingFunction } from '../embedding-function.ts'
import { Fields, readBigUint, readWord } from '../wire/fields.ts'
import {
  DEFAULT_HNSW,
  type HnswParameters,
  isDefaultHnsw,
  legacyHnsw,
  readHnsw,
  readHnswChange,
  type VectorIndexConfiguration,
} from './hnsw.ts'
import { EMBEDDING_KEY, type Schema } from '../../model/schema.ts'
import { badValue, schemaProblem } from '../wire/problem.ts'
import { defaultSchema } from './schema.ts'
import { readKeys, readText, readSchema, type UserSchema } from './schema-read.ts'

export interface NewConfiguration {
  space: Space
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
}

/**
 * @param body of `POST …/collections`
 * @throws ApiProblem 422 (types), SiltstoneError `invalid` (contradictions)
 */
export function newConfiguration(body: Fields): NewConfiguration {
  const configuration = readConfiguration(body)
  const schema = body.optional('schema', readSchema)
  const schemaDecides = schema !== undefined && (isDefault(configuration) || saysTheSame(configuration, schema))
  if (schema !== undefined && !schema.isDefault && !schemaDecides) {
    throw schemaProblem('Cannot set both collection config and schema simultaneously')
  }
  if (schemaDecides) applySchema(configuration, schema)
  return {
    space: configuration.hnsw.space,
    configuration: toStored(configuration),
    schema: schema === undefined || schema.isDefault ? null : schema.merged,
  }
}

function readConfiguration(body: Fields): VectorIndexConfiguration {
  const fields = body.optional('configuration', (json, path) => Fields.of(json, path)) ?? new Fields(new Map(), '')
  const given = fields.optional('hnsw', (json, path) => readHnsw(Fields.of(json, path)))
  const spann = fields.optional('spann', (json, path) => readSpann(Fields.of(json, path)))
  if (given !== undefined && spann !== undefined) throw twoIndexes()
  const legacy = body.optional('metadata', legacyHnsw)
  // Siltstone has one kind of index; from SPANN's configuration it uses only the space.
  const hnsw = { ...DEFAULT_HNSW, ...given, ...(spann?.space !== undefined && { space: spann.space }) }
  const useLegacy = spann === undefined && legacy !== undefined && isDefaultHnsw(hnsw)
  return {
    hnsw: useLegacy ? { ...DEFAULT_HNSW, ...legacy } : hnsw,
    embeddingFunction: fields.optional('embedding_function', readEmbeddingFunction) ?? null,
  }
}

/** Whether the configuration has only the schema's embedding function: the client writes it in both places. */
function saysTheSame({ hnsw, embeddingFunction }: VectorIndexConfiguration, { vectorIndex }: UserSchema): boolean {
  return isDefaultHnsw(hnsw) && JSON.stringify(embeddingFunction) === JSON.stringify(vectorIndex.embeddingFunction)
}

function applySchema(configuration: VectorIndexConfiguration, schema: UserSchema): void {
  const { space, hnsw, embeddingFunction } = schema.vectorIndex
  configuration.hnsw = { ...configuration.hnsw, ...hnsw, ...(space !== undefined && { space }) }
  configuration.embeddingFunction = embeddingFunction ?? configuration.embeddingFunction
}

const SPANN_SIZES = [
  'search_nprobe',
  'write_nprobe',
  'ef_construction',
  'ef_search',
  'max_neighbors',
  'reassign_neighbor_count',
  'split_threshold',
  'merge_threshold',
] as const

function readSpann(fields: Fields): { space: Space | undefined } {
  fields.denyUnknown(['space', ...SPANN_SIZES])
  for (const name of SPANN_SIZES) fields.optional(name, readBigUint)
  return { space: fields.optional('space', readWord(SPACES)) }
}

/**
 * The configuration after `new_configuration` of a PUT.
 * @throws ApiProblem 422 (also for `space`, which cannot change), SiltstoneError `invalid`
 */
export function changedConfiguration(info: CollectionInfo, change: Fields): Record<string, unknown> {
  const current = configurationOf(info)
  const hnsw = change.optional('hnsw', (json, path) => readHnswChange(Fields.of(json, path)))
  const spann = change.optional('spann', (json, path) => readSpannChange(Fields.of(json, path)))
  if (hnsw !== undefined && spann !== undefined) throw twoIndexes()
  const embeddingFunction = change.optional('embedding_function', readEmbeddingFunction)
  return {
    ...info.configuration,
    ...toStored({
      hnsw: { ...current.hnsw, ...hnsw },
      embeddingFunction: embeddingFunction ?? current.embeddingFunction,
    }),
  }
}

/**
 * The schema after `new_schema` of a PUT: value types of keys, which replace what the schema says about them, and (an extension) keys
 * whose texts are searched by words. Nothing has to
 * be built for an index that is added.
 * @throws ApiProblem 422, SiltstoneError `invalid` (settings that a schema may not have)
 */
export function changedSchema(info: CollectionInfo, change: Fields): Record<string, unknown> {
  change.denyUnknown(['keys', 'text'])
  const text = change.optional('text', readText)
  const readChanged = (json: unknown, path: string) => readKeys(Fields.of(json, path))
  const keys = text ? (change.optional('keys', readChanged) ?? []) : change.required('keys', readChanged)
  const { defaults, keys: stored } = { ...defaultSchema(), ...(info.schema as Partial<Schema> | null) }
  const changed = new Map(Object.entries(stored))
  for (const [key, types] of keys) {
    if (key === EMBEDDING_KEY) throw badValue('new_schema', `the index of ${EMBEDDING_KEY} cannot be changed`)
    changed.set(key, { ...changed.get(key), ...types })
  }
  const named = { ...(info.schema as Partial<Schema> | null)?.text, ...text }
  return {
    ...info.schema,
    defaults,
    keys: Object.fromEntries(changed),
    ...(Object.keys(named).length > 0 && { text: named }),
  }
}

function readSpannChange(fields: Fields): true {
  fields.denyUnknown(['search_nprobe', 'ef_search'])
  fields.optional('search_nprobe', readBigUint)
  fields.optional('ef_search', readBigUint)
  return true
}

/** The stored configuration; parameters that are missing (the library does not write them) get Chroma's defaults. */
export function configurationOf(info: Pick<CollectionInfo, 'configuration' | 'space'>): VectorIndexConfiguration {
  const { hnsw, embedding_function: embeddingFunction } = info.configuration
  return {
    hnsw: { ...DEFAULT_HNSW, ...(hnsw as Partial<HnswParameters> | null | undefined), space: info.space },
    embeddingFunction: (embeddingFunction as Record<string, unknown> | null | undefined) ?? null,
  }
}

function toStored({ hnsw, embeddingFunction }: VectorIndexConfiguration): Record<string, unknown> {
  return { hnsw: { ...hnsw }, spann: null, embedding_function: embeddingFunction }
}

/** Whether the client configured nothing: default parameters, and no embedding function or the client's default one. */
function isDefault({ hnsw, embeddingFunction }: VectorIndexConfiguration): boolean {
  return isDefaultHnsw(hnsw) && isDefaultEmbeddingFunction(embeddingFunction)
}

function twoIndexes(): SiltstoneError {
  return invalid('two-indexes', 'Multiple vector index configurations provided', { field: 'configuration' })
}
