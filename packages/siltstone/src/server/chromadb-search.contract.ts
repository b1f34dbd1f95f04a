/** `search` and schemas of the unchanged `chromadb` JavaScript client, against a listening server over any engine. */
import {
  Aggregate,
  ChromaClient,
  type EmbeddingFunction,
  GroupBy,
  IntInvertedIndexConfig,
  K,
  Knn,
  ReadLevel,
  registerEmbeddingFunction,
  registerSparseEmbeddingFunction,
  Rrf,
  Schema,
  Search,
  type SparseEmbeddingFunction,
  SparseVectorIndexConfig,
  StringInvertedIndexConfig,
  Val,
  VectorIndexConfig,
} from 'chromadb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../model/store.ts'
import type { RunningServer } from './server.ts'
import { startTestServer } from './testing/server.ts'

/** [length, vowels, 1] */
class Letters implements EmbeddingFunction {
  readonly name = 'letters'
  static buildFromConfig() {
    return new Letters()
  }
  async generate(texts: string[]): Promise<number[][]> {
    return texts.map((text) => [text.length, (text.match(/[aeiou]/g) ?? []).length, 1])
  }
  getConfig() {
    return {}
  }
}

/** A word has the dimension of its length. */
class Lengths implements SparseEmbeddingFunction {
  readonly name = 'lengths'
  static buildFromConfig() {
    return new Lengths()
  }
  async generate(texts: string[]) {
    return texts.map((text) => {
      const lengths = [...new Set(text.split(' ').map((word) => word.length))].sort((a, b) => a - b)
      return { indices: lengths, values: lengths.map((length) => length / 8) }
    })
  }
  getConfig() {
    return {}
  }
}
registerEmbeddingFunction('letters', Letters)
registerSparseEmbeddingFunction('lengths', Lengths)

