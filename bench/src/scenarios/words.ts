/** Search by words: how good the answers to judged queries are, how large the indexes, what they and queries cost. */
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromIPC } from 'apache-arrow'
import {
  chromaBm25Query,
  decodeManifest,
  decodePointer,
  EnglishEmbedder,
  type Filter,
  type Knn,
  pathOf,
  pointerKey,
  seededRandom,
  type Rank,
  StoreEngine,
  systemModels,
} from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import type { Dataset } from '../data/dataset.ts'
import { type Judged, loadJudged, meanNdcg } from '../data/judged.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { mean, percentile } from '../measure/statistics.ts'
import type { Scenario } from './scenario.ts'

type Query = Knn['query']
type Engine = Awaited<ReturnType<typeof StoreEngine.open>>
type Collection = Awaited<ReturnType<Engine['collection']>>

const FTS_OFF = { string: { fts_index: { enabled: false, config: {} } } }
const bm25 = {
  embedding_function: { type: 'known', name: 'chroma_bm25', config: {} },
  source_key: '#document',
  bm25: true,
}
const SPARSE = { sparse_vector: { sparse_vector_index: { enabled: true, config: bm25 } } }
/** Which indexes a collection has. */
const SCHEMAS = {
  none: { defaults: {}, keys: { '#document': FTS_OFF } },
  documents: { defaults: {}, keys: {} },
  both: { defaults: {}, keys: { words: SPARSE } },
} as const
/** Most queries have stop words; these are of content only. */
const LEAST_LETTERS = 4

const text = (query: string): Query => ({ kind: 'text', text: query })
const sparse = (query: string): Query => ({ kind: 'sparse', ...chromaBm25Query(query), idf: true })
const firstWords = (query: string, count: number) =>
  query
    .split(/\s+/)
    .filter((word) => word.length >= LEAST_LETTERS)
    .slice(0, count)
    .join(' ')

export const words: Scenario = {
  about: 'search by words: judged queries, size of the indexes, CPU time of building them and of queries',
  records: [100_000],
  run: async (options, report, open) => {
    const directory = options.data ?? ''
    const judged = loadJudged(directory)
    if (judged) report.table('Judged queries (Cranfield), nDCG@10', await judgedRows(judged))
    const data = open()
    const queries = queriesOf(directory).slice(0, options.queries)
    await measurePassages(data, queries, report)
  },
}

async function collectionOf(engine: Engine, schema: keyof typeof SCHEMAS): Promise<Collection> {
  const place = { tenant: 'default_tenant', database: 'default_database' }
  const { info } = await engine.catalog.createCollection({
    ...place,
    name: schema,
    getOrCreate: false,
    space: 'cosine',
    metadata: null,
    configuration: {},
    schema: SCHEMAS[schema],
  })
  return engine.collection(place.tenant, place.database, info.id)
}

const keyOf = ({ kind }: Query) => (kind === 'text' ? '#document' : kind === 'dense' ? '#embedding' : 'words')

function found(collection: Collection, query: Query, limit: number, filter?: Filter): Promise<string[]> {
  const knn = { query, key: keyOf(query), limit, default: null, returnRank: false }
  return ranked(collection, { kind: 'knn', knn }, limit, filter)
}

/** Reciprocal rank fusion of the first 100 of each list; what is not in a list adds nothing. */
function fused(queries: readonly Query[], k: number, weights: readonly number[]): Rank {
  const operands = queries.map((query, i): Rank => {
    const knn = { query, key: keyOf(query), limit: 100, default: 1e9, returnRank: true }
    const position: Rank = {
      kind: 'sum',
      operands: [
        { kind: 'value', value: k },
        { kind: 'knn', knn },
      ],
    }
    return { kind: 'div', left: { kind: 'value', value: -(weights[i] ?? 1) }, right: position }
  })
  return { kind: 'sum', operands }
}

/** A weighted sum of scores over the first 200 of each list; what is not in a list has the score 1. */
function weighted(queries: readonly Query[], weights: readonly number[]): Rank {
  const operands = queries.map((query, i): Rank => {
    const knn = { query, key: keyOf(query), limit: 200, default: 1, returnRank: false }
    return {
      kind: 'mul',
      operands: [
        { kind: 'value', value: weights[i] ?? 1 },
        { kind: 'knn', knn },
      ],
    }
  })
  return { kind: 'sum', operands }
}

