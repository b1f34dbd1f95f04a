/** Collections that are searched by words, beside a plain copy: for tests. */
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import { CollectionState } from '../log/collection-state.ts'
import { bucketLimits } from '../log/log-limits.ts'
import type { View } from '../log/view.ts'
import type { Filter } from '../model/filter.ts'
import type { RecordOp } from '../model/record.ts'
import type { Collection } from '../model/store.ts'
import type { Environment } from '../ports/environment.ts'
import { select } from '../query/select.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { everythingIndexed } from '../testing/folding-engine.ts'
import { modelFieldScores, modelIdf, modelWordScores } from '../testing/model-words.ts'
import { collectionRequest, remove, update, upsert } from '../testing/operations.ts'
import type { DidYouMean, KnownWord } from '../model/search.ts'
import { completions } from './completions.ts'
import { documentSource, textSource } from '../word-index/word-source.ts'
import type { SparseQuery } from './query-terms.ts'
import { didYouMean } from './spelling.ts'
import { type Searched, WordRetriever } from './word-retriever.ts'

/** A text under `#document`, or in fields with their weights: `#document`, `title`, `tags`. */
export type WordQuery =
  | { kind: 'text'; text: string; fields?: Readonly<Record<string, number>> }
  | ({ kind: 'sparse' } & SparseQuery)

export interface Held {
  document: string | null
  title: string | null
  /** A list of strings in the metadata; empty: none. */
  tags: string[]
  vector: { indices: number[]; values: number[] } | null
  /** 0 to 9. */
  group: number
}

const pause = async (): Promise<void> => {}

export const SPARSE_SCHEMA = {
  keys: { s: { sparse_vector: { sparse_vector_index: { enabled: true, config: { bm25: true } } } } },
  text: { title: { language: 'english' }, tags: { language: 'english' } },
}

const FIELDS = ['#document', 'title', 'tags']

async function searchedBy(query: WordQuery): Promise<Searched> {
  if (query.kind === 'sparse') return { kind: 'sparse', key: 's' }
  if (!query.fields) return { kind: 'text', source: documentSource }
  const fields = await Promise.all(
    Object.entries(query.fields).map(async ([key, weight]) => ({
      source: await textSource({ key, language: 'english' }),
      weight,
    })),
  )
  return { kind: 'fields', fields }
}

function textUnder({ document, title, tags }: Held, key: string): string | null {
  if (key === '#document') return document
  if (key === 'title') return title
  return tags.length === 0 ? null : tags.join(' ')
}

export class WordWorld {
  readonly env: Environment
  readonly engine: StoreEngine
  readonly collection: Collection
  /** In the order of insertion. */
  readonly held = new Map<string, Held>()

  private constructor(env: Environment, engine: StoreEngine, collection: Collection) {
    this.env = env
    this.engine = engine
    this.collection = collection
  }

  /** @param indexRows segments of at least this many rows have indexes */
  static async open(indexRows = 1): Promise<WordWorld> {
    const env = memoryEnvironment()
    const engine = await StoreEngine.open({ env, compact: { ...everythingIndexed, indexRows } })
    const { info } = await engine.catalog.createCollection(collectionRequest('things', { schema: SPARSE_SCHEMA }))
    return new WordWorld(env, engine, await engine.collection(info.tenant, info.database, info.id))
  }

  get path(): string {
    return pathOf(this.collection.info)
  }

  fold(): Promise<unknown> {
    return this.engine.compact(this.path, { merge: false })
  }

  merge(): Promise<unknown> {
    return this.engine.compact(this.path)
  }

  put(id: string, record: Held): RecordOp {
    this.held.set(id, record)
    const { document, title, tags, vector, group } = record
    const metadata = { group, title, tags, s: vector && { '#type': 'sparse_vector', ...vector } }
    return upsert(id, [1, this.held.size % 7], { metadata, ...(document !== null && { document }) })
  }

  /** Leaves the vector of the embedding as it is, so that a fold writes an overlay. */
  change(id: string, fields: Partial<Held>): RecordOp {
    const { document, title, tags, vector, group } = fields
    this.held.set(id, { ...(this.held.get(id) as Held), ...fields })
    return update(id, {
      ...(typeof document === 'string' && { document }),
      metadata: {
        ...(group !== undefined && { group }),
        ...(title !== undefined && { title }),
        ...(tags !== undefined && { tags }),
        ...(vector !== undefined && { s: vector && { '#type': 'sparse_vector', ...vector } }),
      },
    })
  }

  drop(id: string): RecordOp {
    this.held.delete(id)
    return remove(id)
  }

