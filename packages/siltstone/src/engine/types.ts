/**
 * The engine's face: what the library, the HTTP API, the CLI and the functions are written against.
 * Inputs are validated for shape by their callers; the engine checks what depends on state (dimension, existence).
 */
import type { Filter } from '../filter/types.ts'
import type { RecordOp } from '../records/types.ts'

export type Space = 'l2' | 'cosine' | 'ip'

/** `strong` sees every write acknowledged before the read began; `index` reads the snapshot alone; `bounded` may reuse a check up to `boundedStalenessMs` old. */
export type ReadLevel = 'strong' | 'bounded' | 'index'

export interface CollectionInfo {
  id: string
  name: string
  tenant: string
  database: string
  space: Space
  /** Exact JSON text of an object, or null. */
  metadata: string | null
  /** Chroma's configuration_json as it was reconciled at creation; opaque to the engine but for `space`. */
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
  /** null until the first vector in log order. As of when the info was read. */
  dimension: number | null
  createdAtMs: number
  /** False: takes no bare producers, so writers skip the listing of the inbox. */
  inbox: boolean
  /** Id of the collection that this one was forked from: its version 0 is a state of that one. */
  forkOf?: string
}

export interface CreateCollection {
  tenant: string
  database: string
  name: string
  getOrCreate: boolean
  space: Space
  metadata: string | null
  configuration: Record<string, unknown>
  schema: Record<string, unknown> | null
  inbox?: boolean
}

export interface ChangeCollection {
  newName?: string
  /** Replaces the whole map. */
  newMetadata?: string | null
  newConfiguration?: Record<string, unknown>
}

export interface DatabaseInfo {
  id: string
  name: string
  tenant: string
}

export interface TenantInfo {
  name: string
  resourceName: string | null
}

export interface PageOptions {
  limit?: number
  offset?: number
}

/**
 * Tenants, databases, collections. On a fresh store `default_tenant` and `default_database` (nil UUID) exist.
 * @throws SiltstoneError `not-found` (codes tenant-missing, database-missing, collection-missing), `conflict` (tenant-exists, database-exists, collection-exists)
 */
export interface Catalog {
  createTenant(name: string): Promise<void>
  getTenant(name: string): Promise<TenantInfo>
  setTenantResourceName(name: string, resourceName: string): Promise<void>
  createDatabase(tenant: string, name: string): Promise<DatabaseInfo>
  getDatabase(tenant: string, name: string): Promise<DatabaseInfo>
  deleteDatabase(tenant: string, name: string): Promise<void>
  /** Ordered by name; an unknown tenant has none. */
  listDatabases(tenant: string, page?: PageOptions): Promise<DatabaseInfo[]>
  createCollection(request: CreateCollection): Promise<{ info: CollectionInfo; created: boolean }>
  getCollection(tenant: string, database: string, name: string): Promise<CollectionInfo>
  getCollectionById(tenant: string, database: string, id: string): Promise<CollectionInfo>
  /** Looks through the tenant whose resource name this is. */
  getCollectionByCrn(resourceName: string, database: string, name: string): Promise<CollectionInfo>
  changeCollection(tenant: string, database: string, id: string, change: ChangeCollection): Promise<void>
  deleteCollection(tenant: string, database: string, name: string): Promise<void>
  /** Ordered by id. */
  listCollections(tenant: string, database: string, page?: PageOptions): Promise<CollectionInfo[]>
  countCollections(tenant: string, database: string): Promise<number>
  /** Everything goes: for `allow_reset`. */
  reset(): Promise<void>
}

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

export interface WriteResult {
  version: number
}

export interface DeleteRequest {
  ids?: readonly string[]
  filter?: Filter
  /** Only with a filter: at most this many, in order of insertion. */
  limit?: number
}

export interface IndexingStatus {
  totalOps: number
  indexedOps: number
  unindexedOps: number
}

export interface ConditionalCommit {
  /** From `readToken`, or the `version` of an earlier read in digits; holds only if no id of `readIds` changed since. */
  readToken?: string
  readIds: readonly string[]
  operations: readonly RecordOp[]
}

export interface SnapshotInfo {
  /** Name to give to `rollback` and `read`: the manifest's file name without extension. */
  name: string
  key: string
  /** The last log entry folded into it. */
  watermark: number
  createdAtMs: number
  liveRecords: number
  segments: number
  sizeBytes: number
  current: boolean
  /** Why it is kept: `current`, `history`, `fork`, `restore-point` … */
  keptBecause: string[]
}

export interface Collection {
  readonly info: CollectionInfo
  /**
   * Appends operations in order, durably; readable at once by every strong read.
   * Takes the vectors over: their arrays must not be changed afterwards. The same holds for arrays that reads return.
   * @throws invalid (dimension-mismatch), unavailable (back-pressure), unknown (outcome-unknown), not-found (collection-missing)
   */
  write(operations: readonly RecordOp[]): Promise<WriteResult>
  /** Exact at its place in the log. */
  delete(request: DeleteRequest): Promise<WriteResult & { deleted: number }>
  get(request: GetRequest): Promise<GetResponse>
  query(request: QueryRequest): Promise<QueryResponse>
  count(options?: ReadOptions): Promise<number>
  dimension(): Promise<number | null>
  indexingStatus(): Promise<IndexingStatus>
  /** A get whose answer carries a token for `commitIf`. */
  readToken(): Promise<string>
  /** @throws conflict (an id changed: `conditional-write-conflict`; the token is too old: `stale-read`) */
  commitIf(request: ConditionalCommit): Promise<WriteResult & { recordCount: number }>
  fork(newName: string): Promise<CollectionInfo>
  forkCount(): Promise<number>
  snapshots(): Promise<SnapshotInfo[]>
  /** Appends a `reset` entry: the state becomes that snapshot's, everything later is undone, history is kept. */
  rollback(snapshotName: string): Promise<WriteResult>
}

export interface CompactionOutcome {
  collection: string
  folds: number
  merges: number
  entriesFolded: number
  recordsFolded: number
  bytesWritten: number
  /** Somebody else holds the lease: no failure, it will do the work. */
  busy: boolean
  watermark: number
}

/** One store: a directory or a bucket. */
export interface Engine {
  readonly catalog: Catalog
  /** @throws not-found collection-missing */
  collection(tenant: string, database: string, id: string): Promise<Collection>
  /** Stops background work, waits for writes in flight. Idempotent. */
  close(): Promise<void>
}
