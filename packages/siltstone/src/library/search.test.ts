import { K, Knn, Rrf, Search } from 'chromadb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { hybrid, knn, openStore, rrf, type Store, type StoreCollection } from './index.ts'

describe('search in process', () => {
  let store: Store
  let things: StoreCollection
  beforeEach(async () => {
    store = await openStore({ environment: memoryEnvironment(), compaction: 'off' })
    things = await store.createCollection({ name: 'things' })
    await things.add({
      ids: ['a', 'b', 'c'],
      embeddings: [
        [1, 0],
        [2, 0],
        [9, 9],
      ],
      documents: ['one', 'two', 'three'],
      metadatas: [
        { year: 1 },
        { year: 2, words: { indices: [7], values: [1] } },
        { words: { indices: [7], values: [2] } },
      ],
    })
  })
  afterEach(() => store.close())

  it('takes plain objects, and the objects of the client', async () => {
    const plain = await things.search({
      where: { year: { $gte: 1 } },
      rank: knn({ query: [0, 0], limit: 5 }),
      limit: 1,
      select: ['#document', '#score', 'year'],
    })
    expect(plain.rows()).toEqual([[{ id: 'a', document: 'one', score: 1, metadata: { year: 1 } }]])
    expect(plain.version).toBe(1)
    const client = new Search()
      .where(K('year').gte(1))
      .rank(Knn({ query: [0, 0], limit: 5 }))
      .limit(1)
      .select(K.DOCUMENT, K.SCORE, 'year')
    expect((await things.search(client)).rows()).toEqual(plain.rows())
    expect((await things.search([{}, { limit: { offset: 2 } }])).ids).toEqual([['a', 'b', 'c'], ['c']])
  })

  it('looks for words in several texts of each record, as soon as the collection names them', async () => {
    await things.update({
      ids: ['a', 'b', 'c'],
      metadatas: [{ title: 'Two rivers' }, { title: 'Stones' }, { title: 'Rivers of stone', tags: ['two', 'one'] }],
    })
    const rank = (fields: Record<string, number>) => knn({ query: 'two rivers', fields })
    await expect(things.search({ rank: rank({ title: 1 }) })).rejects.toMatchObject({ code: 'text-query' })
    await things.modify({ text: { title: 'english', tags: 'none' } })
    const ids = async (fields: Record<string, number>) => (await things.search({ rank: rank(fields) })).ids
    expect(await ids({ title: 1 })).toEqual([['a', 'c']])
    expect(await ids({ title: 1, '#document': 1, tags: 1 })).toEqual([['a', 'c', 'b']])
    expect(await ids({ title: 0.01, '#document': 9 })).toEqual([['b', 'a', 'c']])
    const explained = await things.search({ rank: rank({ title: 2, '#document': 1 }), limit: 1 }, { explain: true })
    const [best] = explained.explanations[0] ?? []
    const found = best?.knn[0]?.words ?? []
    expect(found).toMatchObject([
      { word: 'two', count: 1, fields: [{ key: 'title', count: 1 }] },
      { word: 'rivers', count: 1, fields: [{ key: 'title', count: 1 }] },
    ])
    expect(found.reduce((sum, { adds }) => sum + adds, best?.score ?? 0)).toBeCloseTo(1, 5)
    const other = await store.createCollection({ name: 'other', text: { title: 'english' } })
    await other.add({
      ids: ['x'],
      embeddings: [[1]],
      metadatas: [{ title: 'A stone', words: { indices: [1], values: [1] } }],
    })
    expect((await other.search({ rank: knn({ query: 'stones', key: 'title' }) })).ids).toEqual([['x']])
    expect((await other.search({ rank: hybrid({ query: 'stones', vector: [1], fields: { title: 1 } }) })).ids).toEqual([
      ['x'],
    ])
    expect((await other.search({ rank: knn({ query: { indices: [1], values: [1] }, key: 'words' }) })).ids).toEqual([
      ['x'],
    ])
    const options = { query: 'stones', vector: [1], fields: { title: 2 }, limit: 3 }
    const both = await other.search(
      [hybrid(options), { $hybrid: options }].map((one) => ({ rank: one, select: ['#score'] })),
    )
    expect(both.scores[0]).toEqual(both.scores[1])
    expect(both.scores[0]?.[0]).toBeLessThan(1)
    for (const wrong of [{}, { query: 1 }, { query: 'a', limit: 0 }, { query: 'a', other: 1 }])
      await expect(other.search({ rank: { $hybrid: wrong as { query: string } } })).rejects.toMatchObject({
        message: /\$hybrid/,
      })
    await expect(store.createCollection({ name: 'bad', text: { '#id': 'english' } })).rejects.toMatchObject({
      code: 'bad-schema',
    })
  })

  it('reduces words as the language of each text does, before and after a change of language', async () => {
    const books = await store.createCollection({ name: 'books', text: { '#document': 'german', title: 'french' } })
    await books.add({
      ids: ['a', 'b'],
      embeddings: [[1], [2]],
      documents: ['Die Häuser der alten Stadt', 'Ein Haus am Fluss'],
      metadatas: [{ title: 'Les rivières' }, { title: 'La ville et la rivière' }],
    })
    const ids = async (expression: object) => (await books.search({ rank: knn({ query: '', ...expression }) })).ids[0]
    const ask = async () => [
      await ids({ query: 'Hauses', key: '#document' }),
      await ids({ query: 'rivière', key: 'title' }),
      await ids({ query: 'la Stadt', fields: { title: 1, '#document': 1 } }),
    ]
    const expected = [['b', 'a'], ['a', 'b'], ['a']]
    expect(await ask()).toEqual(expected)
    await books.compact()
    expect(await ask()).toEqual(expected)
    const shown = await books.search({
      rank: knn({ query: 'Häusern', key: '#document' }),
      highlight: {},
      didYouMean: { text: 'Flus' },
      suggest: { text: 'hä' },
    })
    expect(shown.rows()[0]?.map(({ highlight }) => highlight)).toEqual([
      [['Ein ', 'Haus', ' am Fluss']],
      [['Die ', 'Häuser', ' der alten Stadt']],
    ])
    expect(shown.didYouMean[0]).toMatchObject({ text: 'fluss' })
    expect(shown.suggestions[0]).toEqual([{ word: 'häuser', documents: 1 }])
    await books.modify({ text: { '#document': 'none' } })
    expect(await ids({ query: 'Hauses', key: '#document' })).toEqual([])
    expect(await ids({ query: 'HAUS', key: '#document' })).toEqual(['b'])
  })

  it('keeps what only one search found in a fusion, and says where scores come from', async () => {
    const dense = { query: [0, 0], limit: 2 }
    const sparse = { query: { indices: [7], values: [1] }, key: 'words' }
    const fused = await things.search({ rank: rrf({ ranks: [dense, sparse] }) }, { explain: true })
    expect(fused.ids).toEqual([['b', 'a', 'c']])
    const [first, second, third] = fused.explanations[0] ?? []
    expect(first?.knn.map(({ rank }) => rank)).toEqual([1, 1])
    expect(first?.knn[0]?.contribution).toBeCloseTo(-1 / 61)
    expect([second?.knn[1], third?.knn[0]].map((part) => [part?.rank, part?.score])).toEqual([
      [null, null],
      [null, null],
    ])
    const client = Rrf({ ranks: [Knn({ ...dense, returnRank: true }), Knn({ ...sparse, returnRank: true })] })
    expect((await things.search({ rank: client })).ids).toEqual([['b']])
  })

  it('ranks by meaning and words together, and keeps what only one of them finds', async () => {
    const rank = hybrid({ query: 'three', vector: [0, 0], limit: 2 })
    const { ids, scores, explanations } = await things.search({ rank, select: ['#score'] }, { explain: true })
    const words = (await things.search({ rank: knn({ query: 'three', key: '#document' }), select: ['#score'] })).scores
    const found = explanations[0]?.map(({ knn }) => knn.map((part) => part.rank))
    expect(ids).toEqual([['a', 'c', 'b']])
    expect(found).toEqual([
      [0, null],
      [null, 0],
      [1, null],
    ])
    expect(scores[0]).toEqual([
      1,
      expect.closeTo(Math.log(3) + (words[0]?.[0] ?? Number.NaN), 5),
      expect.closeTo(Math.log(2) + 1, 5),
    ])
    expect(explanations[0]?.[2]?.knn[0]?.contribution).toBeCloseTo(Math.log(2), 5)
    expect(() => hybrid({ query: 'x', limit: 0 })).toThrow('limit is 0')
  })

  it('weights by IDF on request', async () => {
    const rank = knn({ query: { indices: [7], values: [1] }, key: 'words', idf: true })
    const { scores } = await things.search({ rank, select: ['#score'] })
    const idf = Math.log1p((3 - 2 + 0.5) / 2.5)
    expect(scores[0]).toEqual([expect.closeTo(1 - 2 * idf, 6), expect.closeTo(1 - idf, 6)])
  })

  it('shows the words of its texts', async () => {
    const rank = knn({ query: 'two', key: '#document' })
    const { highlights } = await things.search([{ rank, highlight: {} }, {}])
    expect(highlights).toEqual([[[['', 'two', '']]], null])
    const where = { '#document': { $phrase: 'Three' } }
    const [rows] = (await things.search({ where, highlight: { texts: ['three'], length: 5 } })).rows()
    expect(rows).toEqual([{ id: 'c', highlight: [['', 'three', '']] }])
  })

  it('counts facets', async () => {
    const { facets, ids } = await things.search([{ facets: { keys: ['year'] }, limit: 0 }, { limit: 1 }])
    expect(facets).toEqual([
      {
        year: [
          { value: 1, count: 1 },
          { value: 2, count: 1 },
        ],
      },
      null,
    ])
    expect(ids).toEqual([[], ['a']])
  })

  it('embeds texts with the collection’s embedder', async () => {
    const notes = await store.createCollection({ name: 'notes' })
    await notes.add({ ids: ['x', 'y'], documents: ['Rivers carry sand.', 'The invoice is overdue.'] })
    const found = await notes.search({ rank: knn({ query: 'What do streams transport?' }), limit: 1 })
    expect(found.ids).toEqual([['x']])
    await expect(notes.search({ rank: knn({ query: 'x', key: 'words' }) })).rejects.toMatchObject({
      code: 'text-query',
    })
  })

  it('names what is wrong', async () => {
    const refused = async (input: unknown, message: string | RegExp) =>
      expect(things.search(input as object)).rejects.toThrow(message)
    await refused({ filter: {} }, "searches[0] has the unknown field 'filter'; it can have where, rank")
    await refused({ rank: { $what: 1 } }, 'searches[0].rank: unknown variant `$what`')
    await refused({ limit: -1 }, /searches\[0\]\.limit/)
    await refused({ where: { year: {} } }, /Invalid where clause/)
    expect(() => rrf({ ranks: [] })).toThrow('ranks is empty')
    expect(() => rrf({ ranks: [{ query: 'x' }], weights: [1, 2] })).toThrow('weights has 2 elements and ranks 1')
    expect(() => rrf({ ranks: [{ query: 'x' }], weights: [-1] })).toThrow('weights has -1')
    expect(() => rrf({ ranks: [{ query: 'x' }], k: 0 })).toThrow('k is 0')
  })
})
