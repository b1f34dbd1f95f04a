/** Bounds of what one search request may ask for. */
/** Deeper expressions are refused, so that no recursion over one can exhaust the stack. */
export const MAX_RANK_DEPTH = 64

export interface SearchLimits {
  /** Searches in one request. */
  maxSearches: number
  /** `$knn` in one search. */
  maxKnns: number
  /** `limit` of one `$knn`. */
  maxKnnLimit: number
  /** Dimensions of a sparse query. */
  maxSparseDimensions: number
  /** Expressions, selected keys and keys of a grouping, in one search. */
  maxOperands: number
}

/** @throws SiltstoneError `invalid` (over-limit) when a request asks for more than a limit allows */
export type CheckLimit = (limit: keyof SearchLimits, field: string, count: number, what: string) => void

/** For callers in process, whose memory is their own. */
export const noLimits: CheckLimit = () => {}
