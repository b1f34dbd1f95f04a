/**
 * How much of the inverted files a search examines: levels of recall one after another, up to the one that is asked for.
 * At each level it visits more clusters, nearest first, and measures more of the rows in them. docs/decisions/0012 has
 * the rules and what they were compared with.
 */
import type { SearchOptions } from '../../model/read.ts'
import { type Calibration, thetaFor } from '../calibration.ts'
import { DENSITY } from '../directory.ts'
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

/**
 * How many clusters to visit at a level, of those that hold admitted rows.
 * @param share of the rows in the clusters visited so far that are admitted
 * @param near number of clusters nearly as near as the nearest one
 */
export type ClusterNeed = (level: number, share: number, near: number) => number

/** Between these, θ is linear in the logarithms. */
const NEIGHBOURS = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000]

export function effortOf({ recall = DEFAULT_RECALL, fixed }: SearchOptions = {}): Effort {
  const levels = levelsFor(recall)
  if (fixed === undefined) return { levels }
  const { clusters, deviations } = fixed
  const last = levels.at(-1) as RecallLevel
  return { levels: [{ recall, deviations: deviations ?? last.deviations }], clusters }
}

/** @param factors on θ for each of `RECALL_LEVELS`; see `correction.ts` */
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
  const rows = segments.reduce((sum, one) => sum + one.rows, 0)
  // As many times more clusters than one segment of all rows would have.
  const finer = total / (DENSITY * Math.sqrt(rows))
  const usual = weightedMean(segments, ({ calibration }) => calibration.usualNear)
  const curves = effort.levels.map(({ recall }) => meanTheta(recall, segments))
  return (level, share, near) => {
    // A filter that admits one row in ten makes the tenth neighbour as far as the hundredth is without it.
    const neighbours = k / Math.max(share, 1e-9)
    // A query that is flatter than those θ was measured with: its neighbours may be anywhere in the clusters that are near.
    const unusual = Math.max(1, near / finer / usual)
    const theta = at(curves[level] as readonly number[], neighbours) * (factors?.[level] ?? 1)
    return Math.ceil(theta * Math.sqrt(near * unusual) * finer)
  }
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
