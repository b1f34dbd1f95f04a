/**
 * A collection's schema: the indexes of each value type, by default and for single keys.
 *
 * The store keeps the user's schema, merged over the defaults, without the parameters of the vector index. Those are part
 * of the configuration and are added when the schema is returned. A stored null means that everything is default.
 */
import type { VectorIndexConfiguration } from './hnsw.ts'

export interface Index {
  enabled: boolean
  config: Record<string, unknown>
}
/** By value type, then by index. */
export type ValueTypes = Record<string, Record<string, Index>>
export interface Schema {
  defaults: ValueTypes
  keys: Record<string, ValueTypes>
}

export const DOCUMENT_KEY = '#document'
export const EMBEDDING_KEY = '#embedding'

const index = (enabled: boolean, config: Record<string, unknown> = {}): Index => ({ enabled, config })

export function defaultSchema(): Schema {
  return {
    defaults: {
      string: { fts_index: index(false), string_inverted_index: index(true) },
      float_list: { vector_index: index(false) },
      sparse_vector: {
        sparse_vector_index: index(false, { embedding_function: { type: 'unknown' }, bm25: false }),
      },
      int: { int_inverted_index: index(true) },
      float: { float_inverted_index: index(true) },
      bool: { bool_inverted_index: index(true) },
    },
    keys: {
      [DOCUMENT_KEY]: { string: { fts_index: index(true), string_inverted_index: index(false) } },
      [EMBEDDING_KEY]: { float_list: { vector_index: index(true, { source_key: DOCUMENT_KEY }) } },
    },
  }
}

/** The schema as clients see it, with the parameters of the vector index. */
export function shownSchema(stored: Record<string, unknown> | null, configuration: VectorIndexConfiguration): Schema {
  const schema = (stored as unknown as Schema | null) ?? defaultSchema()
  return {
    ...schema,
    defaults: withVectorIndex(schema.defaults, configuration),
    keys: {
      ...schema.keys,
      [EMBEDDING_KEY]: withVectorIndex(schema.keys[EMBEDDING_KEY] ?? {}, configuration),
    },
  }
}

function withVectorIndex(types: ValueTypes, { hnsw, embeddingFunction }: VectorIndexConfiguration): ValueTypes {
  const { enabled = false, config = {} } = types['float_list']?.['vector_index'] ?? {}
  const { space, ef_construction, max_neighbors, ef_search, num_threads, batch_size, sync_threshold, resize_factor } =
    hnsw
  const shown: Record<string, unknown> = { space }
  if (embeddingFunction !== null) shown['embedding_function'] = embeddingFunction
  if (config['source_key'] !== undefined) shown['source_key'] = config['source_key']
  shown['hnsw'] = {
    ef_construction,
    max_neighbors,
    ef_search,
    num_threads,
    batch_size,
    sync_threshold,
    resize_factor,
  }
  return { ...types, float_list: { vector_index: { enabled, config: shown } } }
}

/** Whether filters may use values of this type under this key. */
export function isIndexed(
  stored: Record<string, unknown>,
  key: string,
  type: 'string' | 'bool' | 'int' | 'float',
): boolean {
  const { defaults, keys } = stored as unknown as Schema
  const ofKey = Object.hasOwn(keys, key) ? keys[key]?.[type] : undefined
  const indexes = ofKey ?? defaults[type]
  return indexes?.[`${type}_inverted_index`]?.enabled ?? true
}

/** Whether filters may search documents. */
export function isTextIndexed(stored: Record<string, unknown>): boolean {
  const { defaults, keys } = stored as unknown as Schema
  const ofKey = keys[DOCUMENT_KEY]?.['string']?.['fts_index']
  return (ofKey ?? defaults['string']?.['fts_index'])?.enabled ?? true
}
