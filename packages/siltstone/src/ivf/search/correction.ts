/**
 * Corrects the calibration of a collection's indexes by what real queries needed: a factor on the number of clusters at each
 * level. It is kept in memory, beside the indexes and not with them: those that read need no permission to write, a merge
 * loses nothing, and what is lost by a restart is known again after some hundred sampled queries.
 */
import { meanRecallError, MISSED_BY_CLUSTERS, RECALL_LEVELS } from '../recall-levels.ts'
import type { NeededEffort } from './needed-effort.ts'

/** The newest queries that are kept. */
const KEPT = 400
/** With fewer, nothing is corrected. */
const LEAST = 30
/** The calibration at build counts as much as this many real queries. */
const BUILD_QUERIES = 50
/** From this many on, the estimate is trusted as it is; fewer are taken with one standard error in addition. */
const ENOUGH = 200
const LEAST_FACTOR = 0.2
const MOST_FACTOR = 10

export class Correction {
  readonly #queries: NeededEffort[] = []
  #factors: readonly number[] | undefined
  #next = 0

  get queries(): number {
    return this.#queries.length
  }

  add(query: NeededEffort): void {
    if (query.needed.length === 0) return
    this.#queries[this.#next] = query
    this.#next = (this.#next + 1) % KEPT
    this.#factors = undefined
  }

  /** For each of `RECALL_LEVELS`. @returns undefined while too few queries are known */
  factors(): readonly number[] | undefined {
    if (this.#queries.length < LEAST) return undefined
    this.#factors ??= RECALL_LEVELS.map((_, level) => this.#factor(level))
    return this.#factors
  }

  #factor(level: number): number {
    const { recall } = RECALL_LEVELS[level] as (typeof RECALL_LEVELS)[number]
    const count = this.#queries.length
    const ratios = this.#queries.flatMap(({ needed, calibrated }) =>
      needed.map((clusters) => clusters / (calibrated[level] as number)),
    )
    const sorted = Float64Array.from(ratios).sort()
    const error = count < ENOUGH ? meanRecallError(1 - recall, count) : 0
    // No more than half of what may be missed is taken away.
    const missed = MISSED_BY_CLUSTERS * (1 - recall)
    const share = 1 - Math.max(missed / 2, missed - error)
    const real = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
    const weight = count / (count + BUILD_QUERIES)
    return Math.min(MOST_FACTOR, Math.max(LEAST_FACTOR, real ** weight))
  }
}
