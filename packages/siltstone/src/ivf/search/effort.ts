/**
 * How much of the inverted files a search examines: levels of recall one after another, up to the one that is asked for.
 * At each level it visits more clusters, nearest first, and measures more of the rows in them. docs/decisions/0012 has
 * the rules and what they were compared with.
 */
import type { SearchOptions } from '../../model/read.ts'
import type { Calibration } from '../calibration.ts'
import { DENSITY } from '../directory.ts'
import { type NearCount, Need } from '../need.ts'
import { DEFAULT_RECALL, levelsFor, levelsTo, type RecallLevel } from '../recall-levels.ts'
import type { IndexedSegment } from './indexed-segment.ts'

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

/** Of one query: how many clusters to visit, of those that hold admitted rows. */
export type ClusterNeed = (near: NearCount) => QueryNeed

/**
 * The number of clusters at a level, beside those of the levels before.
 * @param share of the rows in the clusters visited so far that are admitted
 */
export type QueryNeed = (level: number, share: number) => number

/** A query counts as one with a filter if a smaller share of the rows is admitted: rows that were deleted are left out of every query. */
const FILTERED = 0.5
/** What logarithms and back may add to a whole number. */
const ROUNDING = 1e-6

export function effortOf({ recall = DEFAULT_RECALL, isUnrounded, fixed }: SearchOptions = {}): Effort {
  const levels = isUnrounded ? levelsTo(recall) : levelsFor(recall)
  if (fixed === undefined) return { levels }
  const { clusters, deviations } = fixed
  const last = levels.at(-1) as RecallLevel
  return { levels: [{ recall, deviations: deviations ?? last.deviations }], clusters }
}

/**
 * Segments are calibrated apart: the need is the geometric mean of what each says, weighted by its admitted rows.
 * @param factors on the need at each of `RECALL_LEVELS`; see `correction.ts`
 */
export function clusterNeed(
  effort: Effort,
  k: number,
  segments: readonly SegmentSummary[],
  factors?: readonly number[],
): ClusterNeed {
  if (effort.clusters !== undefined) {
    const total = segments.reduce((sum, { clusters }) => sum + clusters, 0)
    // A segment has clusters in proportion to the root of its rows, so several segments have smaller clusters than one
    // would. This many more of them hold as many entries.
    const factor = segments.reduce((sum, { clusters }) => sum + Math.sqrt(clusters / total), 0)
    const fixed = Math.ceil(effort.clusters * factor)
    return () => () => fixed
  }
  const needed = unroundedNeed(
    effort.levels.map(({ recall }) => recall),
    k,
    segments,
  )
  // Queries without a filter gave the factors: that those need less says nothing of queries with one.
  const [rows, admitted] = totals(segments)
  const least = admitted < rows * FILTERED ? 1 : 0
  return (near) => {
    const need = needed(near)
    return (level, share) => Math.ceil(need(level, share) * Math.max(least, factors?.[level] ?? 1) - ROUNDING)
  }
}

/** @param recalls of each level */
export function unroundedNeed(recalls: readonly number[], k: number, segments: readonly SegmentSummary[]): ClusterNeed {
  const [rows, admitted] = totals(segments)
  // As many times more clusters than one segment of all rows would have.
  const finer = segments.reduce((sum, { clusters }) => sum + clusters, 0) / (DENSITY * Math.sqrt(rows))
  const parts = segments.map((one) => ({ need: needOf(one.calibration, recalls), weight: one.admitted / admitted }))
  const filter = recalls.map((_, level) =>
    parts.reduce((total, { need, weight }) => total + weight * need.factor(level, k, admitted / rows), 0),
  )
  return (near) => {
    const queries = parts.map(({ need, weight }) => ({ of: need.of(near, finer), weight }))
    return (level, share) => {
      // A filter that admits one row in ten makes the tenth neighbour as far as the hundredth is without it.
      const neighbours = k / Math.max(share, 1e-9)
      let log = filter[level] as number
      for (const { of, weight } of queries) log += weight * of(level, neighbours)
      return Math.exp(log)
    }
  }
}

/** Rows, and admitted ones. */
function totals(segments: readonly SegmentSummary[]): [number, number] {
  const sum = (of: (one: SegmentSummary) => number) => segments.reduce((total, one) => total + of(one), 0)
  return [sum(({ rows }) => rows), sum(({ admitted }) => admitted)]
}

const kept = new WeakMap<Calibration, Map<string, Need>>()

/** Every query asks for the same few levels. */
function needOf(calibration: Calibration, recalls: readonly number[]): Need {
  let byRecalls = kept.get(calibration)
  if (!byRecalls) kept.set(calibration, (byRecalls = new Map()))
  const key = recalls.join('/')
  let need = byRecalls.get(key)
  if (!need) byRecalls.set(key, (need = new Need(calibration, recalls)))
  return need
}
