/**
 * The number of clusters that a query needs, says the calibration of one index.
 *
 * For each number of neighbours that was measured it is θ · Nᵖ; between these it is linear in the logarithms. A filter that admits
 * a share s makes the k-th neighbour as far as the k/s-th is without it, so it counts as that many neighbours. Filters that have to
 * do with the vectors need more or fewer than that, by the factor that was measured with such filters (`build/filter-needs.ts`).
 */
import type { Calibration } from './calibration.ts'
import { USUALLY_FAR } from './outside.ts'

/** Bounds of the exponent with which the need grows with the number of neighbours beyond the largest that was measured. */
const LEAST_GROWTH = 0.25
const MOST_GROWTH = 1

/** The number of clusters that are at most `nearly` times as far from the query as the nearest one; at least 1. */
export type NearCount = (nearly: number) => number

export class Need {
  readonly #calibration: Calibration
  readonly #logNeighbours: readonly number[]
  /** Logarithms, for each recall that may be asked for and each number of neighbours. */
  readonly #logTheta: readonly (readonly number[])[]
  readonly #logShares: readonly number[]
  /** Logarithms, for each recall, each share and each number of neighbours: of queries as usual, and of those far from what is admitted. */
  readonly #logFactors: readonly (readonly (readonly number[])[])[]
  readonly #logOutside: readonly (readonly (readonly number[])[])[]

  /** @param recalls that may be asked for */
  constructor(calibration: Calibration, recalls: readonly number[]) {
    const { theta, neighbours, filters } = calibration
    this.#calibration = calibration
    this.#logNeighbours = neighbours.map(Math.log)
    const columns = (rows: readonly (readonly number[])[], recall: number, beyond: Beyond) => {
      const missed = (one: number) => -Math.log(1 - one)
      const logs = rows.map((row) => row.map(Math.log))
      return neighbours.map((_, i) =>
        along(
          calibration.recalls.map(missed),
          logs.map((row) => row[i] as number),
          missed(recall),
          beyond,
        ),
      )
    }
    this.#logTheta = recalls.map((recall) => columns(theta, recall, 'on'))
    this.#logShares = [0, ...filters.shares.map((share) => -Math.log(share))]
    const none = neighbours.map(() => 0)
    const logsOf = (factors: typeof filters.factors) =>
      recalls.map((recall) => [none, ...factors.map((rows) => columns(rows, recall, 'last'))])
    this.#logFactors = logsOf(filters.factors)
    this.#logOutside = logsOf(filters.outside)
  }

  /**
   * Of one query: the logarithm of the number of clusters, by the place of the recall and the number of neighbours; grows with
   * the neighbours.
   * @param finer as many times more clusters than one segment of all rows would have
   */
  of(near: NearCount, finer: number): (level: number, neighbours: number) => number {
    const { flatness, usualNear } = this.#calibration
    const flat = flatness.map(({ nearly, exponent }, i) => {
      const usual = usualNear[i] as number
      if (exponent === 0 && usual === Number.POSITIVE_INFINITY) return 0
      const count = Math.log(near(nearly))
      // A query that is flatter than those θ was measured with: its neighbours may be anywhere in the clusters that are near.
      const unusual = Math.max(0, count - Math.log(finer) - Math.log(usual))
      return exponent * count + (1 - exponent) * unusual
    })
    const known: number[][] = []
    return (level, neighbours) => {
      const values = (known[level] ??= growing(
        (this.#logTheta[level] as number[]).map((one, i) => one + (flat[i] as number)),
      ))
      return Math.log(finer) + byNeighbours(this.#logNeighbours, values, Math.log(neighbours))
    }
  }

  /** The logarithm of the factor for a filter. @param share of all rows that it admits @param outside 0 or 1; see `outside.ts` */
  factor(level: number, k: number, share: number, outside: 0 | 1): number {
    const rows = (outside === 1 ? this.#logOutside : this.#logFactors)[level] as readonly (readonly number[])[]
    if (rows.length === 1 || share >= 1) return 0
    const logK = Math.log(k)
    const values = rows.map((row) => along(this.#logNeighbours, row, logK, 'last'))
    return along(this.#logShares, values, -Math.log(Math.max(share, 1e-9)), 'last')
  }

  /** Standard deviations from which on a query is far from what a filter admits. @param share of all rows that it admits */
  far(share: number): number {
    const { far } = this.#calibration.filters
    if (far.length === 0) return USUALLY_FAR
    return along(this.#logShares.slice(1), far, -Math.log(Math.max(share, 1e-9)), 'last')
  }
}

/** Beyond the points: as at the last of them, or on with the slope of the outermost two. */
type Beyond = 'last' | 'on'

/** Linear between the points. @param xs ascending */
function along(xs: readonly number[], ys: readonly number[], x: number, beyond: Beyond): number {
  const last = xs.length - 1
  if (last === 0) return ys[0] as number
  const at = beyond === 'on' ? x : Math.min(Math.max(x, xs[0] as number), xs[last] as number)
  let i = 1
  while (i < last && at > (xs[i] as number)) i++
  const [x0, x1, y0, y1] = [xs[i - 1], xs[i], ys[i - 1], ys[i]] as [number, number, number, number]
  return y0 + ((y1 - y0) * (at - x0)) / (x1 - x0)
}

function byNeighbours(xs: readonly number[], ys: readonly number[], x: number): number {
  const last = xs.length - 1
  const end = xs[last] as number
  if (x <= end) return along(xs, ys, x, 'on')
  const growth =
    last === 0 ? LEAST_GROWTH : ((ys[last] as number) - (ys[last - 1] as number)) / (end - (xs[last - 1] as number))
  return (ys[last] as number) + Math.min(MOST_GROWTH, Math.max(LEAST_GROWTH, growth)) * (x - end)
}

function growing(values: readonly number[]): number[] {
  const grown: number[] = []
  for (const value of values) grown.push(Math.max(value, grown.at(-1) ?? value))
  return grown
}
