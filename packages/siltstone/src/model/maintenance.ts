/**
 * The state and the upkeep of a store, beside reads and writes. The library, the command line (`--json`) and the HTTP API
 * under `/api/siltstone/v1` give these shapes.
 */
import type { CollectionInfo } from './collection.ts'
import type { Filter } from './filter.ts'
import type { SearchOptions } from './read.ts'
import type { CollectionState, CompactionOutcome } from './store.ts'
import type { VerifyReport } from './verify.ts'
import type { IndexingStatus } from './write.ts'

/** A collection with its state. */
export interface CollectionSummary extends Omit<CollectionInfo, 'metadata' | 'dimension'>, CollectionState {
  metadata: Record<string, unknown> | null
}

export interface FieldValue {
  /** A string, a number, a boolean, or a bigint that no number holds. */
  value: unknown
  /** Records that have the value, or a list that contains it. */
  records: number
}

/** One key of the records' metadata. */
export interface FieldInfo {
  key: string
  /** `string`, `int`, `float`, `bool`, `sparse_vector`, and lists such as `string[]`, in alphabetical order. */
  types: string[]
  /** Records that have the key. */
  records: number
  /** Distinct values that were counted. */
  distinct: number
  /** There are values that were not counted: more than 10,000 distinct ones, or texts of more than 500 characters. */
  uncounted: boolean
  /** The most frequent values first; as many as were asked for. */
  values: FieldValue[]
}

export interface FieldsReport {
  version: number
  /** Records whose metadata was read. */
  records: number
  /** False: the collection has more records than were allowed to be read. */
  complete: boolean
  /** In alphabetical order of the keys. */
  fields: FieldInfo[]
}

/** Places of records in a picture. */
export interface MapReport {
  version: number
  /** Of the collection; the picture has a sample of them. */
  records: number
  /** The share of the variance that each of the two dimensions shows. */
  explained: [number, number]
  /** By point, like the following. */
  ids: string[]
  x: number[]
  y: number[]
  /** The values of the key that was asked for, null where a record has none; null without a key. */
  values: unknown[] | null
}

/** A snapshot that is kept by name until its time, in addition to the history. */
export interface RestorePoint {
  name: string
  /** The name of the snapshot, which `rollback` takes. */
  snapshot: string
  /** The last log entry that the snapshot contains. */
  version: number
  pinnedAtMs: number
  /** null: until it is released. */
  untilMs: number | null
}

export interface LeaseInfo {
  name: string
  state: 'free' | 'held' | 'expired'
  owner: string | null
  heartbeatAtMs: number
  expiresAtMs: number
  fencing: number
  /** Another process found the lease busy and left work for its holder. */
  dirty: boolean
}

/** Where the compaction of one collection stands. */
export interface CompactionState {
  version: number
  watermark: number
  indexing: IndexingStatus
  segments: { id: string; rows: number; deleted: number; overlays: number; sizeBytes: number }[]
  /** Deltas and records that every reader refuses, with the reason. */
  refused: { key: string; reason: string }[]
  /** The commit that made the current snapshot; null before the first. */
  lastCommit: { kind: string; writer: string; createdAtMs: number; durationMs: number } | null
  leases: LeaseInfo[]
}

/** What a garbage collection would find now. */
export interface GarbagePreview {
  collection: string
  /** Objects that nothing needs and that are old enough to be deleted. */
  deletable: number
  deletableBytes: number
  /** Objects that nothing needs and that are too young. */
  waiting: number
  /** The first of the deletable objects, at most 100. */
  keys: string[]
}

/**
 * Where the queries of a measurement come from. `mixed`: two thirds are records moved by the residual of another record (what
 * distinguishes it from its neighbours), a third are middles of two records; both lie apart from the records, as real
 * queries often do. `records`: records, which are the easiest queries.
 */
export type QuerySource = 'mixed' | 'records'

export interface RecallOptions {
  k: number
  /** How many queries are made. A record that is its own query does not count as found. */
  samples: number
  /** Default: queries that users asked (`real`), where the process samples them (`serve --recall-sample`) and knows at least 30, else `mixed`. */
  source?: QuerySource
  /** Query vectors to use instead: real queries give better figures. */
  vectors?: readonly Float32Array[]
  filter?: Filter
  search?: SearchOptions
}

export interface RecallReport {
  queries: number
  k: number
  source: QuerySource | 'given' | 'real'
  /** Mean recall of the queries. */
  recall: number
  /** The recall of all queries of this kind is within these bounds with a probability of about 95 %. */
  interval: [number, number]
  /** The 10th percentile. */
  p10: number
  worst: number
  version: number
}

export interface CompactRequest {
  merge?: boolean
  full?: boolean
}

/**
 * The upkeep of one opened store.
 * @throws SiltstoneError as the methods say; `corrupt`, and what the store throws
 */
export interface Maintenance {
  compact(collection: CollectionInfo, request?: CompactRequest): Promise<CompactionOutcome>
  compactionState(collection: CollectionInfo): Promise<CompactionState>
  /** All leases of the store. */
  leases(): Promise<LeaseInfo[]>
  garbage(collection: CollectionInfo): Promise<GarbagePreview>
  /** @param options.deep read every byte; otherwise existence, sizes, manifests and the log are checked */
  verify(collection: CollectionInfo, options: { deep: boolean }): Promise<VerifyReport>
  /** @throws SiltstoneError `invalid` (nothing-to-query) for an empty collection */
  recall(collection: CollectionInfo, options: RecallOptions): Promise<RecallReport>
  restorePoints(collection: CollectionInfo): Promise<RestorePoint[]>
  /**
   * Keeps a snapshot under a name. `current` is the state of now: the log is folded first.
   * @throws SiltstoneError `not-found` (snapshot-missing), `conflict` (restore-point-exists), `invalid` (bad-name,
   *   bad-until), `unavailable` (busy)
   */
  keep(collection: CollectionInfo, request: KeepRequest): Promise<RestorePoint>
  /** @throws SiltstoneError `not-found` (restore-point-missing) */
  release(collection: CollectionInfo, name: string): Promise<void>
}

export interface KeepRequest {
  name: string
  /** The name of a snapshot. Default `current`. */
  snapshot?: string
  /** Default null: until it is released. */
  untilMs?: number | null
}
