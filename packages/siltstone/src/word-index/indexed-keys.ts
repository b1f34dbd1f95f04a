/** What a collection's schema says of its word indexes. The schema is Chroma's, as it is stored. */
import { Analyzer } from '../text/analyzer.ts'
import type { WantedIndexes } from './builder.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'

/** The analyzer of documents. */
export const documentAnalyzer = (): Analyzer => Analyzer.of('english')

/** An index of sparse vectors that is enabled. */
export interface SparseKey {
  key: string
  /** Whether the values of queries are multiplied by the inverse document frequency. */
  bm25: boolean
  /** `#document` or a metadata key: the text of the vectors that the server makes. */
  sourceKey: string | undefined
  /** As it is in the schema. */
  embeddingFunction: unknown
}

type Json = { [name: string]: unknown }

function field(value: unknown, ...path: string[]): unknown {
  let at = value
  for (const name of path) at = typeof at === 'object' && at !== null ? (at as Json)[name] : undefined
  return at
}

/** The sparse indexes that a schema enables, by key. */
export function sparseKeysOf(schema: unknown): SparseKey[] {
  const keys = field(schema, 'keys')
  if (typeof keys !== 'object' || keys === null) return []
  const byDefault = field(schema, 'defaults', 'sparse_vector', 'sparse_vector_index', 'config', 'bm25')
  return Object.entries(keys)
    .flatMap(([key, types]): SparseKey[] => {
      const index = field(types, 'sparse_vector', 'sparse_vector_index')
      if (field(index, 'enabled') !== true) return []
      const sourceKey = field(index, 'config', 'source_key')
      return [
        {
          key,
          bm25: (field(index, 'config', 'bm25') ?? byDefault) === true,
          sourceKey: typeof sourceKey === 'string' ? sourceKey : undefined,
          embeddingFunction: field(index, 'config', 'embedding_function'),
        },
      ]
    })
    .sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Whether documents are indexed: unless the schema disables the full-text index of documents. */
export function areDocumentsIndexed(schema: unknown): boolean {
  const own = field(schema, 'keys', DOCUMENT_KEY, 'string', 'fts_index', 'enabled')
  return (own ?? true) !== false
}

/** The word indexes of a collection's segments. */
export function wantedIndexes(schema: unknown): WantedIndexes {
  return {
    documents: areDocumentsIndexed(schema) ? documentAnalyzer() : null,
    sparseKeys: sparseKeysOf(schema).map(({ key }) => key),
  }
}
