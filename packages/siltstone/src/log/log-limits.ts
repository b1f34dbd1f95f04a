import type { ObjectStore } from '../ports/object-store.ts'

/** Bounds of the log protocol. The defaults of a directory are shorter than those of a bucket: it has no `startAfter`. */
export interface LogLimits {
  /** A writer whose knowledge of the log's end is older reads the pointer and lists before it puts. */
  writerStalenessMs: number
  /** More than this between the pointer's reading and the end of the listing: the reader begins again. */
  readSpanMs: number
  /** Folded entries are kept at least this long. */
  entryRetentionMs: number
  /** Folded inbox deltas are kept at least this long. */
  inboxRetentionMs: number
  /** The record of folded numbers and ids is kept this much longer than the entries … */
  foldedRecordExtraMs: number
  /** … but at most this many; a put answered later than that is `outcome unknown`. */
  foldedRecordLimit: number
  /** An entry sequences at most this many deltas … */
  sequencedDeltas: number
  /** … of at most this many bytes together. */
  sequencedBytes: number
  /** A larger delta is refused. */
  deltaBytes: number
  /** Requests are grouped into one entry up to this size. */
  groupBytes: number
  /** Beyond this many unfolded entries and deltas writers are asked to wait. */
  unfoldedObjects: number
  unfoldedBytes: number
  /** How long a put of unknown outcome is repeated before the caller is told. */
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
  deltaBytes: 64 * MB,
  groupBytes: 32 * MB,
  unfoldedObjects: 2_000,
  unfoldedBytes: 256 * MB,
  settleMs: 30_000,
}

/** Those of a store by what it is. Everyone who opens it must keep to the same. */
export function limitsOf({ capabilities }: Pick<ObjectStore, 'capabilities'>): LogLimits {
  return capabilities.cheapStartAfter ? bucketLimits : directoryLimits
}

export const directoryLimits: LogLimits = {
  ...bucketLimits,
  writerStalenessMs: MINUTE,
  readSpanMs: 5 * MINUTE,
  entryRetentionMs: 10 * MINUTE,
}
