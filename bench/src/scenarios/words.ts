/** Search by words: how good the answers to judged queries are, how large the indexes, what they and queries cost. */
import { createRequire } from 'node:module'
import { type Filter, pathOf, StoreEngine } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import type { Dataset } from '../data/dataset.ts'
import { loadJudged } from '../data/judged.ts'
import { loadManualPages } from '../data/manual-pages.ts'
import { type LabelledQuery, questionsOf } from '../data/questions.ts'
import { sectionsOf } from '../inprocess/sections.ts'
import { type Collection, collectionOf, type Engine, found, sparse, text } from '../inprocess/word-search.ts'
import { megabytes, type Report, type Row } from '../measure/report.ts'
import { mean, percentile } from '../measure/statistics.ts'
import type { Scenario } from './scenario.ts'
import { judgedRows, manualRows, rankingRows } from './word-relevance.ts'

/** Most queries have stop words; these are of content only. */
const LEAST_LETTERS = 4

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
    const manual = loadManualPages(options.queries)
    if (manual)
      report.table(
        `${manual.queries.length} descriptions of manual pages, for their ${manual.documents.length} paragraphs, MRR@10 with 95 % bootstrap intervals`,
        await manualRows(manual),
      )
    const data = open()
    const queries = questionsOf(directory).slice(0, options.queries)
    await measurePassages(data, queries, report)
  },
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

async function wordBytes(engine: Engine, collection: Collection): Promise<{ documents: number; sparse: number }> {
  const sizes = { documents: 0, sparse: 0 }
  for (const { name, length } of await sectionsOf(engine, collection))
    if (name === 'words') sizes.documents += length
    else if (name.startsWith('sparse-')) sizes.sparse += length
  return sizes
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
