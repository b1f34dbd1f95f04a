/**
 * The calibration of an inverted file from what its pseudo-queries needed.
 *
 * A query visits ⌈θ · Nᵖ⌉ clusters. For one flatness, that is for what counts as near and for one p, the places of the
 * neighbours' clusters divided by Nᵖ are comparable among queries, and the θ that finds a share t of the neighbours is the
 * t-quantile of these numbers. For few and for many neighbours the flatness is chosen apart: the one with which queries like the rows
 * visit the fewest clusters, in the mean of the logarithms over the levels that count most.
 *
 * θ is the largest that one of the groups of queries asks for: rows, the rows that lie apart from others, and each other kind. Each finds
 * what the level promises, with what is left to the codes on top; rows, and middles at high recalls, also with a margin for chance:
 * `CONFIDENCE` standard errors of their mean recall. The others get none: they are more unlike the rows than most real queries.
 *
 * Rows that lie apart are a group of their own because most rows may lie where they are dense, in a few places that are there thousands of
 * times, and most queries elsewhere.
 */
import type { Calibration } from '../calibration.ts'
import { selectSmallest } from '../../kernels/smallest.ts'
import { FLATNESSES, type Flatness } from '../flatness.ts'
import { meanRecallError, MISSED_BY_CLUSTERS, RECALL_LEVELS } from '../recall-levels.ts'
import type { PseudoKind } from './pseudo-queries.ts'

/** What one pseudo-query needed. */
export interface Needed {
  kind: PseudoKind
  /** Of a row: whether it lies farther from its centroid than most rows. */
  isApart: boolean
  /**
   * The place, from 1 on, of the nearer cluster of each neighbour in the order in which a search visits them. For each number of
   * neighbours that is calibrated for, those of the nearest ones come first. Of an index with as many clusters as its rows ask for: see `DENSITY`.
   */
  places: readonly number[]
  /** N for each of `FLATNESSES`. */
  near: readonly number[]
}

/** Those of a kind, or the rows that lie apart, which are among the rows, too. */
type Group = PseudoKind | 'apart'
const GROUPS: readonly Group[] = ['row', 'apart', 'shifted', 'between']
/** One-sided: nine of ten indexes reach the recall for queries like their rows, and more where another kind asks for more. */
const CONFIDENCE = 1.3
/** From here on, few neighbours may be missed, so chance decides more. */
const HIGH_RECALL = 0.98
/** At most this share of what may be missed is taken away for the margin. */
const MOST_MARGIN = 0.5
/** Share of the queries whose N is usual. */
const USUAL = 0.99
/** What a flatness is chosen for. */
const CHOSEN_FOR = [0.9, 0.95, 0.99]
/** Up to the first number of neighbours, and beyond it: the flatness is chosen for each of these. */
const FEW_NEIGHBOURS = 10
const MANY_NEIGHBOURS = 100
const LEAST_THETA = 0.05
const MOST_THETA = 1e6

/**
 * @param counts numbers of neighbours to calibrate for, ascending
 * @param clusters of an index with as many as its rows ask for
 * @returns undefined if there is nothing to tell it from
 */
export function fitCalibration(
  queries: readonly Needed[],
  counts: readonly number[],
  clusters: number,
): Omit<Calibration, 'neighbours' | 'filters'> | undefined {
  if (queries.every(({ places }) => places.length === 0)) return undefined
  const chosen = new Map<number, number>()
  const placeFor = (count: number): number => {
    const wanted = count <= FEW_NEIGHBOURS ? FEW_NEIGHBOURS : MANY_NEIGHBOURS
    const known = counts.findLast((one) => one <= wanted) as number
    const place = chosen.get(known) ?? cheapest(queries, known, clusters)
    chosen.set(known, place)
    return place
  }
  const places = counts.map(placeFor)
  return {
    recalls: RECALL_LEVELS.map(({ recall }) => recall),
    theta: thetas(queries, counts, places),
    usualNear: places.map((place) => {
      const nears = Float64Array.from(queries, ({ near }) => near[place] as number).sort()
      return nears[placeOf(nears.length, USUAL)] as number
    }),
    flatness: places.map((place) => FLATNESSES[place] as Flatness),
  }
}

