/** Collections with word indexes in process, and the rankings of `words` over them. */
import {
  chromaBm25Query,
  type Filter,
  HYBRID_LIST,
  type Knn,
  MEANING_LIST,
  type Rank,
  type StoreEngine,
} from 'siltstone/internal'

export type Query = Knn['query']
export type Engine = Awaited<ReturnType<typeof StoreEngine.open>>
export type Collection = Awaited<ReturnType<Engine['collection']>>

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
export const text = (query: string): Query => ({ kind: 'text', text: query })
export const sparse = (query: string): Query => ({ kind: 'sparse', ...chromaBm25Query(query), idf: true })

export async function collectionOf(engine: Engine, schema: keyof typeof SCHEMAS): Promise<Collection> {
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

export function found(collection: Collection, query: Query, limit: number, filter?: Filter): Promise<string[]> {
  const knn = { query, key: keyOf(query), limit, default: null, returnRank: false }
  return ranked(collection, { kind: 'knn', knn }, limit, filter)
}

/** Reciprocal rank fusion of the first 100 of each list; what is not in a list adds nothing. */
export function fused(queries: readonly Query[], k: number, weights: readonly number[]): Rank {
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
export function weighted(queries: readonly Query[], weights: readonly number[]): Rank {
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

export const JOINED = 'hybrid, ln(1 + position) + 1 − BM25 (query --hybrid)'

/** As `hybrid` of the library and `siltstone query --hybrid` rank for a few answers: ln(1 + position by meaning) + 1 − BM25. */
export function joined(meaning: Query, words: Query): Rank {
  const limit = HYBRID_LIST
  const knn: Knn = { query: meaning, key: keyOf(meaning), limit: MEANING_LIST, default: limit, returnRank: true }
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

export async function ranked(collection: Collection, rank: Rank, limit: number, filter?: Filter): Promise<string[]> {
  const select = { documents: false, embeddings: false, metadatas: false, scores: true }
  const search = { rank, offset: 0, limit, select, ...(filter && { filter }) }
  const { results } = await collection.search({ searches: [search] })
  return results[0]?.ids ?? []
}
