/**
 * How much of the inverted files a search examines: levels of recall one after another, up to the one that is asked for.
 * At each level it visits more clusters, nearest first, and measures more of the rows in them. docs/decisions/0012 has
 * the rules and what they were compared with.
 */
import type { SearchOptions } from '../../model/read.ts'
import type { Calibration } from '../calibration.ts'
import { DENSITY } from '../directory.ts'
import { type NearCount, Need } from '../need.ts'
import { DEFAULT_RECALL, levelsFor, levelsTo, RECALL_LEVELS, type RecallLevel } from '../recall-levels.ts'
import { type CorrectionFactors, factorAt } from './correction.ts'
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

/** Of one query: how many clusters to visit, of those that hold admitted rows. @param outside see `../outside.ts`; default 0 */
export type ClusterNeed = (near: NearCount, outside?: number) => QueryNeed

/**
 * The number of clusters at a level, beside those of the levels before.
 * @param share of the rows in the clusters visited so far that are admitted
 */
export type QueryNeed = (level: number, share: number) => number

/** A query counts as one with a filter if a smaller share of the rows is admitted: rows that were deleted are left out of every query. */
const FILTERED = 0.5
/** A query far from what its filter admits looks for at least so many neighbours. */
const LEAST_OUTSIDE = 10
/** What logarithms and back may add to a whole number. */
const ROUNDING = 1e-6

export function effortOf({ recall = DEFAULT_RECALL, isUnrounded, fixed }: SearchOptions = {}): Effort {
  const levels = isUnrounded ? levelsTo(recall) : levelsFor(recall)
  if (fixed === undefined) return { levels }
  const { clusters, deviations } = fixed
  const last = levels.at(-1) as RecallLevel
  const level = deviations === undefined ? last : { deviations, mostDeviations: deviations }
  return { levels: [{ ...level, recall }], clusters }
}

/**
 * Segments are calibrated apart: the need is the geometric mean of what each says, weighted by its admitted rows.
 * @param correction of the need, by real queries
 */
export function clusterNeed(
  effort: Effort,
  k: number,
  segments: readonly SegmentSummary[],
  correction?: CorrectionFactors,
): ClusterNeed {
  if (effort.clusters !== undefined) {
    const total = segments.reduce((sum, { clusters }) => sum + clusters, 0)
    // A segment has clusters in proportion to the root of its rows, so several segments have smaller clusters than one
    // would. This many more of them hold as many entries.
    const factor = segments.reduce((sum, { clusters }) => sum + Math.sqrt(clusters / total), 0)
    const fixed = Math.ceil(effort.clusters * factor)
    return () => () => fixed
  }
  const needed = unroundedNeed(k, segments, effort.levels)
  // Queries without a filter gave the factors: that those need less says nothing of queries with one.
  const [rows, admitted] = totals(segments)
  const least = admitted < rows * FILTERED ? 1 : 0
  const finer = finerThanOne(segments)
  return (near, outside) => {
    const need = needed(near, outside)
    const count = correction && correction.exponent !== 0 ? near(correction.nearly) / finer : 1
    return (level, share) => {
      const factor = correction ? Math.max(least, factorAt(correction, level, count)) : 1
      return Math.ceil(need(level, share) * factor - ROUNDING)
    }
  }
}

/** A level is the place of its recall in `levels`. @param levels the first ones of `RECALL_LEVELS`; the last one may have another recall */
export function unroundedNeed(
  k: number,
  segments: readonly SegmentSummary[],
  levels: readonly RecallLevel[] = RECALL_LEVELS,
): ClusterNeed {
  const [rows, admitted] = totals(segments)
  const finer = finerThanOne(segments)
  const parts = segments.map(({ calibration, admitted: own }) => ({
    need: needOf(calibration, levels),
    weight: own / admitted,
  }))
  /** Logarithms by level, of queries as usual and of those far from what is admitted. */
  const factors: [number[], number[]] = [[], []]
  const factorOf = (level: number, outside: 0 | 1) =>
    (factors[outside][level] ??= parts.reduce(
      (total, { need, weight }) => total + weight * need.factor(level, k, admitted / rows, outside),
      0,
    ))
  const far = parts.reduce((total, { need, weight }) => total + weight * need.far(admitted / rows), 0)
  return (near, deviations = 0) => {
    const outside = Math.min(1, Math.max(0, deviations / far))
    const queries = parts.map(({ need, weight }) => ({ of: need.of(near, finer), weight }))
    // On the border of what is admitted, one is no easier to find than ten, for which the factors were measured.
    const wanted = k ** (1 - outside) * Math.max(k, LEAST_OUTSIDE) ** outside
    return (level, share) => {
      // A filter that admits one row in ten makes the tenth neighbour as far as the hundredth is without it.
      const neighbours = wanted / Math.max(share, 1e-9)
      let log = outside === 1 ? 0 : (1 - outside) * factorOf(level, 0)
      if (outside > 0) log += outside * factorOf(level, 1)
      for (const { of, weight } of queries) log += weight * of(level, neighbours)
      return Math.exp(log)
    }
  }
}

/** How many times as many clusters there are as one segment of all rows would have. */
export function finerThanOne(segments: readonly SegmentSummary[]): number {
  return segments.reduce((sum, { clusters }) => sum + clusters, 0) / (DENSITY * Math.sqrt(totals(segments)[0]))
}

/** Rows, and admitted ones. */
function totals(segments: readonly SegmentSummary[]): [number, number] {
  const sum = (of: (one: SegmentSummary) => number) => segments.reduce((total, one) => total + of(one), 0)
  return [sum(({ rows }) => rows), sum(({ admitted }) => admitted)]
}

const RECALLS = RECALL_LEVELS.map(({ recall }) => recall)
/** By the recall of the last level. */
const kept = new WeakMap<Calibration, Map<number, Need>>()

/** Every query asks for the same few levels. */
function needOf(calibration: Calibration, levels: readonly RecallLevel[]): Need {
  const at = levels.length - 1
  const asked = levels[at] as RecallLevel
  const isUnrounded = asked.recall !== RECALLS[at]
  const key = isUnrounded ? asked.recall : 1
  let byRecall = kept.get(calibration)
  if (!byRecall) kept.set(calibration, (byRecall = new Map()))
  let need = byRecall.get(key)
  if (!need) byRecall.set(key, (need = new Need(calibration, isUnrounded ? RECALLS.with(at, asked.recall) : RECALLS)))
  return need
}
