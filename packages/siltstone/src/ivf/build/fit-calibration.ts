/**
 * The calibration of an inverted file from what its pseudo-queries needed.
 *
 * A query visits ⌈θ · Nᵖ⌉ clusters. For one flatness, that is for what counts as near and for one p, the places of the
 * neighbours' clusters divided by Nᵖ are comparable among queries, and the θ that finds a share t of the neighbours is the
 * t-quantile of these numbers. This is done for each flatness; the one with which queries like the rows visit the fewest
 * clusters, in the mean of the logarithms over the levels and numbers of neighbours that count most, is kept.
 *
 * θ is the largest that one of the kinds of queries asks for:
 *
 * - Rows and middles of two rows find what the level promises, with what is left to the codes on top, and with a margin for
 *   chance: `CONFIDENCE` standard errors of the mean recall of so many queries.
 * - Shifted rows are about as unlike the rows as real queries are at most, so they find what the level promises without a
 *   margin; except for many neighbours: those are what filters ask for, which make queries unlike the rows more often.
 */
import type { Calibration } from '../calibration.ts'
import { selectSmallest } from '../../kernels/smallest.ts'
import { FLATNESSES, type Flatness } from '../flatness.ts'
import { meanRecallError, MISSED_BY_CLUSTERS, RECALL_LEVELS } from '../recall-levels.ts'
import type { PseudoKind } from './pseudo-queries.ts'

/** What one pseudo-query needed. */
export interface Needed {
  kind: PseudoKind
  /**
   * The place, from 1 on, of the nearer cluster of each neighbour in the order in which a search visits them. For each number of
   * neighbours that is calibrated for, those of the nearest ones come first. Of an index with as many clusters as its rows ask for: see `DENSITY`.
   */
  places: readonly number[]
  /** N for each of `FLATNESSES`. */
  near: readonly number[]
}

const KINDS: readonly PseudoKind[] = ['row', 'shifted', 'between']
/** One-sided: nine of ten indexes reach the recall for queries like their rows, and more where another kind asks for more. */
const CONFIDENCE = 1.3
/** From this many neighbours on, all kinds get a margin. */
const MANY_NEIGHBOURS = 100
/** At most this share of what may be missed is taken away for the margin. */
const MOST_MARGIN = 0.5
/** Share of the queries whose N is usual. */
const USUAL = 0.99
/** What the flatness is chosen for. */
const CHOSEN_FOR = { recalls: [0.9, 0.95, 0.99], neighbours: [10, 100] }
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
): Omit<Calibration, 'neighbours'> | undefined {
  if (queries.every(({ places }) => places.length === 0)) return undefined
  const chosenFor = counts.filter((count) => CHOSEN_FOR.neighbours.includes(count))
  const place = cheapest(queries, chosenFor.length === 0 ? counts.slice(0, 1) : chosenFor, clusters)
  const flatness = FLATNESSES[place] as Flatness
  const nears = Float64Array.from(queries, ({ near }) => near[place] as number).sort()
  return {
    recalls: RECALL_LEVELS.map(({ recall }) => recall),
    theta: thetas(queries, counts, place),
    usualNear: quantile(nears, USUAL),
    flatness,
  }
}

/** The place of the flatness with which rows visit the fewest clusters. */
function cheapest(queries: readonly Needed[], counts: readonly number[], clusters: number): number {
  const costs = FLATNESSES.map((_, place) => costOf(queries, thetas(queries, counts, place), place, clusters))
  return costs.indexOf(Math.min(...costs))
}

/**
 * The share of the neighbours whose clusters must be visited.
 * @param count of neighbours @param queries of this kind, from which it is measured
 */
export function shareToFind(recall: number, kind: PseudoKind, count: number, queries: number): number {
  const missed = 1 - recall
  if (kind === 'shifted' && count < MANY_NEIGHBOURS) return recall
  const error = meanRecallError(missed, Math.max(1, queries))
  return 1 - Math.max(missed * (1 - MOST_MARGIN), missed * MISSED_BY_CLUSTERS - CONFIDENCE * error)
}

/** θ for each level and number of neighbours; at least as large as that of a lower level, and of fewer neighbours. */
function thetas(queries: readonly Needed[], counts: readonly number[], place: number): number[][] {
  const theta = RECALL_LEVELS.map(() => new Array<number>(counts.length).fill(LEAST_THETA))
  counts.forEach((count, i) => {
    for (const wanted of KINDS) {
      const some = queries.filter(({ kind, places }) => kind === wanted && places.length > 0)
      if (some.length === 0) continue
      const needed = neededThetas(some, count, place)
      // From the lowest level on: what it leaves behind is larger, and the next one is among that.
      let from = 0
      RECALL_LEVELS.forEach(({ recall }, level) => {
        const row = theta[level] as number[]
        const at = placeOf(needed, shareToFind(recall, wanted, count, some.length))
        selectSmallest(needed, at, at < from ? 0 : from, needed.length)
        from = at
        row[i] = Math.min(MOST_THETA, Math.max(row[i] as number, needed[at] ?? 0))
      })
    }
  })
  return grown(theta)
}

/** The θ that each neighbour needs. */
function neededThetas(queries: readonly Needed[], count: number, place: number): Float64Array {
  const { exponent } = FLATNESSES[place] as Flatness
  const needed = new Float64Array(queries.reduce((sum, { places }) => sum + Math.min(count, places.length), 0))
  let at = 0
  for (const { places, near } of queries) {
    const power = (near[place] as number) ** exponent
    const most = Math.min(count, places.length)
    for (let i = 0; i < most; i++) needed[at++] = (places[i] as number) / power
  }
  return needed
}

/** The mean logarithm of the number of clusters that queries like the rows visit. @param theta for each level, and some counts */
function costOf(
  queries: readonly Needed[],
  theta: readonly (readonly number[])[],
  place: number,
  clusters: number,
): number {
  const { exponent } = FLATNESSES[place] as Flatness
  const rows = queries.filter(({ kind }) => kind === 'row')
  const powers = rows.map(({ near }) => (near[place] as number) ** exponent)
  let cost = 0
  RECALL_LEVELS.forEach(({ recall }, level) => {
    if (!CHOSEN_FOR.recalls.includes(recall)) return
    for (const one of theta[level] as readonly number[]) {
      const visited = powers.map((power) => Math.min(clusters, Math.max(1, Math.ceil(one * power))))
      cost += Math.log(visited.reduce((sum, count) => sum + count, 0) / Math.max(1, rows.length))
    }
  })
  return cost
}

/** 0 of no numbers. @param sorted ascending */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[placeOf(sorted, share)] ?? 0
}

/** The place of a quantile in ascending order. */
function placeOf(numbers: Float64Array, share: number): number {
  return Math.max(0, Math.ceil(share * numbers.length) - 1)
}

/** Each θ at least as large as that of a lower recall, and of fewer neighbours. */
function grown(theta: readonly (readonly number[])[]): number[][] {
  const rows: number[][] = []
  for (const row of theta) {
    const before = rows.at(-1)
    const next: number[] = []
    row.forEach((value, i) => next.push(Math.fround(Math.max(value, next[i - 1] ?? 0, before?.[i] ?? 0))))
    rows.push(next)
  }
  return rows
}
