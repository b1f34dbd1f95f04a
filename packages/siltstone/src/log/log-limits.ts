import type { ObjectStore } from '../ports/object-store.ts'

/** Bounds of the log protocol. A directory's times are shorter than a bucket's: it has no cheap `startAfter`. */
export interface LogLimits {
  /** A writer whose knowledge of the log's end is older reads the pointer and lists the log before it puts. */
  writerStalenessMs: number
  /** A reader begins again when more time than this passes between reading the pointer and having read the log. */
  readSpanMs: number
  /** Folded entries are kept at least this long. */
  entryRetentionMs: number
  /** The key of a folded delta is remembered at least this long, so that a copy that arrives late is known. */
  inboxRetentionMs: number
  /** The record of folded numbers and ids is kept this much longer than the entries. */
  foldedRecordExtraMs: number
  /** At most this many folded entries are recorded; a put that is answered later has an unknown outcome. */
  foldedRecordLimit: number
  /** An entry sequences at most this many deltas. */
  sequencedDeltas: number
  /** An entry sequences deltas of at most this many bytes in total. */
  sequencedBytes: number
  /** A larger delta is copied instead of standing in the entry that sequences it. */
  inlineDeltaBytes: number
  /** An entry holds the records of deltas of at most this many bytes in total. */
  inlineBytes: number
  /** A larger delta is refused. */
  deltaBytes: number
  /** Size up to which requests are grouped into one entry. */
  groupBytes: number
  /** Beyond this many unfolded entries and deltas writers are asked to wait. */
  unfoldedObjects: number
  /** Beyond this much unfolded data writers are asked to wait. */
  unfoldedBytes: number
  /** Vectors of unfolded entries that a process keeps in memory, if it can read the others at little cost. */
  keptVectorBytes: number
  /** How long a put of unknown outcome is repeated before the outcome is reported as unknown. */
  settleMs: number
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const MB = 1024 * 1024

export const bucketLimits: LogLimits = {
  writerStalenessMs: HOUR,
  readSpanMs: 12 * HOUR,
  entryRetentionMs: 24 * HOUR,
  inboxRetentionMs: HOUR,
  foldedRecordExtraMs: 24 * HOUR,
  foldedRecordLimit: 4_096,
  sequencedDeltas: 1_000,
  sequencedBytes: 64 * MB,
  inlineDeltaBytes: 256 * 1024,
  inlineBytes: 8 * MB,
  deltaBytes: 64 * MB,
  groupBytes: 32 * MB,
  unfoldedObjects: 2_000,
  unfoldedBytes: 256 * MB,
  keptVectorBytes: 192 * MB,
  settleMs: 30_000,
}

/** The limits of a store, given by its capabilities. All processes that open it must use the same. */
export function limitsOf({ capabilities }: Pick<ObjectStore, 'capabilities'>): LogLimits {
  return capabilities.cheapStartAfter ? bucketLimits : directoryLimits
}

export const directoryLimits: LogLimits = {
  ...bucketLimits,
  writerStalenessMs: MINUTE,
  readSpanMs: 5 * MINUTE,
  entryRetentionMs: 10 * MINUTE,
}
