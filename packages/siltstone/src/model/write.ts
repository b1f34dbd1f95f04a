/** What a write asks for and what it answers. */
import type { Filter } from './filter.ts'
import type { RecordOp } from './record.ts'

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
