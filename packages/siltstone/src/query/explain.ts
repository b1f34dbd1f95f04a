/** What a search did. */
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

export function noStats(): SearchStats {
  return {
    segments: 0,
    scannedRows: 0,
    freshRecords: 0,
    clusters: 0,
    listsRead: 0,
    entries: 0,
    candidates: 0,
    measured: 0,
  }
}
