/** Which clusters a query scans. */
import { Ascending } from '../../kernels/ascending.ts'
import { nearLimit } from '../near-limit.ts'
import type { NearCount } from '../need.ts'
import { type Counts, deviationsOutside } from '../outside.ts'
import type { ClusterNeed } from './effort.ts'
import { type IndexedSegment, isFiltered } from './indexed-segment.ts'
import type { PreparedQuery } from './prepared-query.ts'
import { basesOf, type Probe, probeOf } from './probe.ts'
import { workspace } from './workspace.ts'

export interface ChosenClusters {
  /** Nearest first, over all segments together. */
  probes: Probe[]
  /** The clusters of level i are those before `ends[i]`. */
  ends: number[]
}

/**
 * The nearest clusters for each level. Clusters of a filtered segment that hold no admitted row are passed over.
 * @param queries the query as prepared for each segment
 */
export function chooseClusters(
  segments: readonly IndexedSegment[],
  queries: readonly PreparedQuery[],
  levels: number,
  need: ClusterNeed,
): ChosenClusters {
  const starts: number[] = []
  let clusters = 0
  for (const { ivf } of segments) {
    starts.push(clusters)
    clusters += ivf.directory.clusters
  }
  const bases = new Float64Array(clusters)
  segments.forEach(({ ivf: { directory } }, i) => {
    const start = starts[i] as number
    basesOf(workspace(), queries[i] as PreparedQuery, directory, bases.subarray(start, start + directory.clusters))
  })
  const { space, square } = queries[0] as PreparedQuery
  const reach = Math.max(...segments.map(({ ivf }) => ivf.directory.reach))
  const length = Math.sqrt(square)
  const limitOf = (nearest: number, nearly: number) => nearLimit(space, nearest, reach, length, nearly)
  const segmentOf = (number: number) => {
    let i = starts.length - 1
    while ((starts[i] as number) > number) i--
    return i
  }
  const probeAt = (number: number, base: number): Probe => {
    const i = segmentOf(number)
    const cluster = number - (starts[i] as number)
    return probeOf(segments[i] as IndexedSegment, queries[i] as PreparedQuery, cluster, base)
  }
  const countsOf = (number: number) => {
    const i = segmentOf(number)
    return rowsOf({ segment: segments[i] as IndexedSegment, cluster: number - (starts[i] as number) })
  }
  return segments.some(isFiltered)
    ? chooseAdmitted(bases, probeAt, limitOf, levels, need, deviationsOutside(bases, countsOf))
    : chooseNearest(bases, probeAt, limitOf, levels, need)
}

type ProbeAt = (number: number, base: number) => Probe
type LimitOf = (nearest: number, nearly: number) => number

function chooseNearest(
  bases: Float64Array,
  probeAt: ProbeAt,
  limitOf: LimitOf,
  levels: number,
  need: ClusterNeed,
): ChosenClusters {
  let nearest = Number.POSITIVE_INFINITY
  for (let i = 0; i < bases.length; i++) if ((bases[i] as number) < nearest) nearest = bases[i] as number
  const near = oncePerValue((nearly) => {
    const limit = limitOf(nearest, nearly)
    let count = 0
    for (let i = 0; i < bases.length; i++) if ((bases[i] as number) <= limit) count++
    return Math.max(1, count)
  })
  const needed = need(near)
  const ends: number[] = []
  for (let level = 0; level < levels; level++) {
    const end = Math.min(bases.length, Math.max(1, needed(level, 1)))
    ends.push(Math.max(end, ends.at(-1) ?? 0))
  }
  const end = ends.at(-1) as number
  const ascending = new Ascending(bases, end)
  const probes: Probe[] = []
  while (probes.length < end) {
    const next = ascending.next()
    probes.push(probeAt(next, ascending.value))
  }
  return { probes, ends }
}

/**
 * What share of the rows is admitted differs from place to place when the filter has to do with the vectors, so it is
 * counted in the clusters that were chosen.
 */
function chooseAdmitted(
  bases: Float64Array,
  probeAt: ProbeAt,
  limitOf: LimitOf,
  levels: number,
  need: ClusterNeed,
  outside: number,
): ChosenClusters {
  const ascending = new Ascending(bases, bases.length)
  const walked: { probe: Probe; admitted: number; rows: number }[] = []
  /** The cluster in place `place` of those with admitted rows. */
  const at = (place: number) => {
    while (walked.length <= place) {
      const next = ascending.next()
      if (next < 0) return undefined
      const probe = probeAt(next, ascending.value)
      const counts = rowsOf(probe)
      if (counts.admitted > 0) walked.push({ probe, ...counts })
    }
    return walked[place]
  }
  const near = oncePerValue((nearly) => {
    const limit = limitOf(at(0)?.probe.base ?? 0, nearly)
    let count = 0
    for (let one = at(0); one && one.probe.base <= limit; one = at(count)) count++
    return Math.max(1, count)
  })
  const needed = need(near, outside)
  const ends: number[] = []
  let end = 0
  let admitted = 0
  let rows = 0
  for (let level = 0; level < levels; level++) {
    while (end === 0 || end < needed(level, admitted / rows)) {
      const one = at(end)
      if (!one) break
      admitted += one.admitted
      rows += one.rows
      end++
    }
    ends.push(end)
  }
  return { probes: walked.slice(0, end).map(({ probe }) => probe), ends }
}

function oncePerValue(count: NearCount): NearCount {
  const known = new Map<number, number>()
  return (nearly) => {
    const found = known.get(nearly) ?? count(nearly)
    known.set(nearly, found)
    return found
  }
}

/** Not counting the rows that are copied into the cluster. An unfiltered cluster counts even if it holds only copies. */
function rowsOf({ segment, cluster }: Pick<Probe, 'segment' | 'cluster'>): Counts {
  const { firstRows } = segment.ivf.directory
  const [start, end] = [firstRows[cluster] as number, firstRows[cluster + 1] as number]
  const rows = Math.max(1, end - start)
  return { admitted: isFiltered(segment) ? segment.rows.rangeCount(start, end) : rows, rows }
}
