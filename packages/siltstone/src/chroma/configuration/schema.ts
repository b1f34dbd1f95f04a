/**
 * A collection's schema: the indexes of each value type, by default and for single keys.
 *
 * The store keeps the user's schema, merged over the defaults, without the parameters of the vector index. Those are part
 * of the configuration and are added when the schema is returned. A stored null means that everything is default.
 */
import {
  DOCUMENT_KEY,
  EMBEDDING_KEY,
  type Index,
  type MetadataKeys,
  type Schema,
  type ValueTypes,
} from '../../model/schema.ts'
import type { VectorIndexConfiguration } from './hnsw.ts'

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

/** Keys that Chroma's own server keeps in metadata. */
const INTERNAL_PREFIX = 'chroma:'

/**
 * The schema as clients see it, with the parameters of the vector index.
 * @param found metadata keys that records have: what the schema does not say about them is that of the defaults
 */
export function shownSchema(
  stored: Record<string, unknown> | null,
  configuration: VectorIndexConfiguration,
  found: MetadataKeys = new Map(),
): Schema {
  const schema = withKeys({ ...defaultSchema(), ...(stored as Partial<Schema> | null) }, found)
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

function withKeys(schema: Schema, found: MetadataKeys): Schema {
  const keys = new Map(Object.entries(schema.keys))
  for (const [key, kinds] of found) {
    if (key.startsWith(INTERNAL_PREFIX)) continue
    const types = { ...keys.get(key) }
    for (const kind of kinds) {
      const byDefault = schema.defaults[kind]
      if (byDefault) types[kind] ??= byDefault
    }
    keys.set(key, types)
  }
  // fromEntries defines properties, so a key named __proto__ is a key like any other.
  return { ...schema, keys: Object.fromEntries(keys) }
}
