/** Chooses how the rows of each segment are ranked: all measured exactly, or searched through the inverted file. */
import { stretches } from '../format/segment/source.ts'
import type { Ivf } from '../ivf/ivf.ts'
import type { IndexedSegment } from '../ivf/search/indexed-segment.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { RowSet } from '../format/row-set.ts'

/** A segment, and the rows of it that are searched. */
export interface SearchedSegment {
  segment: OpenSegment
  /** Undefined: its rows can only be measured. */
  ivf: Ivf | undefined
  rows: RowSet
  /** Number of rows in `rows`. */
  count: number
  /** The tag of row 0. */
  firstTag: number
}

/** Up to this many admitted rows of all segments together are all measured, if that costs little enough. */
const MEASURE_ALL_ROWS = 1_000
/** Up to this many admitted rows of one segment are all measured, at any cost. */
const MEASURE_SEGMENT_ROWS = 100
/** Measuring all rows costs little enough up to this, or when the lists of their clusters cost at least as much. */
const MEASURE_COST_BYTES = 16 << 20
/** The same where bytes count for more than requests, which a small gap tells. */
const SMALL_GAP_BYTES = 2 * 1024
const SMALL_MEASURE_COST_BYTES = 64 * 1024

export function chooseAccessPaths(
  segments: readonly SearchedSegment[],
  k: number,
): { exact: SearchedSegment[]; indexed: (SearchedSegment & IndexedSegment)[] } {
  const total = segments.reduce((sum, { count }) => sum + count, 0)
  const all = total <= Math.max(MEASURE_ALL_ROWS, 4 * k) && !isCheaperByLists(segments)
  const exact: SearchedSegment[] = []
  const indexed: (SearchedSegment & IndexedSegment)[] = []
  for (const one of segments) {
    if (one.count === 0) continue
    const { ivf } = one
    if (ivf && !all && one.count > MEASURE_SEGMENT_ROWS) indexed.push({ ...one, ivf })
    else exact.push(one)
  }
  return { exact, indexed }
}

/**
 * Never true on a local disk. True in a bucket where the rows lie so far apart that each costs a request of its own.
 */
function isCheaperByLists(segments: readonly SearchedSegment[]): boolean {
  const sum = (cost: (one: SearchedSegment) => number) => segments.reduce((total, one) => total + cost(one), 0)
  const rows = sum(costOfRows)
  return rows > mostCost(segments) && sum(costOfLists) < rows
}

function mostCost(segments: readonly SearchedSegment[]): number {
  const savesBytes = segments.every(
    ({ segment: { reader } }) => !reader.source.isLocal && reader.source.gapBytes <= SMALL_GAP_BYTES,
  )
  return savesBytes ? SMALL_MEASURE_COST_BYTES : MEASURE_COST_BYTES
}

/** In bytes read. A request counts as the number of bytes that a reader would rather read than make another request. */
function costOfRows({ segment: { reader }, rows }: SearchedSegment): number {
  const { recordsPerPage, pageBytes } = reader.vectorReader.geometry
  const pages = new Set<number>()
  for (const row of rows) pages.add(Math.floor(row / recordsPerPage))
  return costOf([...pages], (page) => page * pageBytes, reader.source.gapBytes)
}

/**
 * The cost of all clusters that hold one of the rows, since a search for so few rows visits all of these clusters. Without an index, rows
 * are measured in any case.
 */
function costOfLists(searched: SearchedSegment): number {
  const { segment, rows, ivf } = searched
  if (!ivf) return costOfRows(searched)
  const { reader } = segment
  const { clusters, firstRows, offsets } = ivf.directory
  const wanted: number[] = []
  for (let i = 0; i < clusters; i++)
    if (rows.rangeCount(firstRows[i] as number, firstRows[i + 1] as number) > 0) wanted.push(i)
  return costOf(wanted, (cluster) => offsets[cluster] as number, reader.source.gapBytes)
}

function costOf(indices: readonly number[], startOf: (index: number) => number, gapBytes: number): number {
  let cost = 0
  for (const { first, end } of stretches(indices, startOf, gapBytes, Number.POSITIVE_INFINITY))
    cost += gapBytes + startOf(end) - startOf(first)
  return cost
}