/** As `hybrid` of the library and `siltstone query --hybrid` rank: ln(1 + position by meaning) + 1 − BM25. */
function joined(meaning: Query, words: Query): Rank {
  const limit = 200
  const knn: Knn = { query: meaning, key: keyOf(meaning), limit, default: limit, returnRank: true }
  const place: Rank = {
    kind: 'sum',
    operands: [
      { kind: 'value', value: 1 },
      { kind: 'knn', knn },
    ],
  }
  return {
    kind: 'sum',
    operands: [
      { kind: 'log', operand: place },
      { kind: 'knn', knn: { query: words, key: keyOf(words), limit, default: 1, returnRank: false } },
    ],
  }
}

async function ranked(collection: Collection, rank: Rank, limit: number, filter?: Filter): Promise<string[]> {
  const select = { documents: false, embeddings: false, metadatas: false, scores: true }
  const search = { rank, offset: 0, limit, select, ...(filter && { filter }) }
  const { results } = await collection.search({ searches: [search] })
  return results[0]?.ids ?? []
}

async function judgedRows({ documents, queries, relevant }: Judged): Promise<Row[]> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const collection = await collectionOf(engine, 'both')
  const model = new EnglishEmbedder({ models: systemModels })
  const vectors = await model.embed(documents.map((document) => document.text))
  await collection.write(
    documents.map((document, i) => ({
      op: 'upsert',
      id: document.id,
      vector: vectors[i] as Float32Array,
      document: document.text,
      metadata: null,
      uri: null,
    })),
  )
  await engine.compact(pathOf(collection.info))
  const judged = { documents, queries, relevant }
  const dense = async (query: string): Promise<Query> => {
    const [vector = Float32Array.of()] = await model.embed([query])
    return { kind: 'dense', vector }
  }
  const hybrid = (k: number, weights: readonly number[]) =>
    meanNdcg(judged, async (query) => ranked(collection, fused([await dense(query), text(query)], k, weights), 100))
  const rows = [
    {
      ranking: 'vectors of the built-in embedder',
      'nDCG@10': await meanNdcg(judged, async (query) => found(collection, await dense(query), 100)),
    },
    { ranking: 'hybrid, 1/(60 + position), meaning 1 : words 1', 'nDCG@10': await hybrid(60, [1, 1]) },
    { ranking: 'hybrid, 1/(60 + position), meaning 1 : words 3', 'nDCG@10': await hybrid(60, [1, 3]) },
    { ranking: 'hybrid, 1/(10 + position), meaning 1 : words 1', 'nDCG@10': await hybrid(10, [1, 1]) },
    { ranking: 'hybrid, 1/(10 + position), meaning 1 : words 2', 'nDCG@10': await hybrid(10, [1, 2]) },
    {
      ranking: 'hybrid, BM25 + 10 · (1 − cosine)',
      'nDCG@10': await meanNdcg(judged, async (query) =>
        ranked(collection, weighted([await dense(query), text(query)], [10, 1]), 100),
      ),
    },
    {
      ranking: 'hybrid, ln(1 + position) + 1 − BM25 (query --hybrid)',
      'nDCG@10': await meanNdcg(judged, async (query) =>
        ranked(collection, joined(await dense(query), text(query)), 100),
      ),
    },
    { ranking: 'documents, BM25', 'nDCG@10': await meanNdcg(judged, (query) => found(collection, text(query), 100)) },
    {
      ranking: 'vectors of chroma_bm25',
      'nDCG@10': await meanNdcg(judged, (query) => found(collection, sparse(query), 100)),
    },
  ]
  await engine.close()
  return rows
}

interface LabelledQuery {
  text: string
  package: string
}

function queriesOf(directory: string): LabelledQuery[] {
  const table = tableFromIPC(readFileSync(join(directory, 'queries.arrow')))
  const column = (name: string) => table.getChild(name)
  return Array.from({ length: table.numRows }, (_, i) => ({
    text: String(column('text')?.get(i)),
    package: String(column('package')?.get(i)),
  }))
}

