/** Which segments are measured row by row, and which are searched through their inverted files. */
import { stretches } from '../format/segment/source.ts'
import type { Ivf } from '../ivf/ivf.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { RowSet } from '../format/row-set.ts'

/** A segment, and those of its rows that are searched. */
export interface Part {
  segment: OpenSegment
  /** Undefined: nothing but measuring its rows is possible. */
  ivf: Ivf | undefined
  rows: RowSet
  /** Of `rows`. */
  count: number
  /** Tag of its row 0. */
  start: number
}

export type Indexed = Part & { ivf: Ivf }

/** So few admitted rows, of all segments together, are all measured … */
const MEASURE_ALL = 1_000
/** … and so few of one segment … */
const MEASURE_SEGMENT = 100
/** … unless it costs more than this, and more than reading the lists of their clusters. */
const MEASURE_COST_BYTES = 16 << 20

export function exactOrProbe(parts: readonly Part[], k: number): { exact: Part[]; probed: Indexed[] } {
  const total = parts.reduce((sum, { count }) => sum + count, 0)
  const all = total <= Math.max(MEASURE_ALL, 4 * k) && !isCheaperByLists(parts)
  const exact: Part[] = []
  const probed: Indexed[] = []
  for (const part of parts) {
    if (part.count === 0) continue
    if (part.ivf && !all && part.count > MEASURE_SEGMENT) probed.push({ ...part, ivf: part.ivf })
    else exact.push(part)
  }
  return { exact, probed }
}

/** Never from this machine's disk; from a bucket, where the rows lie so far apart that each is a request of its own. */
function isCheaperByLists(parts: readonly Part[]): boolean {
  const cost = (of: (part: Part) => number) => parts.reduce((sum, part) => sum + of(part), 0)
  const rows = cost(costOfRows)
  return rows > MEASURE_COST_BYTES && cost(costOfLists) < rows
}

/** What is read, a request counted as the bytes that one would read to save it. */
function costOfRows({ segment: { reader }, rows }: Part): number {
  const { recordsPerPage, pageBytes } = reader.vectorReader.geometry
  const pages = new Set<number>()
  for (const row of rows) pages.add(Math.floor(row / recordsPerPage))
  return costOf([...pages], (page) => page * pageBytes, reader.source.gapBytes)
}

/** Of all clusters that hold one of the rows: when so few are admitted, a search goes through all of them. */
function costOfLists({ segment: { reader }, rows, ivf }: Part): number {
  if (!ivf) return Number.POSITIVE_INFINITY
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
