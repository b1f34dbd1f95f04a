/** Asks the queries of a corpus, and compares the answers with exact ones. Work is counted, so it does not depend on the machine's load. */
import { type Collection, type Filter, type QueryRequest, recallOf } from 'siltstone/internal'
import { mean } from '../measure/statistics.ts'
import type { Corpus } from './recall-corpus.ts'

/** Fixed numbers of clusters are tried in steps of this factor, and interpolated. */
const STEP = 1.35

export interface Asked {
  recall: number
  worstTenth: number
  entries: number
  measured: number
  clusters: number
}

export type Truth = { distances: number[] }[]

/** The filter that a query asks with. */
export type FilterOf = (query: Float32Array) => Filter | undefined

const noFilter: FilterOf = () => undefined

export interface AskingOptions {
  /** Numbers of the queries: from `first` to before `first + queries`. */
  first?: number
  queries: number
  k: number
  /** Also records that are in the log alone. Default false. */
  withLog?: boolean
}

export class Asking {
  readonly #collection: Collection
  readonly #corpus: Corpus
  readonly #options: AskingOptions

  constructor(collection: Collection, corpus: Corpus, options: AskingOptions) {
    this.#collection = collection
    this.#corpus = corpus
    this.#options = options
  }

  async truth(filter: FilterOf): Promise<Truth> {
    const truth: Truth = []
    for (let i = 0; i < this.#options.queries; i++) truth.push((await this.#query(i, { exact: true }, filter)).found)
    return truth
  }

  async ask(search: QueryRequest['search'], filter: FilterOf, truth: Truth): Promise<Asked> {
    const { queries } = this.#options
    const recalls: number[] = []
    const sums = { entries: 0, measured: 0, clusters: 0 }
    for (let i = 0; i < queries; i++) {
      const { found, explanation } = await this.#query(i, search, filter)
      recalls.push(recallOf(found, truth[i] as Truth[number]))
      sums.entries += explanation.entries
      sums.measured += explanation.measured + explanation.scannedRows
      sums.clusters += explanation.clusters
    }
    recalls.sort((a, b) => a - b)
    return {
      recall: mean(recalls),
      worstTenth: recalls[Math.floor(recalls.length / 10)] as number,
      entries: sums.entries / queries,
      measured: sums.measured / queries,
      clusters: sums.clusters / queries,
    }
  }

  /** Fixed numbers of clusters, with a measuring that misses hardly anything, until the recall is reached. */
  async curve(truth: Truth, until: number): Promise<Asked[]> {
    const curve: Asked[] = []
    for (let clusters = 1; ; clusters = Math.ceil(clusters * STEP)) {
      const one = await this.ask({ fixed: { clusters, deviations: 2 } }, noFilter, truth)
      curve.push(one)
      if (one.recall >= until || one.clusters < clusters) return curve
    }
  }

  /** Asks without an explanation, so that the query may be sampled. */
  async plainly(index: number): Promise<void> {
    await this.#collection.query({
      vectors: [this.#corpus.query(index)],
      k: this.#options.k,
      include: {},
      level: 'index',
    })
  }

  async #query(index: number, search: QueryRequest['search'], filterOf: FilterOf) {
    const { first = 0, k, withLog = false } = this.#options
    const vector = this.#corpus.query(first + index)
    const filter = filterOf(vector)
    const { hits, explanation } = await this.#collection.query({
      vectors: [vector],
      k,
      include: {},
      level: withLog ? 'strong' : 'index',
      explain: true,
      ...(filter && { filter }),
      ...(search && { search }),
    })
    const [found] = hits
    if (!found || !explanation) throw new Error('the answer is not explained')
    return { found, explanation }
  }
}

/** The point of the curve where recall is reached, linear between two measured ones. */
export function bestFixed(curve: readonly Asked[], target: number): { clusters: number; entries: number } {
  const after = curve.findIndex(({ recall: share }) => share >= target)
  const [b, a] = [curve[after] ?? (curve.at(-1) as Asked), curve[after - 1]]
  if (!a || after < 0) return b
  const part = (target - a.recall) / (b.recall - a.recall)
  return {
    clusters: a.clusters + part * (b.clusters - a.clusters),
    entries: a.entries + part * (b.entries - a.entries),
  }
}
