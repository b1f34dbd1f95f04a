/**
 * Recall and work by default and for other recalls, on vectors of several kinds, with filters, beside the best fixed number
 * of clusters for each corpus and each recall. All figures are counts, so they do not depend on the machine's load.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  closeEnvironment,
  type Collection,
  type Filter,
  openEnvironmentAt,
  parseWhere,
  pathOf,
  type QueryRequest,
  recallOf,
  type Space,
  StoreEngine,
} from 'siltstone/internal'
import type { Dataset } from '../data/dataset.ts'
import { type Kind, KINDS, randomGroup } from '../data/kinds.ts'
import { matrixFile, readMatrix } from '../data/matrix.ts'
import type { Report, Row } from '../measure/report.ts'
import { mean } from '../measure/statistics.ts'
import { STORES } from '../places.ts'
import type { Scenario } from './scenario.ts'

const BATCH = 2_000
const RECALLS = [0.9, 0.95, 0.99]
/** Fixed numbers of clusters are tried in steps of this factor, and interpolated. */
const STEP = 1.35

interface Corpus {
  name: string
  space: Space
  dimension: number
  count: number
  row(index: number): Float32Array
  query(index: number): Float32Array
}

interface Asked {
  recall: number
  worstTenth: number
  entries: number
  measured: number
  clusters: number
}

export const recall: Scenario = {
  about: 'recall and work by default and for other recalls, on vectors of several kinds, beside the best fixed setting',
  records: [100_000],
  run: async (options, report, open) => {
    const { records: _records, values, queries, seed, k } = options
    const count = report.records
    const chosen = values.get('kinds')
    const makers = [
      ...(options.data === undefined ? [] : [() => passagesOf(open())]),
      ...KINDS.map((kind) => () => corpusOf(kind, count, seed)),
    ].filter((_, i) => chosen === undefined || chosen.includes(i))
    const summary: Row[] = []
    for (const make of makers) {
      const corpus = make()
      report.note(`${corpus.name}: loading`)
      const { collection, close } = await loaded(corpus)
      try {
        const asking = new Asking(collection, corpus, queries, k)
        summary.push(...(await measure(asking, corpus, report)))
      } finally {
        await close()
      }
      report.table(
        `Recall@${k}, ${corpus.name}`,
        summary.filter((row) => row['corpus'] === title(corpus)),
      )
    }
    report.table(`Recall@${k}, all`, summary)
  },
}

function passagesOf(data: Dataset): Corpus {
  const { dimension, count, vector, queries } = data
  return { name: data.name, space: 'cosine', dimension, count, row: vector, query: (i) => queries.vector(i) }
}

/** Rows are computed once and kept in a file. */
function corpusOf({ name, space, dimension, make }: Kind, count: number, seed: number): Corpus {
  const { row, query } = make(count, seed)
  const key = `kind-${fileName(name)}-${count}-seed${seed}`
  const matrix = readMatrix(matrixFile(key, count, dimension, row))
  const stored = (index: number) => matrix.subarray(index * dimension, (index + 1) * dimension)
  return { name, space, dimension, count, row: stored, query }
}

const fileName = (name: string) => name.replaceAll(/\W+/g, '-')
const title = ({ name, dimension, space }: Corpus) => `${name}, ${dimension}, ${space}`

async function measure(asking: Asking, corpus: Corpus, report: Report): Promise<Row[]> {
  const rows: Row[] = []
  const filters: [string, Filter | undefined][] = [
    ['none', undefined],
    ['10 % random', parseWhere({ group: { $lt: 10 } })],
    ['1 % random', parseWhere({ group: 7 })],
    ['10 % near a row', parseWhere({ place: { $lt: 10 } })],
    ['1 % near a row', parseWhere({ place: 0 })],
  ]
  const all = await asking.truth(undefined)
  const fixed = await asking.curve(undefined, all, (text) => report.note(`${corpus.name}: ${text}`))
  for (const target of RECALLS) {
    const found = await asking.ask({ recall: target }, undefined, all)
    const best = bestFixed(fixed, target)
    rows.push({
      corpus: title(corpus),
      filter: 'none',
      asked: target,
      recall: found.recall,
      'worst tenth': found.worstTenth,
      clusters: found.clusters,
      entries: found.entries,
      measured: found.measured,
      'best fixed: clusters': best.clusters,
      'best fixed: entries': best.entries,
      ratio: found.entries / best.entries,
    })
  }
  for (const [name, filter] of filters.slice(1)) {
    const truth = await asking.truth(filter)
    for (const target of RECALLS) {
      const {
        recall: share,
        worstTenth,
        clusters,
        entries,
        measured,
      } = await asking.ask({ recall: target }, filter, truth)
      rows.push({
        corpus: title(corpus),
        filter: name,
        asked: target,
        recall: share,
        'worst tenth': worstTenth,
        clusters,
        entries,
        measured,
      })
    }
  }
  return rows
}

