import type { ObjectStore } from '../ports/object-store.ts'
import { defaultHistory, type HistoryPolicy } from '../snapshot/pins.ts'

/**
 * Speeds with which the time of a step is estimated before it begins. As a setting: those that a process assumes until it has
 * measured its own (`step-pace.ts`), slower than the machines that we measured.
 */
export interface Pace {
  /** What any step takes, however small. */
  fixedMs: number
  /** Bytes read or written. */
  bytesPerSecond: number
  /** Rows sorted, encoded and indexed. */
  rowsPerSecond: number
  /** 8-bit multiplications of the clustering. */
  multiplicationsPerSecond: number
}

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
  /** A merge takes segments of at most this many live bytes, so that each merge is a bounded step. */
  stepBytes: number
  /** A merge takes at most this many live rows: they bound its memory when rows are small. */
  stepRows: number
  /** Memory that a merge may use. */
  memoryBytes: number
  pace: Pace
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
  stepBytes: 1024 * MB,
  stepRows: 2 ** 22,
  memoryBytes: 2048 * MB,
  pace: { fixedMs: 5_000, bytesPerSecond: 15e6, rowsPerSecond: 20_000, multiplicationsPerSecond: 4e9 },
  indexRows: 1_000,
  indexDimension: 8,
  leaseTtlMs: 30_000,
  history: defaultHistory,
  graceMs: 3_600_000,
  gcEveryMs: 3 * 3_600_000,
  forkWithinMs: 3_600_000,
}

/** A machine with a directory has no deadline, so its steps may be larger than those of a function with a bucket. */
const DIRECTORY_STEP_BYTES = 4 * 1024 * MB

/** The limits of a store, given by its capabilities. */
export function compactLimitsOf({ capabilities }: Pick<ObjectStore, 'capabilities'>): CompactLimits {
  return capabilities.isLocal ? { ...defaultCompactLimits, stepBytes: DIRECTORY_STEP_BYTES } : defaultCompactLimits
}
