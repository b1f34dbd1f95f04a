/**
 * Corrects the calibration of a collection's indexes by what real queries needed: a factor on the number of clusters at each
 * level. It is kept in memory, beside the indexes and not with them: those that read need no permission to write, a merge
 * loses nothing, and what is lost by a restart is known again after some hundred sampled queries.
 *
 * Real queries may also be flat in another way than those that the calibration was made with, so the factor may go with a power of the
 * number of clusters that are nearly as near as the nearest one (`../flatness.ts`): the one with which the sampled queries would have
 * visited the fewest clusters.
 */
import { selectSmallest } from '../../kernels/smallest.ts'
import { FLATNESSES, NEARLY } from '../flatness.ts'
import { meanRecallError, MISSED_BY_CLUSTERS, RECALL_LEVELS } from '../recall-levels.ts'

/** The newest queries that are kept. */
const KEPT = 400
/** With fewer, nothing is corrected. */
const LEAST = 30
/** The calibration at build counts as much as this many real queries. */
const BUILD_QUERIES = 20
/** From this many on, how flat queries are counts. */
const ENOUGH = 200
const LEAST_FACTOR = 0.2
const MOST_FACTOR = 10
/** Neighbours of a query that are kept, at most: evenly of all. */
const MOST_NEIGHBOURS = 20
/** The factors are computed again after so many queries. */
const FITTED_EVERY = 10
/** The exponent is chosen again after so many fits. */
const CHOSEN_EVERY = 5
/** Added to the exponent of the calibration. */
const EXPONENTS = [-0.75, -0.5, -0.25, 0.25, 0.5]
/** What the exponent is chosen for. */
const CHOSEN_FOR = [0.9, 0.95, 0.99]
/** An exponent is only taken if it saves this share of the clusters: with many to choose from, one saves some by chance. */
const LEAST_SAVING = 0.04

/**
 * For each neighbour, the number of clusters with which its own is the last one that is visited. It does not depend on how
 * far any search looked, so it tells about all recalls at once.
 */
export interface NeededEffort {
  needed: number[]
  /** The clusters that the calibration of the indexes says for each of `RECALL_LEVELS` and as many neighbours. */
  calibrated: number[]
  /** For each of `FLATNESSES`, how many clusters are nearly as near as the nearest, of those that one segment would have. */
  near: number[]
}

export interface CorrectionFactors {
  /** For each of `RECALL_LEVELS`. */
  levels: readonly number[]
  /** Times this power of the number of clusters that are at most `nearly` times as far as the nearest one, as `Need.of` counts them. */
  exponent: number
  nearly: number
}

/** Of one query. @param near the clusters that are nearly as near, as `exponent` asks */
export function factorAt({ levels, exponent }: CorrectionFactors, level: number, near: number): number {
  return Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, (levels[level] as number) * near ** exponent))
}

interface Power {
  /** Of a flatness with the same `nearly`. */
  place: number
  exponent: number
}

const NO_POWER: Power = { place: 0, exponent: 0 }

export class Correction {
  readonly #queries: NeededEffort[] = []
  #factors: CorrectionFactors | undefined
  #next = 0
  #unfitted = 0
  #power: Power = NO_POWER
  #fits = 0

  get queries(): number {
    return this.#queries.length
  }

  /** Takes some milliseconds now and then. */
  add(query: NeededEffort): void {
    const { needed } = query
    if (needed.length === 0) return
    const kept = Math.min(needed.length, MOST_NEIGHBOURS)
    const some = Array.from(
      { length: kept },
      (_, i) => needed[Math.ceil(((i + 1) * needed.length) / kept) - 1] as number,
    )
    this.#queries[this.#next] = { ...query, needed: some }
    this.#next = (this.#next + 1) % KEPT
    this.#unfitted++
    if (this.#queries.length < LEAST || (this.#factors && this.#unfitted < FITTED_EVERY)) return
    this.#factors = this.#fitted()
    this.#unfitted = 0
  }

  /** @returns undefined while too few queries are known */
  factors(): CorrectionFactors | undefined {
    return this.#factors
  }

  #fitted(): CorrectionFactors {
    if (this.#queries.length >= ENOUGH && this.#fits++ % CHOSEN_EVERY === 0) this.#power = this.#cheapest()
    const best = this.#power
    const weight = this.#queries.length / (this.#queries.length + BUILD_QUERIES)
    return {
      levels: RECALL_LEVELS.map((_, level) => this.#real(level, best) ** weight),
      exponent: best.exponent * weight,
      nearly: (FLATNESSES[best.place] as (typeof FLATNESSES)[number]).nearly,
    }
  }

  #cheapest(): Power {
    let best = NO_POWER
    let least = this.#cost(best) + Math.log(1 - LEAST_SAVING)
    for (const nearly of NEARLY)
      for (const exponent of EXPONENTS) {
        const one = { place: FLATNESSES.findIndex((flatness) => flatness.nearly === nearly), exponent }
        const cost = this.#cost(one)
        if (cost < least) [best, least] = [one, cost]
      }
    return best
  }

  /** The logarithm of the clusters that the queries would visit, in the mean over the levels that count most. */
  #cost(one: Power): number {
    const logs = CHOSEN_FOR.map((recall) => {
      const level = RECALL_LEVELS.findIndex((known) => known.recall === recall)
      const real = this.#real(level, one)
      const visited = this.#queries.map((query) =>
        Math.max(1, real * powerOf(query, one) * (query.calibrated[level] as number)),
      )
      return Math.log(visited.reduce((sum, number) => sum + number, 0) / visited.length)
    })
    return logs.reduce((sum, log) => sum + log, 0) / logs.length
  }

  /** The factor, beside the power, with which the queries would have found what the level promises. */
  #real(level: number, one: Power): number {
    const { recall } = RECALL_LEVELS[level] as (typeof RECALL_LEVELS)[number]
    const count = this.#queries.length
    const ratios = new Float64Array(this.#queries.reduce((sum, { needed }) => sum + needed.length, 0))
    let end = 0
    for (const query of this.#queries) {
      const visited = (query.calibrated[level] as number) * powerOf(query, one)
      for (const clusters of query.needed) ratios[end++] = clusters / visited
    }
    // One standard error in addition, but no more than half of what may be missed is taken away.
    const error = meanRecallError(1 - recall, count)
    const missed = MISSED_BY_CLUSTERS * (1 - recall)
    const share = 1 - Math.max(missed / 2, missed - error)
    const place = Math.max(0, Math.ceil(share * ratios.length) - 1)
    selectSmallest(ratios, place, 0, ratios.length)
    return ratios[place] as number
  }
}

function powerOf({ near }: NeededEffort, { place, exponent }: Power): number {
  return exponent === 0 ? 1 : (near[place] as number) ** exponent
}
