import { defaultHistory, type HistoryPolicy } from '../snapshot/pins.ts'

export interface CompactLimits {
  /** A fold takes at most about this much of the log into memory; the rest follows in the next fold. */
  foldBytes: number
  /** Segments up to this size count as the lowest tier; each tier is `fanIn` times the one below. */
  tierBaseBytes: number
  /** This many segments of a tier are merged into one. */
  fanIn: number
  /** A segment is rewritten when more than this share of its rows is deleted. */
  deletedShare: number
  /** A segment is rewritten when it has more overlays than this. */
  overlays: number
  /** A merge writes no segment larger than this. */
  mergeBytes: number
  /** A segment of at least this many rows is clustered and has an inverted file and filter indexes. */
  indexRows: number
  /** Below this dimension a segment has no inverted file, because a scan costs less. */
  indexDimension: number
  leaseTtlMs: number
  history: HistoryPolicy
  /** Objects younger than this are never deleted. */
  graceMs: number
  /** The shortest time between two scheduled garbage collections of a collection. */
  gcEveryMs: number
  /** How long a fork's pin is kept while the fork has no pointer. */
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
