/** What a read asks for and what it answers. */
import type { Filter } from './filter.ts'

/** `strong` sees every write acknowledged before the read began; `index` reads the snapshot alone; `bounded` may reuse a check up to `boundedStalenessMs` old. */
export type ReadLevel = 'strong' | 'bounded' | 'index'

/** A version is the number of a log entry. 0 = nothing written yet. */
export interface ReadOptions {
  level?: ReadLevel
  /** Wait until the read sees this version (read-your-writes between processes). */
  atLeast?: number
  /** Read the state right after this log entry. `gone` (not-found) when it is no longer kept. */
  at?: number
}

export interface Include {
  embeddings?: boolean
  documents?: boolean
  metadatas?: boolean
  uris?: boolean
}

export interface GetRequest extends ReadOptions {
  ids?: readonly string[]
  filter?: Filter
  limit?: number
  offset?: number
  include: Include
  /** From an earlier answer: the next page of the same state, whatever was written since. */
  pageToken?: string
}

/** Columns are present when they were included. Rows are in order of first insertion. */
export interface GetResponse {
  ids: string[]
  embeddings?: (Float32Array | null)[]
  documents?: (string | null)[]
  /** Exact JSON text of an object, or null when there is none (or it is empty). */
  metadatas?: (string | null)[]
  uris?: (string | null)[]
  version: number
  /** Present when `limit` cut the answer. */
  pageToken?: string
}

export interface QueryRequest extends ReadOptions {
  vectors: readonly Float32Array[]
  k: number
  /** Rank only these; ids that do not exist are an error (not-found, code id-missing). */
  ids?: readonly string[]
  filter?: Filter
  include: Include
  search?: SearchOptions
  /** Tell how the answer came about. */
  explain?: boolean
}

/** How much of the index a query looks at; the defaults aim at a recall of 0.95. */
export interface SearchOptions {
  /** Clusters visited, were there one segment; some more of several together. Default 44 for the ten nearest, more for more. */
  probes?: number
  /** Most records measured exactly. Default 200, or 10 × k. */
  rerank?: number
  /** Half the width of an estimate's interval, in standard deviations. Default 1.5. */
  deviations?: number
  /** Measure every record. */
  exact?: boolean
}

/** What a search did, over all its query vectors. */
export interface SearchStats {
  segments: number
  /** Rows measured because their segment has no index, or few enough rows were admitted. */
  scannedRows: number
  /** Records that the log changed, measured one by one. */
  freshRecords: number
  clusters: number
  /** Lists that were not in memory. */
  listsRead: number
  /** Codes estimated. */
  entries: number
  /** Of these, which may have been among the nearest when they were met. */
  candidates: number
  /** Candidates measured exactly. */
  measured: number
}

export interface Explanation extends SearchStats {
  /** To the store, below all caches. */
  requests: number
  bytesRead: number
  /** The longest chain of requests that had to wait for one another. */
  rounds: number
  /** By stage. */
  timesMs: Record<string, number>
}

export interface QueryHits {
  ids: string[]
  /** Ascending. l2: sum of squares; cosine: 1 − cos; ip: 1 − dot. */
  distances: number[]
  embeddings?: (Float32Array | null)[]
  documents?: (string | null)[]
  metadatas?: (string | null)[]
  uris?: (string | null)[]
}

export interface QueryResponse {
  /** One per query vector. */
  hits: QueryHits[]
  version: number
  /** When it was asked for. */
  explanation?: Explanation
}