async function measurePassages(data: Dataset, queries: readonly LabelledQuery[], report: Report): Promise<void> {
  const textBytes = Array.from({ length: data.count }, (_, i) => Buffer.byteLength(data.document(i))).reduce(
    (a, b) => a + b,
    0,
  )
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const builds: Row[] = []
  let collection: Collection | undefined
  for (const schema of ['none', 'documents', 'both'] as const) {
    report.note(`building with indexes: ${schema}`)
    collection = await collectionOf(engine, schema)
    const before = process.cpuUsage()
    const startedMs = performance.now()
    for (let first = 0; first < data.count; first += 10_000)
      await collection.write(
        Array.from({ length: Math.min(10_000, data.count - first) }, (_, k) => {
          const row = first + k
          const [id, vector] = [data.id(row), data.vector(row)]
          return {
            op: 'upsert' as const,
            id,
            vector,
            document: data.document(row),
            metadata: data.metadata(row),
            uri: null,
          }
        }),
      )
    await engine.compact(pathOf(collection.info), { full: true })
    const { user, system } = process.cpuUsage(before)
    const sizes = await wordBytes(engine, collection)
    builds.push({
      'word indexes': schema,
      'CPU seconds, write to indexed': (user + system) / 1e6,
      'seconds, write to indexed': (performance.now() - startedMs) / 1000,
      'MB of documents index': megabytes(sizes.documents),
      '% of the text': (100 * sizes.documents) / textBytes,
      'MB of sparse index': megabytes(sizes.sparse),
    })
  }
  report.table(`Indexes of ${data.name}, ${megabytes(textBytes)} MB of text`, builds)
  if (!collection) return
  report.table(
    `Queries on ${data.name}, in process, one thread, warm`,
    await queryRows(collection, data, queries, report),
  )
  report.note('rankings')
  report.table(
    `${queries.length} queries for the package that a passage describes, MRR@10 with 95 % bootstrap intervals`,
    await rankingRows(collection, data, queries),
  )
  await engine.close()
}

/** By meaning (the vectors of the data set), by words and by both. */
async function rankingRows(collection: Collection, data: Dataset, queries: readonly LabelledQuery[]): Promise<Row[]> {
  const packages = Array.from(
    { length: data.count },
    (_, row) => (JSON.parse(data.metadata(row)) as { package?: string }).package,
  )
  const dense = (i: number): Query => ({ kind: 'dense', vector: data.queries.vector(i) })
  const rankings: [string, (query: string, i: number) => Promise<string[]>][] = [
    ['meaning', (_, i) => found(collection, dense(i), 10)],
    ['words, BM25', (query) => found(collection, text(query), 10)],
    ['words, chroma_bm25', (query) => found(collection, sparse(query), 10)],
    ...([60, 10] as const).map((k): (typeof rankings)[number] => [
      `hybrid, 1/(${k} + position), 1 : 1`,
      (query, i) => ranked(collection, fused([dense(i), text(query)], k, [1, 1]), 10),
    ]),
  ]
  rankings.push([
    'hybrid, ln(1 + position) + 1 − BM25 (query --hybrid)',
    (query, i) => ranked(collection, joined(dense(i), text(query)), 10),
  ])
  const gains: number[][] = []
  const rows: Row[] = []
  for (const [ranking, ask] of rankings) {
    const own: number[] = []
    for (const [i, query] of queries.entries()) {
      const ids = await ask(query.text, i)
      const place = ids.findIndex((id) => packages[data.row(id)] === query.package)
      own.push(place < 0 ? 0 : 1 / (1 + place))
    }
    gains.push(own)
    const over = own.map((gain, i) => gain - (gains[0]?.[i] ?? 0))
    rows.push({ ranking, 'MRR@10': mean(own), interval: interval(own), 'over meaning': interval(over) })
  }
  return rows
}

const RESAMPLES = 1_000

/** Of the mean: the middle 95 % of the means of samples with replacement (Efron 1979). */
function interval(values: readonly number[]): string {
  const random = seededRandom(1)
  const means = Array.from({ length: RESAMPLES }, () =>
    mean(Array.from(values, () => values[Math.floor(random.next() * values.length)] ?? 0)),
  ).sort((a, b) => a - b)
  return `${percentile(means, 0.025).toFixed(3)} … ${percentile(means, 0.975).toFixed(3)}`
}

