/**
 * Recall of the queries that are served: some of them are repeated by exact search, in the background, one at a time,
 * over the same state. What those without a filter needed corrects the calibration (`ivf/search/correction.ts`). `query_recall_sampled` counts them, `query_recall_mean` is a moving mean, `query_recall_low`
 * counts those below the alarm level.
 */
import type { Environment } from '../ports/environment.ts'
import { recallOf } from './recall.ts'
import type { QueryHits, QueryRequest, QueryResponse } from '../model/read.ts'

export interface RecallSampling {
  /** Share of the queries that are repeated, 0 to 1. */
  share: number
  /** A recall below this is counted and logged. */
  alarmBelow: number
}

/** Weight of the newest query in the mean. */
const NEWEST = 0.05

export class RecallSampler {
  readonly #env: Environment
  readonly #sampling: RecallSampling
  #mean: number | undefined
  #busy = false

  constructor(env: Environment, sampling: RecallSampling) {
    this.#env = env
    this.#sampling = sampling
  }

  /** @param exact repeats the query over the same state, measuring every record */
  offer(path: string, request: QueryRequest, answer: QueryResponse, exact: () => Promise<QueryResponse>): void {
    if (this.#busy || request.isUnsampled || request.ids || request.search?.exact) return
    if (this.#env.random.next() >= this.#sampling.share) return
    this.#busy = true
    void this.#compare(path, answer, exact)
  }

  async #compare(path: string, answer: QueryResponse, exact: () => Promise<QueryResponse>): Promise<void> {
    const { log, metrics } = this.#env
    try {
      const truth = await exact()
      for (const [i, hits] of answer.hits.entries()) {
        const recall = recallOf(hits, truth.hits[i] as QueryHits)
        this.#mean = this.#mean === undefined ? recall : this.#mean + (recall - this.#mean) * NEWEST
        metrics.count('query_recall_sampled')
        metrics.gauge('query_recall_mean', this.#mean)
        if (recall >= this.#sampling.alarmBelow) continue
        metrics.count('query_recall_low')
        log.warn('query_recall_low', { collection: path, recall, alarmBelow: this.#sampling.alarmBelow })
      }
    } catch (error) {
      log.warn('query_recall_failed', { collection: path, error: String(error) })
    } finally {
      this.#busy = false
    }
  }
}
