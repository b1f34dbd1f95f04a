import { invalid } from '../errors.ts'
import { isLanguage, type Language, LANGUAGES, type TextField } from './text-fields.ts'

/**
 * A collection's schema as it is stored: the indexes of each value type, by default and for single keys, in Chroma's own
 * form. null means that everything is default.
 *
 * An extension, which Chroma's clients do not read: `text` names the keys whose texts are searched by words, with their
 * language. Documents are, in English, without being named.
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
  text?: Record<string, { language: string }>
}
/** Either part may be missing: it is empty then. */
export type StoredSchema = Record<string, unknown>

/** A type of metadata values, as schemas name it. */
export type ValueKind = 'string' | 'bool' | 'int' | 'float' | 'sparse_vector'
/** The types of the values that are stored under each key. */
export type MetadataKeys = ReadonlyMap<string, ReadonlySet<ValueKind>>

export const DOCUMENT_KEY = '#document'
export const EMBEDDING_KEY = '#embedding'

/**
 * Where a schema is not what this module reads, as a path such as `keys.words.sparse_vector`; undefined: nowhere. The catalog
 * neither takes nor reads a collection with another one.
 */
export function wrongPartOf(schema: unknown): string | undefined {
  if (schema === null) return undefined
  if (!isObject(schema)) return 'schema'
  const { defaults = {}, keys = {}, text = {} } = schema
  if (!isObject(keys)) return 'keys'
  if (!isObject(text)) return 'text'
  return (
    wrongTypes(defaults, 'defaults') ??
    firstOf(Object.entries(keys), ([key, types]) => wrongTypes(types, `keys.${key}`)) ??
    firstOf(Object.entries(text), ([key, field]) =>
      isTextKey(key) && isObject(field) && isLanguage(field['language']) ? undefined : `text.${key}`,
    )
  )
}

/** @throws SiltstoneError `invalid` (`bad-schema`) */
export function checkSchema(schema: unknown): void {
  const wrong = wrongPartOf(schema)
  if (wrong !== undefined)
    throw invalid(
      'bad-schema',
      `the schema is malformed at ${wrong}; see Chroma's documentation of schemas for its form${wrong.startsWith('text') ? `, and for text: {"title":{"language":"english"}}, with one of ${LANGUAGES.join(', ')}` : ''}`,
      {
        field: 'schema',
      },
    )
}

function wrongTypes(types: unknown, path: string): string | undefined {
  if (!isObject(types)) return path
  return firstOf(Object.entries(types), ([type, indexes]) => {
    const at = `${path}.${type}`
    if (!isObject(indexes)) return at
    return firstOf(Object.entries(indexes), ([name, index]) => (isIndex(index) ? undefined : `${at}.${name}`))
  })
}

function isIndex(index: unknown): boolean {
  if (!isObject(index) || typeof index['enabled'] !== 'boolean' || !isObject(index['config'])) return false
  const { bm25 = false, source_key: sourceKey = '', embedding_function: embeddingFunction = {} } = index['config']
  return typeof bm25 === 'boolean' && typeof sourceKey === 'string' && isObject(embeddingFunction)
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function firstOf<T>(items: readonly T[], wrong: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = wrong(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** Whether filters may use values of this type under this key. */
export function isIndexed(stored: StoredSchema, key: string, type: 'string' | 'bool' | 'int' | 'float'): boolean {
  return indexOf(stored, key, type, `${type}_inverted_index`)?.enabled ?? true
}

/** Whether filters and searches by words may look into documents: unless the schema says otherwise of documents themselves. */
export function isTextIndexed(stored: StoredSchema | null): boolean {
  return stored === null || (ownTypes(stored, DOCUMENT_KEY)?.['string']?.['fts_index']?.enabled ?? true)
}

/** Whether a schema says which keys have sparse vectors: one that names only texts does not. */
export function saysKeys(stored: StoredSchema | null): boolean {
  return stored !== null && 'keys' in stored
}

/** A schema with more texts that are searched by words, or with another language for some. */
export function withTexts(stored: StoredSchema | null, texts: Readonly<Record<string, Language>>): StoredSchema {
  const added = Object.fromEntries(Object.entries(texts).map(([key, language]) => [key, { language }]))
  return { ...stored, text: { ...(stored as Partial<Schema> | null)?.text, ...added } }
}

/** Whether a schema may name the key under `text`. */
export function isTextKey(key: string): boolean {
  return key !== '' && (key === DOCUMENT_KEY || !key.startsWith('#'))
}

/** The texts that are searched by words: documents first, unless that is disabled, then metadata keys in order. */
export function textFieldsOf(stored: StoredSchema | null): TextField[] {
  const named = ((stored ?? {}) as Partial<Schema>).text ?? {}
  return [
    DOCUMENT_KEY,
    ...Object.keys(named)
      .filter((key) => key !== DOCUMENT_KEY)
      .sort(),
  ].flatMap((key) => {
    const field = textFieldOf(stored, key)
    return field ? [field] : []
  })
}

/** The text under a key; undefined if it is not searched by words. */
export function textFieldOf(stored: StoredSchema | null, key: string): TextField | undefined {
  const { text = {} } = (stored ?? {}) as Partial<Schema>
  const language = Object.hasOwn(text, key) ? text[key]?.language : undefined
  if (key === DOCUMENT_KEY && isTextIndexed(stored))
    return { key, language: isLanguage(language) ? language : 'english' }
  return key !== DOCUMENT_KEY && isLanguage(language) ? { key, language } : undefined
}

export interface SparseIndex {
  /** Whether scores weight words by their inverse document frequency. */
  bm25: boolean
  /** As it is in the schema. */
  embeddingFunction: Record<string, unknown> | undefined
  /** `#document` or a metadata key: the text of the vectors that the server makes. */
  sourceKey: string | undefined
}

/** The index of sparse vectors under a key; undefined where none is enabled. It is never enabled by default. */
export function sparseIndexOf(stored: StoredSchema | null, key: string): SparseIndex | undefined {
  if (stored === null) return undefined
  const index = ownTypes(stored, key)?.['sparse_vector']?.['sparse_vector_index']
  if (index?.enabled !== true) return undefined
  const byDefault = partsOf(stored).defaults['sparse_vector']?.['sparse_vector_index']?.config['bm25']
  const { bm25 = byDefault, embedding_function: embeddingFunction, source_key: sourceKey } = index.config
  return {
    bm25: bm25 === true,
    embeddingFunction: embeddingFunction as Record<string, unknown> | undefined,
    sourceKey: sourceKey as string | undefined,
  }
}

/** The sparse indexes that are enabled, by ascending key. */
export function sparseIndexesOf(stored: StoredSchema | null): ReadonlyMap<string, SparseIndex> {
  const found = new Map<string, SparseIndex>()
  if (stored === null) return found
  for (const key of Object.keys(partsOf(stored).keys).sort()) {
    const index = sparseIndexOf(stored, key)
    if (index) found.set(key, index)
  }
  return found
}

/** A value type that the key does not mention is that of the defaults. */
function indexOf(stored: StoredSchema, key: string, type: string, name: string): Index | undefined {
  return (ownTypes(stored, key)?.[type] ?? partsOf(stored).defaults[type])?.[name]
}

function ownTypes(stored: StoredSchema, key: string): ValueTypes | undefined {
  const { keys } = partsOf(stored)
  return Object.hasOwn(keys, key) ? keys[key] : undefined
}

function partsOf(stored: StoredSchema): Schema {
  const { defaults = {}, keys = {} } = stored as Partial<Schema>
  return { defaults, keys }
}
