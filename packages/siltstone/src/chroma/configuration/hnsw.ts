/**
 * Chroma's HNSW parameters. Siltstone's index uses only the space; the others are stored and returned, because clients and
 * their users read them back.
 */
import { invalid } from '../../errors.ts'
import { entriesOf, type NumberStyle, numberStyleOf } from '../../records/metadata-value.ts'
import { type Space, SPACES } from '../../model/collection.ts'
import { type Fields, readBigUint, readNumber, readWord } from '../wire/fields.ts'

export interface HnswParameters {
  space: Space
  ef_construction: number
  ef_search: number
  max_neighbors: number
  resize_factor: number
  sync_threshold: number
  num_threads: number
  batch_size: number
}

/** The configuration of a collection's vector index. */
export interface VectorIndexConfiguration {
  hnsw: HnswParameters
  embeddingFunction: Record<string, unknown> | null
}

export const DEFAULT_HNSW: Readonly<HnswParameters> = {
  space: 'l2',
  ef_construction: 100,
  ef_search: 100,
  max_neighbors: 16,
  resize_factor: 1.2,
  sync_threshold: 1000,
  num_threads: 4,
  batch_size: 100,
}

const readSpace = readWord(SPACES)
const NAMES = Object.keys(DEFAULT_HNSW) as (keyof HnswParameters)[]
/** Without `space`: a collection's distance cannot change. */
const CHANGEABLE: (keyof HnswParameters)[] = [
  'ef_search',
  'max_neighbors',
  'num_threads',
  'resize_factor',
  'sync_threshold',
  'batch_size',
]
const IN_SCHEMA: (keyof HnswParameters)[] = NAMES.filter((name) => name !== 'space')

/** Reads `configuration.hnsw` of a new collection. @throws ApiProblem 422 */
export function readHnsw(fields: Fields): Partial<HnswParameters> {
  return read(fields, NAMES)
}

/** Reads `new_configuration.hnsw`. @throws ApiProblem 422, also for `space` */
export function readHnswChange(fields: Fields): Partial<HnswParameters> {
  return read(fields, CHANGEABLE)
}

/** Reads `hnsw` of a schema's vector index, where the space is a field beside it. @throws ApiProblem 422 */
export function readSchemaHnsw(fields: Fields): Partial<HnswParameters> {
  return read(fields, IN_SCHEMA)
}

function read(fields: Fields, names: readonly (keyof HnswParameters)[]): Partial<HnswParameters> {
  fields.denyUnknown(names)
  const parameters: Partial<HnswParameters> = {}
  for (const name of names) {
    if (!fields.has(name)) continue
    if (name === 'space') parameters.space = fields.required(name, readSpace)
    else parameters[name] = fields.required(name, name === 'resize_factor' ? readNumber : readBigUint)
  }
  return parameters
}

const LEGACY_NAMES = new Map<string, keyof HnswParameters>([
  ['hnsw:space', 'space'],
  ['hnsw:construction_ef', 'ef_construction'],
  ['hnsw:search_ef', 'ef_search'],
  ['hnsw:M', 'max_neighbors'],
  ['hnsw:num_threads', 'num_threads'],
  ['hnsw:resize_factor', 'resize_factor'],
  ['hnsw:sync_threshold', 'sync_threshold'],
  ['hnsw:batch_size', 'batch_size'],
])

const LEGACY_PREFIX = 'hnsw:'
/** The smallest batches that Chroma takes in metadata. */
const LEAST_BATCH = 2

/**
 * Parameters that old clients put in a collection's metadata; undefined when there are none.
 * @throws SiltstoneError `invalid` hnsw-metadata for any name or value that Chroma does not know, in its words
 */
export function legacyHnsw(json: unknown): Partial<HnswParameters> | undefined {
  const style = numberStyleOf(json)
  const parameters: Partial<HnswParameters> = {}
  for (const [key, value] of entriesOf(json) ?? []) {
    if (!key.startsWith(LEGACY_PREFIX)) continue
    const name = LEGACY_NAMES.get(key)
    if (name === 'space' && SPACES.includes(value as Space)) parameters.space = value as Space
    else if (name === 'resize_factor' && (typeof value === 'number' || typeof value === 'bigint'))
      parameters.resize_factor = Number(value)
    else if (name !== undefined && name !== 'space' && name !== 'resize_factor' && isCount(value, name, style))
      parameters[name] = Number(value)
    else
      throw invalid('hnsw-metadata', 'Failed to parse hnsw parameters from segment metadata', {
        field: `metadata.${key}`,
      })
  }
  return Object.keys(parameters).length === 0 ? undefined : parameters
}

/** The exact parser tells `1.0`, which is no count, from 1; `JSON.parse` is used where no number is written like that. */
function isCount(value: unknown, name: keyof HnswParameters, style: NumberStyle): boolean {
  const least = name === 'batch_size' || name === 'sync_threshold' ? LEAST_BATCH : 0
  const isInteger = style === 'exact' ? typeof value === 'bigint' : Number.isInteger(value)
  return isInteger && Number(value) >= least && Number(value) <= Number.MAX_SAFE_INTEGER
}

export function isDefaultHnsw(hnsw: HnswParameters): boolean {
  return NAMES.every((name) => name === 'num_threads' || hnsw[name] === DEFAULT_HNSW[name])
}
