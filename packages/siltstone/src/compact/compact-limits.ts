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
  /**
   * Beside folds of other processes, a fold holds at most about this much of the log before its own entries, without the vectors
   * where they need not be held. 0: the process lets others fold beside it, and leaves to them what follows their entries.
   */
  aheadBytes: number
  /** Vectors of the log that a fold holds. More are left in the log, and read each time that they are needed, where that costs little. */
  heldVectorBytes: number
  /** Rows that are sorted at a time while a segment is clustered. More rows than this lie on the scratch disk meanwhile. */
  sortBytes: number
  /** Memory for the lists of a segment that is written, of its words, of its trigrams and of its values each. More lies on the scratch disk meanwhile. */
  indexBytes: number
  /** Parsed blocks of segments that the compactor keeps: mostly those that tell where ids are. */
  cacheBytes: number
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

/** With less, folds would be so small that merges did all the work. */
const LEAST_BYTES = 32 * MB

/**
 * How a compactor divides the memory that it may hold beside its code. A fold takes about as much as it reads of the log, most of
 * it texts and parts of the segment: to hold the vectors as well makes it faster, and is not worth their memory. A merge needs about 250 bytes a row (`step-cost.ts`).
 */
function memoryLimits(
  totalBytes: number,
): Pick<CompactLimits, 'foldBytes' | 'aheadBytes' | 'heldVectorBytes' | 'sortBytes' | 'indexBytes' | 'cacheBytes'> {
  const bytes = Math.max(LEAST_BYTES, totalBytes)
  return {
    foldBytes: bytes / 3,
    aheadBytes: 0,
    heldVectorBytes: 0,
    sortBytes: bytes / 12,
    indexBytes: bytes / 12,
    cacheBytes: bytes / 12,
  }
}

export const defaultCompactLimits: CompactLimits = {
  foldBytes: 64 * MB,
  aheadBytes: 128 * MB,
  heldVectorBytes: 64 * MB,
  sortBytes: 64 * MB,
  indexBytes: 40 * MB,
  cacheBytes: 64 * MB,
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

/**
 * The limits of a store, given by its capabilities.
 * @param memoryBytes that the compactor may hold, about; default: what makes it fastest
 */
export function compactLimitsOf(
  { capabilities }: Pick<ObjectStore, 'capabilities'>,
  memoryBytes?: number,
): CompactLimits {
  const limits = { ...defaultCompactLimits, ...(memoryBytes !== undefined && memoryLimits(memoryBytes)) }
  return capabilities.isLocal ? { ...limits, stepBytes: DIRECTORY_STEP_BYTES } : limits
}