/** The point of the curve where recall is reached, linear between two measured ones. */
function bestFixed(curve: readonly Asked[], target: number): { clusters: number; entries: number } {
  const after = curve.findIndex(({ recall: share }) => share >= target)
  const [b, a] = [curve[after] ?? (curve.at(-1) as Asked), curve[after - 1]]
  if (!a || after < 0) return b
  const part = (target - a.recall) / (b.recall - a.recall)
  return {
    clusters: a.clusters + part * (b.clusters - a.clusters),
    entries: a.entries + part * (b.entries - a.entries),
  }
}

type Truth = { distances: number[] }[]

class Asking {
  readonly #collection: Collection
  readonly #corpus: Corpus
  readonly #queries: number
  readonly #k: number

  constructor(collection: Collection, corpus: Corpus, queries: number, k: number) {
    this.#collection = collection
    this.#corpus = corpus
    this.#queries = queries
    this.#k = k
  }

  async truth(filter: Filter | undefined): Promise<Truth> {
    const truth: Truth = []
    for (let i = 0; i < this.#queries; i++) truth.push((await this.#query(i, { exact: true }, filter)).found)
    return truth
  }

  async ask(search: QueryRequest['search'], filter: Filter | undefined, truth: Truth): Promise<Asked> {
    const recalls: number[] = []
    const sums = { entries: 0, measured: 0, clusters: 0 }
    for (let i = 0; i < this.#queries; i++) {
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
      entries: sums.entries / this.#queries,
      measured: sums.measured / this.#queries,
      clusters: sums.clusters / this.#queries,
    }
  }

  /** Fixed numbers of clusters, with a measuring that misses hardly anything, until the highest recall is reached. */
  async curve(filter: Filter | undefined, truth: Truth, note: (text: string) => void): Promise<Asked[]> {
    const curve: Asked[] = []
    for (let clusters = 3; ; clusters = Math.ceil(clusters * STEP)) {
      const one = await this.ask({ fixed: { clusters, deviations: 2 } }, filter, truth)
      curve.push(one)
      note(`fixed ${clusters} clusters: recall ${one.recall.toFixed(4)}, ${Math.round(one.entries)} entries`)
      if (one.recall >= Math.max(...RECALLS) || one.clusters < clusters) return curve
    }
  }

  async #query(index: number, search: QueryRequest['search'], filter: Filter | undefined) {
    const { hits, explanation } = await this.#collection.query({
      vectors: [this.#corpus.query(index)],
      k: this.#k,
      include: {},
      level: 'index',
      explain: true,
      ...(filter && { filter }),
      ...(search && { search }),
    })
    const [found] = hits
    if (!found || !explanation) throw new Error('the answer is not explained')
    return { found, explanation }
  }
}

/** A fresh store with one segment. */
async function loaded(corpus: Corpus): Promise<{ collection: Collection; close(): Promise<void> }> {
  const { name, space, dimension, count, row } = corpus
  const directory = join(STORES, `recall-${fileName(name)}-${count}`)
  rmSync(directory, { recursive: true, force: true })
  const env = await openEnvironmentAt(directory)
  const engine = await StoreEngine.open({ env })
  const { info } = await engine.catalog.createCollection({
    tenant: 'default_tenant',
    database: 'default_database',
    name: 'recall',
    getOrCreate: true,
    space,
    metadata: null,
    configuration: { hnsw: { space } },
    schema: null,
  })
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const places = placesNear(corpus)
  for (let start = 0; start < count; start += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count - start) }, (_, i) => start + i)
    await collection.write(
      rows.map((index) => ({
        op: 'upsert' as const,
        id: `r${index}`,
        vector: row(index),
        document: null,
        metadata: JSON.stringify({ group: randomGroup(index), place: places[index] }),
        uri: null,
      })),
    )
    if ((start / BATCH) % 10 === 9) await engine.compact(pathOf(info), { merge: false })
  }
  await engine.compact(pathOf(info), { full: true })
  if (dimension !== row(0).length) throw new Error(`${name}: the dimension is wrong`)
  const close = async () => {
    await engine.close()
    await closeEnvironment(env)
    rmSync(directory, { recursive: true, force: true })
  }
  return { collection, close }
}

/** For each row how near it is to row 0, in hundredths of all rows: a filter on it admits a ball. */
function placesNear({ count, row }: Corpus): Uint8Array {
  const centre = row(0)
  const distances = Float64Array.from({ length: count }, (_, i) => {
    const vector = row(i)
    let sum = 0
    for (let d = 0; d < vector.length; d++) sum += ((vector[d] as number) - (centre[d] as number)) ** 2
    return sum
  })
  const order = Array.from(distances.keys()).sort((a, b) => (distances[a] as number) - (distances[b] as number))
  const places = new Uint8Array(count)
  order.forEach((index, i) => {
    places[index] = Math.floor((100 * i) / count)
  })
  return places
}
