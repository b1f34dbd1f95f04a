/**
 * How much of the inverted files a search examines: levels of recall one after another, up to the one that is asked for.
 * At each level it visits more clusters, nearest first, and measures more of the rows in them. docs/decisions/0012 has
 * the rules and what they were compared with.
 */
import type { SearchOptions } from '../../model/read.ts'
import { type Calibration, thetaFor } from '../calibration.ts'
import { DENSITY } from '../directory.ts'
import type { Flatness } from '../flatness.ts'
import type { IndexedSegment } from './indexed-segment.ts'
import { DEFAULT_RECALL, levelsFor, type RecallLevel } from '../recall-levels.ts'

export interface Effort {
  levels: readonly RecallLevel[]
  /** Instead of what the calibration says: clusters to visit if there were one segment. There is one level then. */
  clusters?: number
}

/** What the search knows of the segments when it chooses clusters. */
export interface SegmentSummary {
  clusters: number
  rows: number
  /** How many of the rows a filter admits. */
  admitted: number
  calibration: Calibration
}

export function summaryOf({ ivf: { directory }, rows, count }: IndexedSegment): SegmentSummary {
  const { clusters, calibration } = directory
  return { clusters, calibration, rows: rows.rows, admitted: count }
}

/**
 * How many clusters to visit at a level, of those that hold admitted rows.
 * @param share of the rows in the clusters visited so far that are admitted
 * @param near see `NearCount`
 */
export type ClusterNeed = (level: number, share: number, near: NearCount) => number

/** The number of clusters of all segments that are at most `nearly` times as far from the query as the nearest one; at least 1. */
export type NearCount = (nearly: number) => number

/**
 * Chosen on the corpora of `bench recall` at 20,000 rows, with filters of 10 % that admit the rows around one row. At 100,000 rows of low
 * intrinsic dimension these filters find 0.939 where 0.95 is asked for: see bench/RESULTS.md.
 */
const FILTERED = 1.15
/** Between these, θ is linear in the logarithms. */
const NEIGHBOURS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

export function effortOf({ recall = DEFAULT_RECALL, fixed }: SearchOptions = {}): Effort {
  const levels = levelsFor(recall)
  if (fixed === undefined) return { levels }
  const { clusters, deviations } = fixed
  const last = levels.at(-1) as RecallLevel
  return { levels: [{ recall, deviations: deviations ?? last.deviations }], clusters }
}

/**
 * Segments may be calibrated with different flatnesses: the need is the mean of what each says, by admitted rows.
 * @param factors on the need at each of `RECALL_LEVELS`; see `correction.ts`
 */
export function clusterNeed(
  effort: Effort,
  k: number,
  segments: readonly SegmentSummary[],
  factors?: readonly number[],
): ClusterNeed {
  const total = segments.reduce((sum, { clusters }) => sum + clusters, 0)
  if (effort.clusters !== undefined) {
    // A segment has clusters in proportion to the root of its rows, so several segments have smaller clusters than one
    // would. This many more of them hold as many entries.
    const factor = segments.reduce((sum, { clusters }) => sum + Math.sqrt(clusters / total), 0)
    const fixed = Math.ceil(effort.clusters * factor)
    return () => fixed
  }
  const needed = unroundedNeed(
    effort.levels.map(({ recall }) => recall),
    k,
    segments,
  )
  return (level, share, near) => Math.ceil(needed(level, share, near) * (factors?.[level] ?? 1))
}

/** @param recalls of each level */
export function unroundedNeed(recalls: readonly number[], k: number, segments: readonly SegmentSummary[]): ClusterNeed {
  const total = segments.reduce((sum, { clusters }) => sum + clusters, 0)
  const rows = segments.reduce((sum, one) => sum + one.rows, 0)
  const admitted = segments.reduce((sum, one) => sum + one.admitted, 0)
  // As many times more clusters than one segment of all rows would have.
  const finer = total / (DENSITY * Math.sqrt(rows))
  const alike = byFlatness(segments).map((some) => ({
    ...(some[0] as SegmentSummary).calibration.flatness,
    weight: some.reduce((sum, one) => sum + one.admitted, 0) / admitted,
    usual: weightedMean(some, ({ calibration }) => calibration.usualNear),
    curves: recalls.map((recall) => meanTheta(recall, some)),
  }))
  return (level, share, near) => {
    // A filter that admits one row in ten makes the tenth neighbour as far as the hundredth is without it, and somewhat
    // farther if it has to do with the vectors.
    const neighbours = k / Math.max(share, 1e-9) ** FILTERED
    let sum = 0
    for (const { nearly, exponent, weight, usual, curves } of alike) {
      const count = exponent === 0 && usual === Number.POSITIVE_INFINITY ? 1 : near(nearly)
      // A query that is flatter than those θ was measured with: its neighbours may be anywhere in the clusters that are near.
      const unusual = Math.max(1, count / finer / usual)
      const theta = at(curves[level] as readonly number[], neighbours)
      sum += weight * theta * count ** exponent * unusual ** (1 - exponent)
    }
    return sum * finer
  }
}

function byFlatness(segments: readonly SegmentSummary[]): SegmentSummary[][] {
  const groups: { flatness: Flatness; some: SegmentSummary[] }[] = []
  for (const one of segments) {
    const { nearly, exponent } = one.calibration.flatness
    const known = groups.find(({ flatness }) => flatness.nearly === nearly && flatness.exponent === exponent)
    if (known) known.some.push(one)
    else groups.push({ flatness: one.calibration.flatness, some: [one] })
  }
  return groups.map(({ some }) => some)
}

/** The logarithm of θ for each of `NEIGHBOURS`: the mean over the segments. */
function meanTheta(recall: number, segments: readonly SegmentSummary[]): number[] {
  return NEIGHBOURS.map((_, i) =>
    weightedMean(segments, ({ calibration }) => logThetas(calibration, recall)[i] as number),
  )
}

/** By calibration and recall: every query asks for the same few. */
const kept = new WeakMap<Calibration, Map<number, readonly number[]>>()

/** The logarithm of θ for each of `NEIGHBOURS`. */
function logThetas(calibration: Calibration, recall: number): readonly number[] {
  let byRecall = kept.get(calibration)
  if (!byRecall) kept.set(calibration, (byRecall = new Map()))
  let found = byRecall.get(recall)
  if (!found) {
    found = NEIGHBOURS.map((neighbours) => Math.log(thetaFor(calibration, recall, neighbours)))
    byRecall.set(recall, found)
  }
  return found
}

/** By admitted rows. */
function weightedMean(segments: readonly SegmentSummary[], valueOf: (one: SegmentSummary) => number): number {
  const admitted = segments.reduce((sum, one) => sum + one.admitted, 0)
  return segments.reduce((sum, one) => sum + (valueOf(one) * one.admitted) / admitted, 0)
}

function at(curve: readonly number[], neighbours: number): number {
  const place = Math.min(Math.log10(Math.max(1, neighbours)), NEIGHBOURS.length - 1)
  const low = Math.min(Math.floor(place), NEIGHBOURS.length - 2)
  const [a, b] = [curve[low] as number, curve[low + 1] as number]
  return Math.exp(a + (b - a) * (place - low))
}
