/** Requests and answers of writes. */
import type { Filter } from './filter.ts'
import type { RecordOp } from './record.ts'

export interface WriteResult {
  version: number
}

export interface DeleteRequest {
  ids?: readonly string[]
  filter?: Filter
  /** The most records to delete, in order of insertion. Only with a filter. */
  limit?: number
}

export interface IndexingStatus {
  totalOps: number
  indexedOps: number
  unindexedOps: number
}

export interface ConditionalCommit {
  /** A result of `readToken`, or the `version` of an earlier read in digits. The commit succeeds only if no id of `readIds` has changed since. */
  readToken?: string
  readIds: readonly string[]
  operations: readonly RecordOp[]
}
