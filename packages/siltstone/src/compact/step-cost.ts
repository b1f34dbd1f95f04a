/**
 * What a merge costs, known before it begins: bytes to move, time, memory and scratch disk. A merge begins only if it
 * fits into what is left of each. The estimates are upper bounds for ordinary data:
 *
 * - Each byte of the inputs is read once, those of vectors once more for the sample that the training needs. The output
 *   is at most 1.08 times the live bytes; it is written once and read back twice, by section and by file.
 * - The scratch disk holds the rows while they are sorted, uncompressed, and the trigrams and words of their documents.
 * - Memory holds a run of the sort and caches (`FIXED_MEMORY_BYTES`), the training sample, the codes of each row, and
 *   some numbers per row: places, ordinals, versions, the index of ids, lengths and terms.
 */
import type { SegmentRef } from '../format/manifest.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { clustersFor, sampleFor } from '../ivf/build/train.ts'
import type { Pace } from './compact-limits.ts'

/** What a step may use. */
export interface Room {
  timeMs: number
  memoryBytes: number
  scratchBytes: number
}

export type Shortage = keyof Room

const OUTPUT_GROWTH = 1.08
/** Texts are compressed in a segment; on the scratch disk they are not, and their trigrams and words lie beside them. */
const TEXT_GROWTH = 11
const TEXTS: ReadonlySet<string> = new Set(['ids', 'documents', 'metadata', 'uris'])
const FIXED_MEMORY_BYTES = 256 * 1024 * 1024
const SCRATCH_ROW_BYTES = 48
const MEMORY_ROW_BYTES = 144
/** Passes over the sample in a training, see `ivf/build/train.ts`. */
const TRAINING_ROUNDS = 14
/** Groups whose centroids a row is compared with, the groups themselves included. */
const COMPARED_GROUPS = 8

/**
 * A segment as small as `rows` of its live rows, for an estimate. Deleted rows between them are read as well: at most as
 * many bytes again.
 */
export function partOf(ref: SegmentRef, rows: number): SegmentRef {
  const share = rows / Math.max(1, liveRows(ref))
  const { segment } = ref
  const stored = Math.min(segment.rows, 2 * rows)
  return {
    segment: {
      ...segment,
      rows: stored,
      sizeBytes: (liveBytes(ref) * share * stored) / rows,
      sections: segment.sections.map((section) => ({ ...section, length: section.length * share })),
    },
    deletions: { count: stored - rows },
    overlays: [],
  }
}

export function liveRows({ segment, deletions }: SegmentRef): number {
  return segment.rows - (deletions?.count ?? 0)
}

/** Bytes that a segment would have if it were written again, about. */
export function liveBytes(ref: SegmentRef): number {
  const { segment, overlays } = ref
  const share = segment.rows === 0 ? 0 : liveRows(ref) / segment.rows
  return segment.sizeBytes * share + overlays.reduce((sum, overlay) => sum + overlay.sizeBytes, 0)
}

/** An upper bound of what the join of a segment's overlays needs: they are read, joined in memory, written and read back. */
export function joinCost({ overlays }: SegmentRef, pace: Pace): Room {
  const bytes = overlays.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return {
    timeMs: pace.fixedMs + (3_000 * bytes) / pace.bytesPerSecond,
    memoryBytes: FIXED_MEMORY_BYTES + 2 * TEXT_GROWTH * bytes,
    scratchBytes: 0,
  }
}

/**
 * @param hasScratch false: what would lie on the scratch disk takes memory
 * @returns an upper bound of what a merge of these segments needs
 */
export function stepCost(inputs: readonly SegmentRef[], pace: Pace, hasScratch = true): Room {
  const sum = (of: (ref: SegmentRef) => number) => inputs.reduce((total, ref) => total + of(ref), 0)
  const rows = sum(liveRows)
  const dimension = Math.max(0, ...inputs.map(({ segment }) => segment.dimension))
  const live = sum(liveBytes)
  const stored = sum(
    ({ segment, overlays }) => segment.sizeBytes + overlays.reduce((all, one) => all + one.sizeBytes, 0),
  )
  const movedBytes = stored + sum((ref) => liveRows(ref) * ref.segment.dimension * 4) + 3 * OUTPUT_GROWTH * live
  const texts = sum(({ segment }) =>
    segment.sections.reduce((all, { name, length }) => (TEXTS.has(name) ? all + length : all), 0),
  )
  const spilled = rows * (SCRATCH_ROW_BYTES + 4 * dimension) + TEXT_GROWTH * texts
  const clusters = clustersFor(rows)
  const memoryBytes =
    FIXED_MEMORY_BYTES +
    sampleFor(rows) * dimension +
    rows * (dimension / 4 + MEMORY_ROW_BYTES) +
    5 * clusters * dimension
  return {
    timeMs: timeOf({ rows, dimension, movedBytes }, pace),
    memoryBytes: memoryBytes + (hasScratch ? 0 : spilled),
    scratchBytes: hasScratch ? spilled : 0,
  }
}

/** @returns how long a fold takes that reads `readBytes` of the log and writes the segment, if any, in milliseconds */
export function foldTimeMs(readBytes: number, segment: SegmentDescriptor | null, pace: Pace): number {
  const { rows = 0, dimension = 0, sizeBytes = 0 } = segment ?? {}
  return timeOf({ rows, dimension, movedBytes: readBytes + 3 * sizeBytes }, pace)
}

interface Work {
  rows: number
  dimension: number
  movedBytes: number
}

function timeOf({ rows, dimension, movedBytes }: Work, pace: Pace): number {
  const clusters = clustersFor(rows)
  const compared = COMPARED_GROUPS * Math.sqrt(clusters) * dimension
  const multiplications = (rows + TRAINING_ROUNDS * sampleFor(rows)) * compared + clusters * clusters * dimension
  return (
    pace.fixedMs +
    1_000 * Math.max(movedBytes / pace.bytesPerSecond, rows / pace.rowsPerSecond) +
    (1_000 * multiplications) / pace.multiplicationsPerSecond
  )
}

/** What a step needs more of than there is; undefined when it fits. */
export function shortageOf(cost: Room, room: Room): Shortage | undefined {
  for (const what of ['memoryBytes', 'scratchBytes', 'timeMs'] as const) if (cost[what] > room[what]) return what
  return undefined
}