/** @param makeEngine a fresh, empty store for every test */
export function describeChromadbSearch(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`search of the chromadb client over ${name}`, () => {
    let server: RunningServer
    let client: ChromaClient
    beforeEach(async () => {
      server = await startTestServer({ engine: await makeEngine() })
      client = new ChromaClient({ host: '127.0.0.1', port: server.port })
    })
    afterEach(() => server.close())

    async function filled() {
      const schema = new Schema()
        .createIndex(new VectorIndexConfig({ space: 'l2', embeddingFunction: new Letters() }))
        .createIndex(
          new SparseVectorIndexConfig({ sourceKey: K.DOCUMENT, embeddingFunction: new Lengths(), bm25: true }),
          'words',
        )
      const collection = await client.createCollection({ name: 'things', schema })
      await collection.add({
        ids: ['a', 'b', 'c', 'd'],
        documents: ['one fig', 'an apple', 'strawberries', 'fig fig fig'],
        metadatas: [{ year: 2001, kind: 'x' }, { year: 1999, kind: 'x' }, { year: 2020, kind: 'y' }, { year: 2021 }],
      })
      return collection
    }

    it('filters, ranks, limits and selects', async () => {
      const things = await filled()
      const result = await things.search(
        new Search()
          .where(K('year').gt(2000).and(K.DOCUMENT.contains('fig')))
          .rank(Knn({ query: [8, 3, 1] }))
          .limit(10)
          .select(K.DOCUMENT, K.SCORE, 'year'),
        { readLevel: ReadLevel.INDEX_AND_WAL },
      )
      expect(result.rows()).toEqual([
        [
          { id: 'a', document: 'one fig', score: 1, metadata: { year: 2001 } },
          { id: 'd', document: 'fig fig fig', score: 9, metadata: { year: 2021 } },
        ],
      ])
      const plain = await things.search([new Search().limit(1, 1).select(K.METADATA, K.EMBEDDING), new Search()])
      expect(plain.ids).toEqual([['b'], ['a', 'b', 'c', 'd']])
      expect(plain.embeddings).toEqual([[[8, 3, 1]], null])
      expect(plain.metadatas[0]?.[0]).toMatchObject({ year: 1999, kind: 'x', words: { indices: [2, 5] } })
      const byId = await things.search(new Search().where(K.ID.isIn(['d', 'b', 'nobody'])))
      expect(byId.ids).toEqual([['b', 'd']])
    })

    it('embeds texts for dense and sparse keys, and fuses their ranks', async () => {
      const things = await filled()
      const sparse = await things.search(new Search().rank(Knn({ query: 'fig', key: 'words' })).select(K.SCORE))
      const idf = Math.log1p((4 - 2 + 0.5) / 2.5)
      expect(sparse.ids).toEqual([['a', 'd']])
      for (const score of sparse.scores[0] ?? []) expect(score).toBeCloseTo(1 - (idf * 9) / 64, 5)
      const dense = Knn({ query: 'an apple', returnRank: true, limit: 2 })
      const words = Knn({ query: 'strawberries fig', key: 'words', returnRank: true })
      const both = await things.search(new Search().rank(Rrf({ ranks: [dense, words], k: 60 })).select(K.SCORE))
      expect(both.ids).toEqual([['a']])
      const any = await things.search(
        new Search().rank(
          Rrf({
            ranks: [
              Knn({ query: 'an apple', returnRank: true, limit: 2, default: 100 }),
              Knn({ query: 'strawberries fig', key: 'words', returnRank: true, default: 100 }),
            ],
            weights: [2, 1],
            normalize: true,
          }),
        ),
      )
      expect(any.ids[0]).toHaveLength(4)
      expect(any.ids[0]?.[0]).toBe('a')
    })

    it('computes with scores', async () => {
      const things = await filled()
      const knn = Knn({ query: [8, 3, 1], limit: 3 })
      const rank = knn.multiply(0.5).add(Val(1)).subtract(0.5).divide(2).abs().exp().log().max(0.5).min(3).negate()
      const { ids, scores } = await things.search(new Search().rank(rank).select(K.SCORE))
      expect(ids).toEqual([['d', 'a', 'b']])
      expect(scores[0]?.map((score) => Math.round((score ?? 0) * 1e5) / 1e5)).toEqual([-2.5, -0.5, -0.5])
      const none = await things.search(new Search().rank(Val(1)))
      expect(none.ids).toEqual([[]])
    })

    it('groups', async () => {
      const things = await filled()
      const best = (aggregate: Aggregate) =>
        things.search(
          new Search()
            .rank(Knn({ query: [0, 0, 0] }))
            .groupBy(new GroupBy([K('kind')], aggregate))
            .limit(10),
        )
      expect((await best(Aggregate.minK([K.SCORE], 1))).ids).toEqual([['a', 'd', 'c']])
      expect((await best(Aggregate.maxK([K('year')], 1))).ids).toEqual([['a', 'd', 'c']])
      expect((await best(Aggregate.minK([K('year'), K.SCORE], 1))).ids).toEqual([['b', 'd', 'c']])
    })

    it('refuses what the schema does not index, with errors of its own', async () => {
      const things = await filled()
      const wrong = { name: 'ChromaClientError' }
      await expect(
        things.search(new Search().rank(Knn({ query: { indices: [1], values: [1] }, key: 'other' }))),
      ).rejects.toMatchObject({ ...wrong, message: expect.stringContaining("'other'") })
      await expect(things.search(new Search().rank(Knn({ query: [1, 2] })))).rejects.toMatchObject(wrong)
    })

    it('keeps a schema with every kind of index, beside a configuration that is default', async () => {
      const schema = new Schema()
        .createIndex(new VectorIndexConfig({ space: 'cosine' }))
        .createIndex(
          new SparseVectorIndexConfig({ sourceKey: K.DOCUMENT, embeddingFunction: new Lengths(), bm25: true }),
          'sparse',
        )
        .deleteIndex(new IntInvertedIndexConfig(), 'year')
        .deleteIndex(new StringInvertedIndexConfig())
      const made = await client.createCollection({ name: 'typed', schema })
      const again = await client.getCollection({ name: 'typed' })
      for (const { schema } of [made, again]) {
        const sparse = schema?.keys['sparse']?.sparseVector?.sparseVectorIndex
        expect([sparse?.enabled, sparse?.config.bm25, sparse?.config.sourceKey]).toEqual([true, true, '#document'])
        expect(sparse?.config.embeddingFunction?.name).toBe('lengths')
        expect(schema?.keys['#embedding']?.floatList?.vectorIndex?.config.space).toBe('cosine')
        expect(schema?.keys['year']?.intValue?.intInvertedIndex?.enabled).toBe(false)
        expect(schema?.defaults.string?.stringInvertedIndex?.enabled).toBe(false)
      }
      await expect(made.search(new Search().where(K('year').eq(3)))).rejects.toMatchObject({
        name: 'ChromaClientError',
      })
    })
  })
}
