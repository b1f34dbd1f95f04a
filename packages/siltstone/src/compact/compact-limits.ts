import { defaultHistory, type HistoryPolicy } from '../snapshot/pins.ts'

export interface CompactLimits {
  /** A fold takes at most about this much of the log into memory; the rest follows in the next fold. */
  foldBytes: number
  /** Segments up to this size count as the lowest tier; each tier is `fanIn` times the one below. */
  tierBaseBytes: number
  /** This many segments of a tier are merged into one. */
  fanIn: number
  /** A segment is rewritten when this share of its rows is deleted … */
  deletedShare: number
  /** … or this many overlays lie on it. */
  overlays: number
  /** Nothing larger than this comes out of one merge. */
  mergeBytes: number
  /** A segment of at least this many rows is clustered and carries an inverted file and filter indexes … */
  indexRows: number
  /** … but no inverted file when its vectors have fewer dimensions than this: a scan of so little costs less. */
  indexDimension: number
  leaseTtlMs: number
  history: HistoryPolicy
  /** Objects younger than this are never collected. */
  graceMs: number
  /** The collector looks at a collection at most this often. */
  gcEveryMs: number
  /** A fork's pin may stand this long without the fork's pointer. */
  forkWithinMs: number
}

const MB = 1024 * 1024

export const defaultCompactLimits: CompactLimits = {
  foldBytes: 64 * MB,
  tierBaseBytes: 4 * MB,
  fanIn: 4,
  deletedShare: 0.3,
  overlays: 8,
  mergeBytes: 16 * 1024 * MB,
  indexRows: 1_000,
  indexDimension: 8,
  leaseTtlMs: 30_000,
  history: defaultHistory,
  graceMs: 3_600_000,
  gcEveryMs: 3 * 3_600_000,
  forkWithinMs: 3_600_000,
}