  /** The engine of a process that has read nothing yet, and the collection. */
  async opened(env: Environment): Promise<{ engine: StoreEngine; collection: Collection }> {
    const engine = await StoreEngine.open({ env })
    const { tenant, database, id } = this.collection.info
    return { engine, collection: await engine.collection(tenant, database, id) }
  }

  /** A process that has read nothing yet. */
  reader(env = this.env): WordReader {
    return new WordReader(env, this.path)
  }
}

export class WordReader {
  readonly #state: CollectionState

  constructor(env: Environment, path: string) {
    const pool = new SegmentPool(env.store, new BlockCache(1 << 25))
    this.#state = new CollectionState({ env, path, pool, limits: bucketLimits, inbox: true })
  }

  view(): Promise<View> {
    return this.#state.strongView()
  }

  async #found(view: View, query: WordQuery, limit: number, filter?: Filter) {
    const retriever = new WordRetriever(view, await searchedBy(query), pause)
    const asked = query.kind === 'text' ? query.text : query
    return retriever.top(asked, await select(view, filter, pause), limit)
  }

  async scores(query: WordQuery, limit: number): Promise<number[]> {
    return (await this.#found(await this.view(), query, limit)).map(({ score }) => score)
  }

  /** For each of the best records its score, and what its words add up to. */
  async explained(
    query: Extract<WordQuery, { kind: 'text' }>,
    limit: number,
  ): Promise<{ score: number; added: number; words: string[] }[]> {
    const view = await this.view()
    const found = await this.#found(view, query, limit)
    const retriever = new WordRetriever(view, await searchedBy(query), pause)
    const parts = await retriever.parts(
      query.text,
      found.map(({ ref }) => ref),
    )
    return found.map(({ score }, i) => {
      const words = parts[i] ?? []
      return { score, added: words.reduce((sum, { adds }) => sum + adds, 0), words: words.map(({ word }) => word) }
    })
  }

  async completions(text: string, limit: number): Promise<KnownWord[]> {
    return completions(await this.view(), { text, limit }, pause)
  }

  async didYouMean(text: string): Promise<DidYouMean | null> {
    return (await didYouMean(await this.view(), { text }, pause)) ?? null
  }

  async top(query: WordQuery, limit: number, filter?: Filter): Promise<[id: string, score: number][]> {
    const view = await this.view()
    const found = await this.#found(view, query, limit, filter)
    const ids = await view.ids(found.map(({ ref }) => ref))
    return found.map(({ score }, i) => [ids[i] as string, score])
  }
}

/** What the retriever must find, by scoring each record. */
export function plainTop(
  held: ReadonlyMap<string, Held>,
  query: WordQuery,
  limit: number,
  admits: (record: Held) => boolean = () => true,
): [id: string, score: number][] {
  const scores = plainScores(held, query)
  return [...held]
    .flatMap(([id, record], i): [string, number][] => {
      const score = scores[i]
      return score === undefined || !admits(record) ? [] : [[id, score]]
    })
    .sort(([, a], [, b]) => a - b)
    .slice(0, limit)
}

function plainScores(held: ReadonlyMap<string, Held>, query: WordQuery): (number | undefined)[] {
  if (query.kind === 'sparse') return plainVectors(held, query)
  const textsOf = (key: string) => [...held.values()].map((record) => textUnder(record, key))
  if (!query.fields) return modelWordScores(textsOf('#document'), query.text)
  const fields = FIELDS.flatMap((key) => {
    const weight = query.fields?.[key]
    return weight === undefined ? [] : [{ weight, texts: textsOf(key) }]
  })
  return modelFieldScores(fields, query.text)
}

function plainVectors(
  held: ReadonlyMap<string, Held>,
  query: Extract<WordQuery, { kind: 'sparse' }>,
): (number | undefined)[] {
  const vectors = [...held.values()].map(({ vector }) => vector)
  const weights = query.indices.map((dimension, t) => {
    const q = Math.fround(query.values[t] as number)
    const n = vectors.filter((vector) => vector?.indices.includes(dimension) === true).length
    return query.idf === true ? Math.fround(q * Math.fround(modelIdf(held.size, n))) : q
  })
  return vectors.map((vector) => {
    let dot = 0
    let shares = false
    query.indices.forEach((dimension, t) => {
      const place = vector?.indices.indexOf(dimension) ?? -1
      if (!vector || place < 0) return
      shares = true
      dot = Math.fround(dot + Math.fround((weights[t] as number) * Math.fround(vector.values[place] as number)))
    })
    return shares ? Math.fround(1 - dot) : undefined
  })
}
