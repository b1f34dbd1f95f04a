/** The contract of `search` for each engine: stages, scores to the bit, order, and random searches against the model. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Space } from '../model/collection.ts'
import type { SearchHits } from '../model/search.ts'
import type { Collection, Engine } from '../model/store.ts'
import { parseSearch } from '../search/parse-search.ts'
import { noLimits } from '../search/limits.ts'
import { searchWithKnns } from '../search/with-knns.ts'
import type { RecordOp } from '../model/record.ts'
import { ModelEngine } from './model.ts'
import { add, collectionRequest, remove, update, upsert } from './operations.ts'
import { type RandomSearch, randomSearch, randomWrites } from './search-arbitraries.ts'

/** Looks at everything, through the index. */
export const EVERYTHING = { fixed: { clusters: 1e9, deviations: Number.POSITIVE_INFINITY } }

/** @param idf whether sparse queries are weighted by inverse document frequency */
export function searchOf(json: unknown, idf = false) {
  const { search } = parseSearch(json, 'search', noLimits)
  return searchWithKnns(search, (knn) => (knn.query.kind === 'sparse' ? { ...knn, query: { ...knn.query, idf } } : knn))
}

const sparse = (weights: Record<number, number>) => ({
  '#type': 'sparse_vector',
  indices: Object.keys(weights).map(Number),
  values: Object.values(weights),
})
const words = (weights: Record<number, number>, more: object = {}) => ({
  $knn: { query: { indices: Object.keys(weights).map(Number), values: Object.values(weights) }, key: 'words', ...more },
})
const near = (query: number[], more: object = {}) => ({ $knn: { query, ...more } })
const rrf = (first: object, second: object, k = 60) => ({
  $mul: [
    { $sum: [first, second].map((right) => ({ $div: { left: { $val: 1 }, right: { $sum: [{ $val: k }, right] } } })) },
    { $val: -1 },
  ],
})