/** The place of the flatness with which rows visit the fewest clusters: the mean logarithm of their number counts. */
function cheapest(queries: readonly Needed[], count: number, clusters: number): number {
  const rows = queries.filter(({ kind }) => kind === 'row')
  const costs = FLATNESSES.map(({ exponent }, place) => {
    const powers = rows.map(({ near }) => (near[place] as number) ** exponent)
    const theta = CHOSEN_FOR.map(() => LEAST_THETA)
    for (const group of GROUPS) {
      const { values, ends } = needsOf(queries, group, count, place)
      if (values.length === 0) continue
      let from = 0
      CHOSEN_FOR.forEach((recall, i) => {
        // About what the margin will be: with some flatnesses a few rows need very much.
        const error = hasMargin(group, recall) ? meanRecallError(1 - recall, ends.length) : 0
        const at = placeOf(values.length, shareToFind(recall, error))
        // What the lower one leaves behind is larger, and this one is among that.
        selectSmallest(values, at, from, values.length)
        from = at
        theta[i] = Math.max(theta[i] as number, values[at] as number)
      })
    }
    return theta.reduce((cost, one) => {
      const visited = powers.map((power) => Math.min(clusters, Math.max(1, Math.ceil(one * power))))
      return cost + Math.log(visited.reduce((sum, number) => sum + number, 0) / Math.max(1, rows.length))
    }, 0)
  })
  return costs.indexOf(Math.min(...costs))
}

/**
 * The share of the neighbours whose clusters must be visited.
 * @param error for a margin: standard error of the mean recall from which it is measured
 */
export function shareToFind(recall: number, error = 0): number {
  const missed = 1 - recall
  return 1 - Math.max(missed * (1 - MOST_MARGIN), missed * MISSED_BY_CLUSTERS - CONFIDENCE * error)
}

function hasMargin(group: Group, recall: number): boolean {
  return group === 'row' || (group === 'between' && recall >= HIGH_RECALL)
}

/** θ for each level and number of neighbours; at least as large as that of a lower level. @param places of the flatnesses */
function thetas(queries: readonly Needed[], counts: readonly number[], places: readonly number[]): number[][] {
  const theta = RECALL_LEVELS.map(() => new Array<number>(counts.length).fill(LEAST_THETA))
  counts.forEach((count, i) => {
    for (const group of GROUPS) {
      const needs = needsOf(queries, group, count, places[i] as number)
      if (needs.values.length === 0) continue
      const sorted = needs.values.slice().sort()
      const quantile = (share: number) => sorted[placeOf(sorted.length, share)] as number
      RECALL_LEVELS.forEach(({ recall }, level) => {
        const row = theta[level] as number[]
        const error = hasMargin(group, recall) ? errorAt(needs, quantile(shareToFind(recall))) : 0
        const needed = quantile(shareToFind(recall, error))
        row[i] = Math.fround(Math.min(MOST_THETA, Math.max(row[i] as number, theta[level - 1]?.[i] ?? 0, needed)))
      })
    }
  })
  // Of one neighbour a query tells least, and the nearest is the easiest to find: that it needs more than ten do is chance.
  for (const row of theta)
    for (let i = 0; (counts[i + 1] ?? Number.POSITIVE_INFINITY) <= FEW_NEIGHBOURS; i++)
      row[i] = Math.min(row[i] as number, row[i + 1] as number)
  return theta
}

/** The θ that each neighbour of each query of a group needs. */
interface Needs {
  /** Query by query. */
  values: Float64Array
  /** Those of query i are before `ends[i]`. */
  ends: readonly number[]
}

function needsOf(queries: readonly Needed[], wanted: Group, count: number, place: number): Needs {
  const isWanted = ({ kind, isApart }: Needed) => (wanted === 'apart' ? isApart : kind === wanted)
  const some = queries.filter((query) => isWanted(query) && query.places.length > 0)
  const { exponent } = FLATNESSES[place] as Flatness
  const values = new Float64Array(some.reduce((sum, { places }) => sum + Math.min(count, places.length), 0))
  let at = 0
  const ends = some.map(({ places, near }) => {
    const power = (near[place] as number) ** exponent
    const most = Math.min(count, places.length)
    for (let i = 0; i < most; i++) values[at++] = (places[i] as number) / power
    return at
  })
  return { values, ends }
}

/** Standard error of the mean share of its neighbours that a query finds with this θ. */
function errorAt({ values, ends }: Needs, theta: number): number {
  let start = 0
  const shares = ends.map((end) => {
    let found = 0
    for (let i = start; i < end; i++) if ((values[i] as number) <= theta) found++
    const share = found / (end - start)
    start = end
    return share
  })
  return standardError(shares)
}

/** Of the mean of some numbers; that of a single one is as large as can be for shares. */
export function standardError(values: readonly number[]): number {
  if (values.length < 2) return 1
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) / values.length)
}

/** The place of a quantile in ascending order. */
export function placeOf(count: number, share: number): number {
  return Math.max(0, Math.ceil(share * count) - 1)
}
