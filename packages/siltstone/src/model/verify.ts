/** What a verification of a collection found. */

export interface Problem {
  /** The object at fault, or the collection's path. */
  key: string
  problem: string
  remedy: string
  /** `warning`: only old versions are affected, nothing that is read or written now. */
  severity: 'error' | 'warning'
}

export interface VerifyFigures {
  /** Distinct objects that the collection needs, and their bytes. */
  objects: number
  bytes: number
  manifests: number
  segments: number
  /** Entries above the watermark. */
  entries: number
  /** Entries below it that are still kept. */
  foldedEntries: number
  /** Deltas in the inbox that no entry has sequenced yet. */
  inboxDeltas: number
  /** Deltas that every reader refuses. They are no problem: the manifest lists them with the reason. */
  refusedDeltas: number
  /** Live records of the snapshot. */
  snapshotRecords: number
  /** Objects under the collection's prefix that nothing refers to: garbage within its grace period. */
  unreferencedObjects: number
  unreferencedBytes: number
}

export interface VerifyReport {
  collection: string
  state: 'live' | 'closed' | 'never-folded'
  deep: boolean
  manifestKey: string | null
  watermark: number
  /** Number of the last log entry. */
  version: number
  /** Live records, the log included; null when the state cannot be read. */
  liveRecords: number | null
  problems: Problem[]
  figures: VerifyFigures
}