export function describeSearch(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name}: search`, () => {
    let engine: Engine
    let collection: Collection
    beforeEach(async () => {
      engine = await makeEngine()
      collection = await make('things')
    })
    afterEach(() => engine.close())

    async function make(called: string, space: Space = 'l2'): Promise<Collection> {
      const { info } = await engine.catalog.createCollection(collectionRequest(called, { space }))
      return engine.collection(info.tenant, info.database, info.id)
    }
    const searches = async (...jsons: unknown[]): Promise<SearchHits[]> =>
      (await collection.search({ searches: jsons.map((json) => searchOf(json)), effort: EVERYTHING })).results
    const scored = async (json: object, idf = false) => {
      const search = searchOf({ ...json, select: { keys: ['#score'] } }, idf)
      const { results } = await collection.search({ searches: [search], effort: EVERYTHING })
      return results[0]?.ids.map((id, i) => [id, results[0]?.scores?.[i]])
    }

    it('answers several searches of one state, with the selected columns', async () => {
      await collection.write([
        add('a', [1, 0], { document: 'A', metadata: { year: 2020, text: 'x' } }),
        add('b', [0, 1], { document: 'B' }),
        add('c', [1, 1], { metadata: { year: 1999, 'chroma:uri': 'u' }, uri: 'https://c.example' }),
      ])
      const all = ['#document', '#embedding', '#metadata', '#score']
      expect(
        await searches(
          { rank: near([1, 0]), limit: { limit: 2 }, select: { keys: all } },
          {},
          { filter: null, rank: null, group_by: {}, limit: { offset: 0, limit: null } },
        ),
      ).toEqual([
        {
          ids: ['a', 'c'],
          documents: ['A', null],
          embeddings: [Float32Array.of(1, 0), Float32Array.of(1, 1)],
          metadatas: ['{"year":2020,"text":"x"}', '{"year":1999}'],
          scores: [0, 1],
        },
        { ids: ['a', 'b', 'c'] },
        { ids: ['a', 'b', 'c'] },
      ])
      const [fields] = await searches({ select: { keys: ['year', 'none', '#score'] }, limit: { offset: 1, limit: 9 } })
      expect(fields).toEqual({ ids: ['b', 'c'], metadatas: [null, '{"year":1999}'], scores: [0, 1] })
      const withUris = (json: object) => ({ ...searchOf(json), select: { ...searchOf(json).select, uris: true } })
      const { results } = await collection.search({ searches: [withUris({ rank: near([1, 0]) }), withUris({})] })
      expect(results.map(({ ids, uris }) => [ids, uris])).toEqual([
        [
          ['a', 'c', 'b'],
          [null, 'https://c.example', null],
        ],
        [
          ['a', 'b', 'c'],
          [null, null, 'https://c.example'],
        ],
      ])
      expect(await searches()).toEqual([])
      expect(await searches({ limit: { offset: 7 } })).toEqual([{ ids: [] }])
      expect(await searches({ rank: near([1, 0]), limit: { offset: 7 } })).toEqual([{ ids: [] }])
    })

    it('is empty where no search finds anything: a number alone admits no record', async () => {
      expect(await scored({ rank: near([1, 2, 3]) })).toEqual([])
      await collection.write([add('a', [1, 0])])
      for (const rank of [
        { $val: 1 },
        { $sum: [] },
        { $abs: { $val: -1 } },
        near([1, 0], { limit: 0 }),
        words({ 1: 1 }, { default: 3 }),
        { $sum: [near([1, 0]), words({ 1: 1 })] },
      ])
        expect(await scored({ rank }), JSON.stringify(rank)).toEqual([])
      expect(await scored({ rank: { $sum: [near([1, 0]), words({ 1: 1 }, { default: 2.5 })] } })).toEqual([['a', 2.5]])
    })

    it('filters before it ranks, and by ids', async () => {
      await collection.write(
        Array.from({ length: 9 }, (_, i) => add(`r${i}`, [i, 0], { document: `text ${i}`, metadata: { n: i } })),
      )
      const rank = near([0, 0], { limit: 2 })
      expect(await scored({ rank, filter: { n: { $gte: 4 } } })).toEqual([
        ['r4', 16],
        ['r5', 25],
      ])
      expect(await scored({ rank, filter: { '#id': { $in: ['r7', 'nobody', 'r3'] } } })).toEqual([
        ['r3', 9],
        ['r7', 49],
      ])
      expect(await scored({ rank, filter: { $and: [{ '#document': { $contains: '8' } }, { n: 8 }] } })).toEqual([
        ['r8', 64],
      ])
      expect(await scored({ rank: near([0, 0], { limit: 3, return_rank: true }), filter: { n: { $gt: 5 } } })).toEqual([
        ['r6', 0],
        ['r7', 1],
        ['r8', 2],
      ])
      expect(await scored({ rank, limit: { limit: 100 } })).toHaveLength(2)
      expect(await scored({ rank: near([0, 0]), max_score: 4 })).toEqual([
        ['r0', 0],
        ['r1', 1],
        ['r2', 4],
      ])
    })

    it('gives records of one score in the order of insertion, also where a limit cuts', async () => {
      await collection.write(['e', 'd', 'c'].map((id) => add(id, [1, 0], { metadata: { words: sparse({ 4: 1 }) } })))
      await collection.write(['b', 'a'].map((id) => add(id, [1, 0], { metadata: { words: sparse({ 4: 1 }) } })))
      await collection.write([
        upsert('c', [1, 0]),
        remove('d'),
        add('d', [1, 0], { metadata: { words: sparse({ 4: 1 }) } }),
      ])
      const ids = async (rank: object) => (await scored({ rank }))?.map(([id]) => id)
      for (const limit of [1, 2, 3, 4, 5, 6]) {
        expect(await ids(near([0, 0], { limit }))).toEqual(['e', 'c', 'b', 'a', 'd'].slice(0, limit))
        expect(await ids(words({ 4: 2 }, { limit }))).toEqual(['e', 'c', 'b', 'a', 'd'].slice(0, limit))
      }
    })

    it('scores sparse vectors: only those that share a dimension, IDF over all live records', async () => {
      await collection.write([
        add('a', [0, 0], { metadata: { words: sparse({ 1: 1, 7: 2 }) } }),
        add('b', [0, 0], { metadata: { words: sparse({ 7: 0.5, 9: 4 }), other: sparse({ 1: 9 }) } }),
        add('c', [0, 0], { metadata: { words: 'no vector' } }),
        add('d', [0, 0]),
        add('gone', [0, 0], { metadata: { words: sparse({ 7: 1 }) } }),
      ])
      await collection.write([remove('gone'), add('e', [0, 0], { metadata: { words: sparse({ 2: 1 }) } })])
      expect(await scored({ rank: words({ 1: 2, 7: 0.25 }) })).toEqual([
        ['a', -1.5],
        ['b', 0.875],
      ])
      const idf = (n: number) => Math.fround(Math.log1p((5 - n + 0.5) / (n + 0.5)))
      expect(await scored({ rank: words({ 1: 1, 7: 1, 8: 1 }) }, true)).toEqual([
        ['a', Math.fround(1 - Math.fround(idf(1) + Math.fround(idf(2) * 2)))],
        ['b', Math.fround(1 - Math.fround(idf(2) * 0.5))],
      ])
      await collection.write([
        update('b', { metadata: { words: null } }),
        update('d', { metadata: { words: sparse({ 7: 1 }) } }),
      ])
      expect((await scored({ rank: words({ 7: 1 }) }, true))?.map(([id]) => id)).toEqual(['a', 'd'])
    })

    it('fuses by rank: without a default only what both found, with one what any found', async () => {
      await collection.write([
        add('both', [1, 0], { metadata: { words: sparse({ 3: 1 }) } }),
        add('near', [0, 0]),
        add('word', [9, 9], { metadata: { words: sparse({ 3: 5 }) } }),
      ])
      const dense = (more = {}) => near([0, 0], { limit: 2, return_rank: true, ...more })
      const lexical = (more = {}) => words({ 3: 1 }, { return_rank: true, ...more })
      const part = (rank: number) => Math.fround(1 / (60 + rank))
      expect(await scored({ rank: rrf(dense(), lexical()) })).toEqual([['both', -Math.fround(part(1) + part(1))]])
      const all = await scored({ rank: rrf(dense({ default: 100 }), lexical({ default: 100 })) })
      expect(all).toEqual([
        ['both', -Math.fround(part(1) + part(1))],
        ['near', -Math.fround(part(0) + part(100))],
        ['word', -Math.fround(part(100) + part(0))],
      ])
    })

    it('keeps the best of each group', async () => {
      const record = (id: string, x: number, metadata: Record<string, unknown> | string) =>
        add(id, [x, 0], { metadata })
      await collection.write([
        record('a', 1, { year: 1, price: 5 }),
        record('b', 2, { year: 1, price: 1.5 }),
        record('c', 3, '{"year":1.0,"price":2}'),
        record('d', 4, { year: '1' }),
        record('e', 5, {}),
        record('f', 6, { other: true }),
        record('g', 7, { year: 1 }),
      ])
      const best = async (aggregate: object, more = {}) =>
        (await scored({ rank: near([0, 0]), group_by: { keys: ['year'], aggregate }, ...more }))?.map(([id]) => id)
      expect(await best({ $min_k: { keys: ['#score'], k: 1 } })).toEqual(['a', 'c', 'd', 'e'])
      expect(await best({ $max_k: { keys: ['#score'], k: 1 } })).toEqual(['c', 'd', 'f', 'g'])
      expect(await best({ $min_k: { keys: ['price'], k: 1 } })).toEqual(['b', 'c', 'd', 'e'])
      expect(await best({ $max_k: { keys: ['price'], k: 2 } })).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
      expect(await best({ $min_k: { keys: ['#score'], k: 1 } }, { limit: { offset: 1, limit: 2 } })).toEqual(['c', 'd'])
    })

    it('takes numbers of metadata into the score', async () => {
      await collection.write([
        add('old', [1, 0], { metadata: { age: 3 } }),
        add('new', [1, 0], { metadata: { age: 0.5 } }),
        add('unknown', [1, 0], { metadata: { age: 'x' } }),
      ])
      const aged = (more: object) => ({ $sum: [near([0, 0]), { $attr: { key: 'age', ...more } }] })
      expect(await scored({ rank: aged({ default: 1 }) })).toEqual([
        ['new', 1.5],
        ['unknown', 2],
        ['old', 4],
      ])
      expect(await scored({ rank: aged({}) })).toEqual([
        ['new', 1.5],
        ['old', 4],
      ])
    })

    it('refuses a score that is no number, and a vector of another dimension', async () => {
      await collection.write([add('a', [0, 0]), add('b', [1, 0])])
      const refused = { kind: 'invalid', code: 'no-number', message: expect.stringContaining('gives no number') }
      for (const rank of [
        { $log: near([0, 0]) },
        { $div: { left: near([0, 0]), right: { $val: 0 } } },
        { $exp: { $mul: [near([0, 0]), { $val: 1000 }] } },
      ])
        await expect(scored({ rank })).rejects.toMatchObject(refused)
      expect(await scored({ rank: { $max: [{ $log: near([0, 0]) }, { $val: -5 }] } })).toEqual([
        ['a', -5],
        ['b', 0],
      ])
      await expect(scored({ rank: near([1]) })).rejects.toMatchObject({
        code: 'dimension-mismatch',
        message: 'Collection expecting embedding with dimension of 2, got 1',
      })
    })

    it('reads any state that is kept', async () => {
      const { version } = await collection.write([add('a', [1, 0], { metadata: { words: sparse({ 1: 1 }) } })])
      await collection.write([add('b', [0, 0], { metadata: { words: sparse({ 1: 1 }) } })])
      const searches = [
        searchOf({ rank: near([0, 0]), select: { keys: ['#score'] } }),
        searchOf({ rank: words({ 1: 1 }), select: { keys: ['#score'] } }, true),
      ]
      const past = await collection.search({ searches, at: version })
      expect([past.version, past.results.map(({ ids }) => ids)]).toEqual([version, [['a'], ['a']]])
      expect(past.results[1]?.scores).toEqual([Math.fround(1 - Math.fround(Math.log1p(0.5 / 1.5)))])
      expect((await collection.search({ searches })).results[0]?.ids).toEqual(['b', 'a'])
    })

    it('explains where each score comes from', async () => {
      if (engine instanceof ModelEngine) return
      await collection.write([
        add('x', [1, 0], { metadata: { words: sparse({ 3: 1 }) } }),
        add('y', [2, 0], { metadata: { words: sparse({ 3: 2 }) } }),
      ])
      const rank = rrf(
        near([0, 0], { return_rank: true }),
        words({ 3: 1 }, { return_rank: true, limit: 1, default: 9 }),
        1,
      )
      const { results } = await collection.search({ searches: [searchOf({ rank })], explain: true })
      expect(results[0]?.ids).toEqual(['y', 'x'])
      expect(results[0]?.explanations).toEqual([
        {
          score: -1.5,
          knn: [
            { rank: 1, score: 4, contribution: -0.5 },
            { rank: 0, score: -1, contribution: -1 },
          ],
        },
        {
          score: Math.fround(-1.1),
          knn: [
            { rank: 0, score: 1, contribution: -1 },
            { rank: null, score: null, contribution: Math.fround(-0.1) },
          ],
        },
      ])
      const product = { $mul: [near([0, 0]), words({ 3: 1 })] }
      const together = await collection.search({ searches: [searchOf({ rank: product })], explain: true })
      expect(together.results[0]?.explanations?.[0]?.knn.map(({ contribution }) => contribution)).toEqual([null, null])
    })
  })
}

export interface SearchAgainstModelOptions {
  /** Default: PROPERTY_RUNS in the environment, or 25. */
  runs?: number
  /** Runs after each write: compaction, or a restart, which returns the new engine. */
  disturb: (engine: Engine, collection: Collection, kind: number) => Promise<Engine>
}

/** Every score is compared to the bit, before and after each compaction. */
export function describeSearchAgainstModel(
  name: string,
  makeEngine: () => Promise<Engine>,
  { runs = Number(process.env['PROPERTY_RUNS'] ?? 25), disturb }: SearchAgainstModelOptions,
): void {
  const steps = fc.array(fc.record({ write: randomWrites, how: fc.nat() }), { minLength: 1, maxLength: 6 })
  const asked = fc.array(randomSearch, { minLength: 1, maxLength: 6 })
  it(`${name}: searches as the model does, to the bit, in spite of compaction and restarts`, { timeout: 600_000 }, () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom<Space>('l2', 'cosine', 'ip'), steps, asked, async (space, steps, asked) => {
        let engine = await makeEngine()
        try {
          const request = collectionRequest('things', { space })
          const { info } = await engine.catalog.createCollection(request)
          const model = new ModelEngine()
          const twin = await model.catalog.createCollection(request)
          const expected = await model.collection(request.tenant, request.database, twin.info.id)
          const open = () => engine.collection(request.tenant, request.database, info.id)
          for (const { write, how } of steps) {
            await writeBoth([await open(), expected], write)
            await compareAll(asked, await open(), expected)
            engine = await disturb(engine, await open(), how)
            await compareAll(asked, await open(), expected)
          }
        } finally {
          await engine.close()
        }
      }),
      { numRuns: runs },
    ),
  )
}

async function writeBoth(collections: readonly Collection[], write: readonly RecordOp[]): Promise<void> {
  for (const collection of collections) await collection.write(write)
}

async function compareAll(asked: readonly RandomSearch[], collection: Collection, model: Collection): Promise<void> {
  for (const { json, idf } of asked) {
    const search = searchOf(json, idf)
    expect(await answerOf(collection, search), JSON.stringify(json)).toEqual(await answerOf(model, search))
  }
}

/** The answer or the code of the error; −0 is 0. */
async function answerOf(collection: Collection, search: ReturnType<typeof searchOf>): Promise<unknown> {
  try {
    const { results } = await collection.search({ searches: [search], effort: EVERYTHING })
    return results.map(({ scores, ...rest }) => ({ ...rest, scores: scores?.map((score) => score + 0) }))
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.code
    throw error
  }
}
