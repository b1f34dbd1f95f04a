/** How good the answers of searches by meaning, by words and by both are, on three sets of queries. */
import { EnglishEmbedder, pathOf, StoreEngine, systemModels } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import type { Dataset } from '../data/dataset.ts'
import { type Judged, meanNdcg } from '../data/judged.ts'
import type { ManualPages } from '../data/manual-pages.ts'
import type { LabelledQuery } from '../data/questions.ts'
import {
  type Collection,
  collectionOf,
  found,
  fused,
  JOINED,
  joined,
  type Query,
  ranked,
  sparse,
  text,
  weighted,
} from '../inprocess/word-search.ts'
import { interval } from '../measure/bootstrap.ts'
import type { Row } from '../measure/report.ts'
import { mean } from '../measure/statistics.ts'

async function write(
  collection: Collection,
  model: EnglishEmbedder,
  documents: readonly { id: string; text: string }[],
): Promise<void> {
  const vectors = await model.embed(documents.map(({ text: document }) => document))
  await collection.write(
    documents.map(({ id, text: document }, i) => ({
      op: 'upsert',
      id,
      vector: vectors[i] as Float32Array,
      document,
      metadata: null,
      uri: null,
    })),
  )
}

export async function judgedRows({ documents, queries, relevant }: Judged): Promise<Row[]> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const collection = await collectionOf(engine, 'both')
  const model = new EnglishEmbedder({ models: systemModels })
  await write(collection, model, documents)
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
      ranking: JOINED,
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

/** By meaning (the built-in embedder), by words and by both. */
export async function manualRows({ documents, queries }: ManualPages): Promise<Row[]> {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const collection = await collectionOf(engine, 'documents')
  const model = new EnglishEmbedder({ models: systemModels })
  for (let first = 0; first < documents.length; first += 2_000)
    await write(collection, model, documents.slice(first, first + 2_000))
  await engine.compact(pathOf(collection.info), { full: true })
  const vectors = await model.embed(queries.map((query) => query.text))
  const dense = (i: number): Query => ({ kind: 'dense', vector: vectors[i] ?? Float32Array.of() })
  const rows = await gainRows(
    queries.map(({ text: query }) => query),
    (id, i) => id.slice(0, id.lastIndexOf('#')) === queries[i]?.page,
    [
      ['meaning', (_, i) => found(collection, dense(i), 10)],
      ['words, BM25', (query) => found(collection, text(query), 10)],
      [
        'hybrid, 1/(60 + position), 1 : 1',
        (query, i) => ranked(collection, fused([dense(i), text(query)], 60, [1, 1]), 10),
      ],
      [JOINED, (query, i) => ranked(collection, joined(dense(i), text(query)), 10)],
    ],
  )
  await engine.close()
  return rows
}

/** By meaning (the vectors of the data set), by words and by both. */
export async function rankingRows(
  collection: Collection,
  data: Dataset,
  queries: readonly LabelledQuery[],
): Promise<Row[]> {
  const packages = Array.from(
    { length: data.count },
    (_, row) => (JSON.parse(data.metadata(row)) as { package?: string }).package,
  )
  const dense = (i: number): Query => ({ kind: 'dense', vector: data.queries.vector(i) })
  const rankings: Ranking[] = [
    ['meaning', (_, i) => found(collection, dense(i), 10)],
    ['words, BM25', (query) => found(collection, text(query), 10)],
    ['words, chroma_bm25', (query) => found(collection, sparse(query), 10)],
    ...([60, 10] as const).map(
      (k): Ranking => [
        `hybrid, 1/(${k} + position), 1 : 1`,
        (query, i) => ranked(collection, fused([dense(i), text(query)], k, [1, 1]), 10),
      ],
    ),
  ]
  rankings.push([JOINED, (query, i) => ranked(collection, joined(dense(i), text(query)), 10)])
  return gainRows(
    queries.map(({ text: query }) => query),
    (id, i) => packages[data.row(id)] === queries[i]?.package,
    rankings,
  )
}

type Ranking = [name: string, ask: (query: string, i: number) => Promise<string[]>]

/** The reciprocal of the first right place among ten, and how much it is above that of the first and of the second ranking. */
async function gainRows(
  queries: readonly string[],
  isRight: (id: string, query: number) => boolean,
  rankings: readonly Ranking[],
): Promise<Row[]> {
  const gains: number[][] = []
  const rows: Row[] = []
  for (const [ranking, ask] of rankings) {
    const own: number[] = []
    for (const [i, query] of queries.entries()) {
      const place = (await ask(query, i)).findIndex((id) => isRight(id, i))
      own.push(place < 0 ? 0 : 1 / (1 + place))
    }
    gains.push(own)
    const over = (other: number) => own.map((gain, i) => gain - (gains[other]?.[i] ?? gain))
    rows.push({
      ranking,
      'MRR@10': mean(own),
      interval: interval(own),
      'over meaning': interval(over(0)),
      'over words': interval(over(1)),
    })
  }
  return rows
}
