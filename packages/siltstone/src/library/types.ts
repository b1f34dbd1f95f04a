/** The argument and answer shapes of the `chromadb` JavaScript client, and what we add to them. */
import type { SearchOptions } from '../model/read.ts'
import type { Where, WhereDocument } from './where.ts'

export type { SearchOptions } from '../model/read.ts'
export type { Where, WhereDocument } from './where.ts'

export interface SparseVector {
  indices: number[]
  values: number[]
  tokens?: string[] | null
}

/** Integers beyond 2^53 are read and written as bigint. In update and upsert null removes its key. */
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

/** Chroma's names: everything written; the snapshot alone; everything up to a bounded age. */
export type ChromaReadLevel = 'index_and_wal' | 'index_only' | 'index_and_bounded_wal'

/** Which state a read sees. Beyond Chroma but for `readLevel`. */
export interface ReadArguments {
  /** Default `index_and_wal`: every write acknowledged before the read began. */
  readLevel?: ChromaReadLevel | undefined
  /** Wait until this version is seen: the `version` of a write of another process. */
  atLeast?: number | undefined
  /** The state right after the write of this version, while it is kept. */
  at?: number | undefined
}

/** A vector of numbers; typed arrays save a copy. */
export type Embedding = readonly number[] | Float32Array

/** One list per field, of equal lengths. */
export interface RecordArguments {
  /** Not empty, each once. */
  ids: readonly string[]
  /** Left out, or null at some place: made from the document there. */
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
  /** From an earlier answer: the next page of the same state, whatever was written since. */
  pageToken?: string | undefined
}

export interface QueryArguments extends FilterArguments, ReadArguments {
  queryEmbeddings?: readonly Embedding[] | undefined
  /** Embedded by the collection's embedder. */
  queryTexts?: readonly string[] | undefined
  /** Rank only these; an id that does not exist is an error. */
  ids?: readonly string[] | undefined
  /** Default 10. */
  nResults?: number | undefined
  /** Default metadatas, documents and distances. */
  include?: readonly Include[] | undefined
  /** How much of the index to look at; `{ exact: true }` measures every record. */
  search?: SearchOptions | undefined
  /** Tell in `explanation` how the answer came about. */
  explain?: boolean | undefined
}

export interface DeleteArguments extends FilterArguments {
  ids?: readonly string[] | undefined
  /** Only with a filter: at most this many, in order of insertion. */
  limit?: number | undefined
}

/** Beyond Chroma: the number of the log entry that holds the write. */
export interface Written {
  version: number
}
