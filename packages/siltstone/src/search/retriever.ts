/**
 * Finds the best records of one `$knn`. Each implementation reads one view and must give the same scores to the bit,
 * however the records are spread over the log and segments: a fold or a merge changes no score and no order.
 */
import type { RecordRef } from '../log/view.ts'
import type { KnnQuery } from '../model/search.ts'
import type { Selection } from '../query/selection.ts'

export interface RankedRecord {
  ref: RecordRef
  /** Position in the order of insertion; unique among the records of a view. */
  ordinal: number
  /** A 32-bit float; lower is better. */
  score: number
}

export interface Retriever<Query extends KnnQuery = KnnQuery> {
  /**
   * @param admitted the records that may be found
   * @returns at most `limit` records, by score, then by order of insertion
   */
  top(query: Query, admitted: Selection, limit: number): Promise<RankedRecord[]>
}