async function wordBytes(engine: Engine, collection: Collection): Promise<{ documents: number; sparse: number }> {
  const sizes = { documents: 0, sparse: 0 }
  for (const { name, length } of await sectionsOf(engine, collection))
    if (name === 'words') sizes.documents += length
    else if (name.startsWith('sparse-')) sizes.sparse += length
  return sizes
}

async function sectionsOf(engine: Engine, collection: Collection): Promise<{ name: string; length: number }[]> {
  const key = pointerKey(pathOf(collection.info))
  const read = async (name: string) => {
    const got = await engine.env.store.get(name)
    if (got.status !== 'ok') throw new Error(`${name} is missing`)
    return got.body
  }
  const manifestKey = decodePointer(await read(key), key)
  return decodeManifest(await read(manifestKey), manifestKey).segments.flatMap(({ segment }) => segment.sections)
}

async function queryRows(
  collection: Collection,
  data: Dataset,
  queries: readonly LabelledQuery[],
  report: Report,
): Promise<Row[]> {
  const rows: Row[] = []
  const isRight = (id: string, query: LabelledQuery) =>
    (JSON.parse(data.metadata(data.row(id))) as { package?: string }).package === query.package
  const measure = async (what: string, ask: (query: LabelledQuery) => Promise<readonly string[]>) => {
    report.note(what)
    for (const query of queries.slice(0, 50)) await ask(query)
    const times: number[] = []
    const reciprocal: number[] = []
    const before = process.cpuUsage()
    for (const query of queries) {
      const startedMs = performance.now()
      const ids = await ask(query)
      times.push(performance.now() - startedMs)
      reciprocal.push(1 / (1 + ids.slice(0, 10).findIndex((id) => isRight(id, query))))
    }
    const { user, system } = process.cpuUsage(before)
    times.sort((a, b) => a - b)
    rows.push({
      what,
      'p50 ms': percentile(times, 0.5),
      'p90 ms': percentile(times, 0.9),
      'CPU ms a query': (user + system) / 1e3 / queries.length,
      'MRR@10': mean(reciprocal.map((value) => (Number.isFinite(value) ? value : 0))),
    })
  }
  const tenth: Filter = { kind: 'compare', key: 'bucket', op: 'lt', value: 10n }
  await measure('documents, 2 words, top 10', (query) => found(collection, text(firstWords(query.text, 2)), 10))
  await measure('documents, 6 words, top 10', (query) => found(collection, text(firstWords(query.text, 6)), 10))
  await measure('documents, all words, top 10', (query) => found(collection, text(query.text), 10))
  await measure('documents, all words, top 100', (query) => found(collection, text(query.text), 100))
  await measure('documents, all words, top 10, filter of 10 %', (query) =>
    found(collection, text(query.text), 10, tenth),
  )
  await measure('documents, a phrase of 2 words, top 10', (query) => {
    const phrase = query.text.split(/\s+/).slice(0, 2).join(' ')
    return found(collection, text(query.text), 10, { kind: 'document-phrase', negated: false, text: phrase })
  })
  await measure('chroma_bm25, all words, top 10', (query) => found(collection, sparse(query.text), 10))
  const peer = minisearch(data, report)
  if (peer) await measure('minisearch, all words, top 10', async (query) => peer(query.text))
  return rows
}

interface MiniSearch {
  addAll(documents: readonly { id: number; text: string }[]): void
  search(query: string): { id: number }[]
}

/** minisearch with its defaults; undefined if it is not installed (bench/setup.sh). */
function minisearch(data: Dataset, report: Report): ((query: string) => string[]) | undefined {
  let MiniSearchClass: new (options: { fields: string[] }) => MiniSearch
  try {
    MiniSearchClass = createRequire(import.meta.url)('minisearch') as typeof MiniSearchClass
  } catch {
    report.note('minisearch is not installed: bench/setup.sh')
    return undefined
  }
  const index = new MiniSearchClass({ fields: ['text'] })
  index.addAll(Array.from({ length: data.count }, (_, id) => ({ id, text: data.document(id) })))
  return (query) =>
    index
      .search(query)
      .slice(0, 10)
      .map(({ id }) => data.id(id))
}
