/**
 * A collection's schema as it is stored: the indexes of each value type, by default and for single keys, in Chroma's own
 * form. null means that everything is default.
 */
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
type StoredSchema = Record<string, unknown>

/** A type of metadata values, as schemas name it. */
export type ValueKind = 'string' | 'bool' | 'int' | 'float' | 'sparse_vector'
/** The types of the values that are stored under each key. */
export type MetadataKeys = ReadonlyMap<string, ReadonlySet<ValueKind>>

export const DOCUMENT_KEY = '#document'
export const EMBEDDING_KEY = '#embedding'

/** Whether filters may use values of this type under this key. */
export function isIndexed(stored: StoredSchema, key: string, type: 'string' | 'bool' | 'int' | 'float'): boolean {
  return indexOf(stored, key, type, `${type}_inverted_index`)?.enabled ?? true
}

/** Whether filters may search documents. */
export function isTextIndexed(stored: StoredSchema): boolean {
  const { defaults, keys } = stored as unknown as Schema
  const ofKey = keys[DOCUMENT_KEY]?.['string']?.['fts_index']
  return (ofKey ?? defaults['string']?.['fts_index'])?.enabled ?? true
}

export interface SparseIndex {
  /** Whether scores weight words by their inverse document frequency. */
  bm25: boolean
  embeddingFunction: Record<string, unknown> | undefined
  /** `#document` or a metadata key. */
  sourceKey: string | undefined
}

/** The index of sparse vectors under a key; undefined where none is enabled. */
export function sparseIndexOf(stored: StoredSchema | null, key: string): SparseIndex | undefined {
  if (stored === null) return undefined
  const index = indexOf(stored, key, 'sparse_vector', 'sparse_vector_index')
  if (index?.enabled !== true) return undefined
  const { defaults } = stored as unknown as Schema
  const byDefault = defaults['sparse_vector']?.['sparse_vector_index']?.config['bm25']
  const { bm25 = byDefault, embedding_function: embeddingFunction, source_key: sourceKey } = index.config
  return {
    bm25: bm25 === true,
    embeddingFunction: embeddingFunction as Record<string, unknown> | undefined,
    sourceKey: sourceKey as string | undefined,
  }
}

/** A value type that the key does not mention is that of the defaults. */
function indexOf(stored: StoredSchema, key: string, type: string, name: string): Index | undefined {
  const { defaults, keys } = stored as unknown as Schema
  const ofKey = Object.hasOwn(keys, key) ? keys[key]?.[type] : undefined
  return (ofKey ?? defaults[type])?.[name]
}
