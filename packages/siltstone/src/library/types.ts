/** The argument and result types of the `chromadb` JavaScript client, with extensions. */
import type { SearchOptions } from '../model/read.ts'
import type { Where, WhereDocument } from './where.ts'

export type { SearchOptions } from '../model/read.ts'
export type { Where, WhereDocument } from './where.ts'

export interface SparseVector {
  indices: number[]
  values: number[]
  tokens?: string[] | null
}

/** Integers beyond 2^53 are read and written as bigint. In update and upsert, null removes the key. */
export type MetadataEntry =
  | boolean
  | number
  | bigint
  | string
  | SparseVector
  | boolean[]
  | number[]
  | bigint[]
  | string[]
  | null
export type Metadata = Record<string, MetadataEntry>
export type CollectionMetadata = Metadata

export type Include = 'distances' | 'documents' | 'embeddings' | 'metadatas' | 'uris'

/** Chroma's names: every write; the snapshot alone; a state of bounded age. */
export type ChromaReadLevel = 'index_and_wal' | 'index_only' | 'index_and_bounded_wal'

/** The state that a read sees. All fields but `readLevel` are extensions. */
export interface ReadArguments {
  /** Default `index_and_wal`: every write acknowledged before the read began. */
  readLevel?: ChromaReadLevel | undefined
  /** Wait until the read sees this version, the `version` of a write by another process. */
  atLeast?: number | undefined
  /** Read the state after the write of this version, while that is kept. */
  at?: number | undefined
}

/** A vector; typed arrays save a copy. */
export type Embedding = readonly number[] | Float32Array

/** One list per field; all have the same length. */
export interface RecordArguments {
  /** Not empty and without duplicates. */
  ids: readonly string[]
  /** Where it is undefined or null, the document is embedded. */
  embeddings?: readonly (Embedding | null | undefined)[] | undefined
  metadatas?: readonly (Metadata | null | undefined)[] | undefined
  documents?: readonly (string | null | undefined)[] | undefined
  uris?: readonly (string | null | undefined)[] | undefined
}

export interface FilterArguments {
  where?: Where | undefined
  whereDocument?: WhereDocument | undefined
}

export interface GetArguments extends FilterArguments, ReadArguments {
  ids?: readonly string[] | undefined
  limit?: number | undefined
  offset?: number | undefined
  /** Default documents and metadatas. */
  include?: readonly Include[] | undefined
  /** From an earlier result: reads the next page of the same state. */
  pageToken?: string | undefined
}

export interface QueryArguments extends FilterArguments, ReadArguments {
  queryEmbeddings?: readonly Embedding[] | undefined
  /** Texts that the collection's embedder embeds. */
  queryTexts?: readonly string[] | undefined
  /** Rank only these records; a missing id is an error. */
  ids?: readonly string[] | undefined
  /** Default 10. */
  nResults?: number | undefined
  /** Default metadatas, documents and distances. */
  include?: readonly Include[] | undefined
  /** How much of the index to search; `{ exact: true }` measures every record. */
  search?: SearchOptions | undefined
  /** Return an `explanation` of the query's execution. */
  explain?: boolean | undefined
}

export interface DeleteArguments extends FilterArguments {
  ids?: readonly string[] | undefined
  /** Only with a filter: delete at most this many records, in insertion order. */
  limit?: number | undefined
}

/** Extension: the keys of the metadata. */
export interface FieldsArguments extends FilterArguments, ReadArguments {
  /** Only this key. */
  key?: string | undefined
  /** Values listed for each key. Default 20. */
  values?: number | undefined
  /** Default 100,000. */
  maxRecords?: number | undefined
}

/** Extension: the number of the log entry that holds the write. */
export interface Written {
  version: number
}
