import type { Metadata, MetadataScalar } from './record.ts'
import type { Language } from './text-fields.ts'

/** A parsed `where` and `where_document`, as one tree. */
export type Filter =
  | { kind: 'and' | 'or'; clauses: Filter[] }
  | { kind: 'compare'; key: string; op: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'; value: MetadataScalar }
  | { kind: 'in'; key: string; negated: boolean; values: MetadataScalar[] }
  /** Membership in a metadata array. */
  | { kind: 'contains'; key: string; negated: boolean; value: MetadataScalar }
  | { kind: 'document-contains'; negated: boolean; text: string }
  | { kind: 'document-regex'; negated: boolean; pattern: string }
  /** Words that follow one another. `language`: of the documents; default English. */
  | { kind: 'document-phrase'; negated: boolean; text: string; language?: Language }
  | { kind: 'id'; negated: boolean; values: string[] }
  /** By code points. */
  | { kind: 'id-order'; op: 'gt' | 'gte' | 'lt' | 'lte'; value: string }

/** The columns that a filter can test. Those that `columnsOf(filter)` does not name may be missing. */
export interface FilterRow {
  id: string
  metadata: Metadata | null
  document: string | null
}

export interface FilterColumns {
  metadata: boolean
  document: boolean
}
