/**
 * One opened store: the interface that the library, the HTTP API, the command line and the functions are written
 * against. Callers validate the shape of their input; the engine checks what depends on state (dimension, existence).
 */
import type { Catalog, CollectionInfo } from './collection.ts'
import type { GetRequest, GetResponse, QueryRequest, QueryResponse, ReadOptions } from './read.ts'
import type { RecordOp } from './record.ts'
import type { MetadataKeys } from './schema.ts'
import type { SearchRequest, SearchResponse } from './search.ts'
import type { ConditionalCommit, DeleteRequest, IndexingStatus, WriteResult } from './write.ts'

export interface SnapshotInfo {
  /** The name that `rollback` and `read` take: the manifest's file name without its extension. */
  name: string
  key: string
  /** The last log entry that the snapshot contains. */
  watermark: number
  createdAtMs: number
  liveRecords: number
  segments: number
  sizeBytes: number
  current: boolean
  /** The reasons for keeping it: `current`, `history`, `fork`, `restore-point` … */
  keptBecause: string[]
}

/** One state of a collection, as a strong read sees it. */
export interface CollectionState {
  /** Number of the last log entry. */
  version: number
  records: number
  /** null before the first vector. */
  dimension: number | null
  /** Operations of the log, and how many of them the current snapshot contains. */
  indexing: IndexingStatus
  /** The last log entry that the current snapshot contains; 0 before the first. */
  watermark: number
  segments: number
  /** Bytes of the objects that the current snapshot reads. */
  sizeBytes: number
  /** Deltas in the inbox that no entry has taken yet. */
  unsequencedDeltas: number
}

/** What a collection holds, as far as a description of it says. */
export interface CollectionContent {
  version: number
  /** The version up to which the log is folded into the snapshot; at most `version`. */
  watermark: number
  /** In a large segment, one of two types of number under a key may be left out. */
  metadataKeys: MetadataKeys
}

export interface Collection {
  readonly info: CollectionInfo
  /**
   * Appends operations durably and in order. Every strong read that begins later sees them.
   * Keeps a reference to the vectors: the caller must not change their arrays, nor arrays that reads return.
   * @throws invalid (dimension-mismatch), unavailable (back-pressure), unknown (outcome-unknown), not-found (collection-missing)
   */
  write(operations: readonly RecordOp[]): Promise<WriteResult>
  /** The count is exact: the deletion is evaluated at its place in the log. */
  delete(request: DeleteRequest): Promise<WriteResult & { deleted: number }>
  get(request: GetRequest): Promise<GetResponse>
  /** From a distant store, reads ahead what the first `get` with a filter needs before it knows any record. */
  prepare(include: GetRequest['include']): Promise<void>
  query(request: QueryRequest): Promise<QueryResponse>
  /** Answers several searches of one state. @throws invalid (dimension-mismatch, no-number, text-query) */
  search(request: SearchRequest): Promise<SearchResponse>
  count(options?: ReadOptions): Promise<number>
  dimension(): Promise<number | null>
  content(): Promise<CollectionContent>
  indexingStatus(): Promise<IndexingStatus>
  /** Version, counts and size, of one strong read. */
  state(): Promise<CollectionState>
  /** @returns a token of the current state, for `commitIf` */
  readToken(): Promise<string>
  /** @throws conflict (an id changed: `conditional-write-conflict`; the token is too old: `stale-read`) */
  commitIf(request: ConditionalCommit): Promise<WriteResult & { recordCount: number }>
  fork(newName: string): Promise<CollectionInfo>
  forkCount(): Promise<number>
  snapshots(): Promise<SnapshotInfo[]>
  /** Appends a `reset` entry: the state becomes that of the snapshot, and later writes are undone. History is kept. */
  rollback(snapshotName: string): Promise<WriteResult>
}

export interface CompactionOutcome {
  collection: string
  folds: number
  merges: number
  entriesFolded: number
  recordsFolded: number
  bytesWritten: number
  /** Another process holds the lease and will do the work. Not a failure. */
  busy: boolean
  /**
   * Why work that is due was left: `later`, the time was over; `cannot-fit`, it needs more time, memory or scratch disk
   * than there ever is here. null: nothing was left.
   */
  unfinished: 'later' | 'cannot-fit' | null
  watermark: number
}

/** One opened store, on a directory or a bucket. */
export interface Engine {
  readonly catalog: Catalog
  /** @throws not-found collection-missing */
  collection(tenant: string, database: string, id: string): Promise<Collection>
  /** Stops background work and waits for writes in flight. Idempotent. */
  close(): Promise<void>
}
