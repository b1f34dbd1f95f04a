/** Requests and answers of reads. */
import type { Filter } from './filter.ts'

/**
 * `strong` sees every write acknowledged before the read began; `bounded` may be up to `boundedStalenessMs` old; `index`
 * reads the last snapshot without the log.
 */
export type ReadLevel = 'strong' | 'bounded' | 'index'

/** A version is the number of a log entry; 0 is the empty collection. */
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
  /** The token of an earlier answer: reads the next page of the same state, regardless of later writes. */
  pageToken?: string
}

/** A column is present if it was included. Rows are in the order of first insertion. */
export interface GetResponse {
  ids: string[]
  embeddings?: (Float32Array | null)[]
  documents?: (string | null)[]
  /** Exact JSON text of an object, or null when there is none (or it is empty). */
  metadatas?: (string | null)[]
  uris?: (string | null)[]
  version: number
  /** Present if `limit` cut the answer. */
  pageToken?: string
}

export interface QueryRequest extends ReadOptions {
  vectors: readonly Float32Array[]
  k: number
  /** Rank only these records. Without a filter, an id that does not exist is an error (`not-found`, code id-missing). */
  ids?: readonly string[]
  filter?: Filter
  include: Include
  search?: SearchOptions
  /** Add an explanation of how the answer was found. */
  explain?: boolean
  /** No user asked it, so it is not among the queries that recall is measured with. */
  isUnsampled?: boolean
}

/** How much a query looks for. */
export interface SearchOptions {
  /**
   * The share of the k nearest records that queries find on average: above 0, at most 1. Default 0.95. It is rounded up to
   * 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999 or 1, which measures every record. A larger one never finds less.
   */
  recall?: number
  /** Measure every record. */
  exact?: boolean
  /** For published folders, of which pages read bytes: `recall` is not rounded up. Default false. */
  isUnrounded?: boolean
  /** For measurements and tests: an effort that no data decide. */
  fixed?: FixedEffort
}

export interface FixedEffort {
  /** Clusters to visit in a collection of one segment; several segments share a larger number. */
  clusters: number
  /** Standard deviations of an estimate that are allowed for. Default: as for `recall`. Infinity measures every row visited. */
  deviations?: number
}

/** The work of a search, summed over its query vectors. */
export interface SearchStats {
  segments: number
  /** Rows measured without an index: their segment has none, or the filter admitted few rows. */
  scannedRows: number
  /** Records of the log overlay that were measured. */
  freshRecords: number
  clusters: number
  /** Lists read because they were not in memory. */
  listsRead: number
  /** Codes whose distance was estimated. */
  entries: number
  /** Estimated codes that could be among the nearest when they were scanned. */
  candidates: number
  /** Candidates measured exactly. */
  measured: number
}

export interface Explanation extends SearchStats {
  /** Requests to the store, below all caches. */
  requests: number
  bytesRead: number
  /** The longest chain of dependent requests. */
  rounds: number
  /** The duration of each stage. */
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
  /** Present if the request asked for it. */
  explanation?: Explanation
}
