import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, testApi } from '../testing/api.ts'
import { filledWithThings, searching as search, sparse } from '../testing/search-things.ts'

const INVALID = 'InvalidArgumentError'

export function searchContract(makeEngine: () => Promise<Engine>): void {
  const filled = () => filledWithThings(makeEngine)

  describe('search', () => {
    it('answers several searches; what is not selected is null', async () => {
      const [api, path] = await filled()
      const body = {
        searches: [
          { rank: { $knn: { query: [1, 0] } }, limit: { limit: 2 }, select: { keys: ['year', '#score', 'year'] } },
          {},
        ],
      }
      const answer = await api.db('POST', `${path}/search`, body)
      expect(answer.json).toEqual({
        ids: [
          ['a', 'c'],
          ['a', 'b', 'c'],
        ],
        documents: [null, null],
        embeddings: [null, null],
        metadatas: [[{ year: 2020 }, { year: 2001 }], null],
        scores: [[0, 1], null],
        select: [['#score', 'year'], []],
      })
      expect(answer.text).toContain('"scores":[[0.0,1.0],null]')
      expect(answer.headers.get('x-siltstone-version')).toBe('1')
      expect((await api.db('POST', `${path}/search`, { searches: [] })).json).toEqual({
        ids: [],
        documents: [],
        embeddings: [],
        metadatas: [],
        scores: [],
        select: [],
      })
    })

    it('takes the body of the Python client', async () => {
      const { status, json, text } = await search(await filled())({
        filter: {
          $and: [{ year: { $gt: 2000 } }, { '#document': { $contains: 'quick' } }, { '#id': { $in: ['c', 'x'] } }],
        },
        rank: { $knn: { query: [0.1, 0.2], key: '#embedding', limit: 50 } },
        group_by: {},
        limit: { offset: 0, limit: 10 },
        select: { keys: ['#document', 'year', '#score', '#embedding', '#metadata', '#id'] },
      })
      expect(status, text).toBe(200)
      expect(json).toEqual({
        ids: [['c']],
        documents: [['a quick fox']],
        embeddings: [[[1, 1]]],
        metadatas: [[{ year: 2001, sparse: sparse([5], [1]) }]],
        scores: [[1.45]],
        select: [['#document', '#embedding', '#metadata', '#score', '#id', 'year']],
      })
      const nothing = { filter: null, rank: null, group_by: {}, limit: { offset: 0 }, select: { keys: ['#id'] } }
      const all = (await search(await filled())(nothing)).json
      expect([all.ids, all.metadatas, all.scores]).toEqual([[['a', 'b', 'c']], [[null, null, null]], [null]])
    })

    it('takes reciprocal rank fusion as both clients write it', async () => {
      const ask = search(await filled())
      const dense = { $knn: { query: [1, 0], key: '#embedding', limit: 200, return_rank: true } }
      const words = {
        $knn: {
          query: { indices: [5], values: [1.6832038254632398] },
          key: 'sparse',
          limit: 200,
          default: 1000,
          return_rank: true,
        },
      }
      const over = (weight: number, right: unknown) => ({ $div: { left: { $val: weight }, right: { $sum: right } } })
      const javascript = {
        $mul: [{ $sum: [over(2 / 3, [dense, { $val: 60 }]), over(1 / 3, [words, { $val: 60 }])] }, { $val: -1 }],
      }
      const python = {
        $mul: [{ $val: -1 }, { $sum: [over(2 / 3, [{ $val: 60 }, dense]), over(1 / 3, [{ $val: 60 }, words])] }],
      }
      const select = { keys: ['#score'] }
      const { json, text, status } = await ask({ rank: javascript, select }, { rank: python, select })
      expect(status, text).toBe(200)
      expect(json.ids).toEqual([
        ['a', 'c', 'b'],
        ['a', 'c', 'b'],
      ])
      expect(json.scores[0]).toEqual(json.scores[1])
      expect(json.scores[0][0]).toBeCloseTo(-1 / 60, 6)
    })

    it('looks for words in the texts that the schema names, with weights', async () => {
      const api = testApi(await makeEngine())
      const text = { title: { language: 'english' } }
      const path = await api.collection('titled', { schema: { defaults: {}, keys: {}, text } })
      await api.db('POST', `${path}/add`, {
        ids: ['a', 'b'],
        embeddings: [[1], [2]],
        documents: ['of stones', 'of rivers and a stone'],
        metadatas: [{ title: 'Rivers', lead: 'silt' }, { title: 'Stones' }],
      })
      const ask = async (knn: object) => search([api, path])({ rank: { $knn: { query: 'river', ...knn } } })
      expect((await ask({ key: 'title' })).json.ids).toEqual([['a']])
      expect((await ask({ fields: { title: 2, '#document': 1 } })).json.ids).toEqual([['a', 'b']])
      expect((await ask({ fields: { title: 0.1, '#document': 1 } })).json.ids).toEqual([['b', 'a']])
      const { json } = await api.db('GET', '/collections/titled')
      expect(json.schema.text).toEqual(text)
      expectError(
        await ask({ fields: { lead: 1 } }),
        400,
        INVALID,
        /the words of 'lead' are not indexed, only those of #document, title/,
      )
      expectError(await ask({ fields: { title: 0 } }), 400, INVALID, /fields\.title: the weight is 0/)
      expectError(await ask({ fields: {} }), 400, INVALID, /fields: it is empty/)
      expectError(await ask({ key: 'title', fields: { title: 1 } }), 400, INVALID, /it has a key and fields/)
      expectError(await ask({ query: [1], fields: { title: 1 } }), 400, INVALID, /its query is no text/)
      const changed = await api.db('PUT', path, { new_schema: { text: { lead: { language: 'none' } } } })
      expect(changed.status, changed.text).toBe(200)
      expect((await api.db('GET', '/collections/titled')).json.schema).toMatchObject({
        text: { ...text, lead: { language: 'none' } },
      })
      expect((await ask({ query: 'silt', key: 'lead' })).json.ids).toEqual([['a']])
      const wrong = await api.db('PUT', path, { new_schema: { text: { '#id': { language: 'none' } } } })
      expectError(wrong, 400, INVALID, /text can name #document and metadata keys, and '#id' is neither/)
    })

    it('weights by IDF where the schema says bm25, and takes tokens', async () => {
      const ask = search(await filled())
      const knn = (key: string, more = {}) => ({
        rank: { $knn: { query: { ...sparse([1, 8], [1, 1]), tokens: ['one', 'two'], ...more }, key } },
        select: { keys: ['#score'] },
      })
      const { json, text, status } = await ask(knn('sparse'), knn('bm25'))
      expect(status, text).toBe(200)
      expect(json.ids).toEqual([['a'], ['a']])
      expect(json.scores[0]).toEqual([0.9])
      expect(json.scores[1][0]).toBeCloseTo(1 - Math.log1p(2.5 / 1.5), 6)
    })

    it('groups and scores by numbers of the records', async () => {
      const ask = search(await filled())
      const grouped = await ask({
        rank: { $knn: { query: [0, 0] } },
        group_by: { keys: ['year'], aggregate: { $min_k: { keys: ['#score', 'year'], k: 1 } } },
      })
      expect(grouped.json.ids).toEqual([['a', 'b', 'c']])
      const aged = await ask({
        rank: { $sub: { left: { $knn: { query: [0, 0] } }, right: { $attr: { key: 'year' } } } },
      })
      expect(aged.json.ids).toEqual([['a', 'c']])
    })

    it('finds phrases, and shows where the words of a search stand', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      await api.db('POST', `${path}/add`, {
        ids: ['a', 'b', 'c'],
        embeddings: [
          [1, 0],
          [0, 1],
          [1, 1],
        ],
        documents: ['The Stone Bridges of the river', 'A bridge of stone', null],
      })
      const ask = search([api, path])
      const phrase = { '#document': { $phrase: 'stone bridge' } }
      const { json } = await ask(
        { filter: phrase, highlight: {} },
        { rank: { $knn: { query: 'bridge of rivers', key: '#document' } }, highlight: { length: 12, fragments: 1 } },
        { filter: { '#document': { $not_phrase: 'stone bridge' } } },
        { filter: { '#id': 'c' }, highlight: { texts: ['stone'] } },
      )
      expect(json.ids).toEqual([['a'], ['a', 'b'], ['b', 'c'], ['c']])
      expect(json.highlights).toEqual([
        [[['The ', 'Stone', ' ', 'Bridges', ' of the river']]],
        [[['', 'Bridges', ' of']], [['A ', 'bridge', ' of']]],
        null,
        [null],
      ])
      const where = await api.db('POST', `${path}/get`, { where_document: { $phrase: 'STONE bridge' }, include: [] })
      expect(where.json.ids).toEqual(['a'])
      expectError(await ask({ highlight: {} }), 400, INVALID, /no text/)
      expectError(await ask({ filter: { '#document': { $phrase: '?' } } }), 422, 'ChromaError', /a text with a word/)
    })

    it('finds words by their beginning, completes them, and says what a misspelt text may have meant', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const documents = ['The Internet', 'an internal river', 'internals of rivers', 'interest', null]
      const ids = documents.map((_, i) => String(i))
      await api.db('POST', `${path}/add`, { ids, embeddings: ids.map((_, i) => [i]), documents })
      const ask = search([api, path])
      const words = (query: string) => ({ $knn: { query, key: '#document' } })
      const { json } = await ask(
        { rank: words('inter*') },
        { rank: words('river intern*'), did_you_mean: {} },
        { suggest: { text: 'how do INTERN', limit: 2 }, limit: { limit: 0 } },
        { rank: words('the rivr intrest Intrnet internet absent'), did_you_mean: {}, limit: { limit: 0 } },
        {},
      )
      expect(json.ids).toEqual([['3', '0', '1', '2'], ['1', '2', '0'], [], [], ids])
      expect(json.suggestions).toEqual([
        null,
        null,
        [
          { word: 'internal', documents: 1 },
          { word: 'internals', documents: 1 },
        ],
        null,
        null,
      ])
      expect(json.did_you_mean).toEqual([
        null,
        null,
        null,
        {
          text: 'the river interest internet internet absent',
          words: [
            {
              word: 'rivr',
              documents: 0,
              suggestions: [{ word: 'river', documents: 1 }],
            },
            { word: 'intrest', documents: 0, suggestions: [{ word: 'interest', documents: 1 }] },
            { word: 'Intrnet', documents: 0, suggestions: [{ word: 'internet', documents: 1 }] },
          ],
        },
        null,
      ])
      expectError(await ask({ did_you_mean: {} }), 400, INVALID, /no text/)
      expectError(await ask({ suggest: {} }), 422, 'ChromaError', /missing field `text`/)
      const off = { string: { fts_index: { enabled: false, config: {} } } }
      const other = await api.collection('other', { schema: { defaults: {}, keys: { '#document': off } } })
      const refused = await api.db('POST', `${other}/search`, { searches: [{ suggest: { text: 'a' } }] })
      expectError(refused, 400, INVALID, /FTS indexing is disabled/)
    })

    it('recommends by examples, orders by metadata, and chooses what differs', async () => {
      const ask = search(await filled())
      const like = (query: object) => ({ rank: { $knn: { query } }, limit: { limit: 2 } })
      const { json } = await ask(
        like({ positive: ['a'], negative: ['b'] }),
        { order_by: [{ key: 'year', order: 'desc' }], select: { keys: ['year', '#score'] } },
        { rank: { $knn: { query: [0, 0] } }, order_by: [{ key: 'year' }], limit: { limit: 1, offset: 1 } },
        { rank: { $knn: { query: [1, 0] } }, mmr: { lambda: 0.1 }, limit: { limit: 2 } },
        { filter: { year: { $gt: 1 } }, order_by: [{ key: 'year' }, { key: 'none' }] },
      )
      expect(json.ids).toEqual([['c'], ['a', 'c', 'b'], ['a'], ['a', 'b'], ['c', 'a']])
      expect(json.scores[1]).toEqual([0, 1, 2])
      expectError(await ask(like({ positive: ['nobody'] })), 400, INVALID, /no record "nobody"/)
      expectError(await ask(like({ positive: [] })), 400, INVALID, /at least one/)
      expectError(await ask({ rank: { $knn: { query: { positive: ['a'] }, key: 'x' } } }), 400, INVALID, /#embedding/)
      expectError(await ask({ mmr: {} }), 400, INVALID, /mmr requires rank/)
      expectError(await ask({ order_by: [{ key: '#score' }] }), 400, INVALID, /metadata keys/)
      expectError(await ask({ order_by: [{ key: 'a', order: 'up' }] }), 422, 'ChromaError', /expected `asc` or `desc`/)
    })

    it('counts facets of the records that the filter admits', async () => {
      const [api, path] = await filled()
      await api.db('POST', `${path}/add`, {
        ids: ['d'],
        embeddings: [[0, 0]],
        metadatas: [{ year: 2020, tags: ['x', 'x', 'y'], ok: true }],
      })
      const facets = { keys: ['year', 'tags', 'ok', 'sparse', 'none'], limit: 1 }
      const { json, text } = await search([api, path])(
        { facets, limit: { limit: 0 } },
        { rank: { $knn: { query: [0, 0], limit: 1 } }, filter: { year: { $lt: 2010 } }, facets: { keys: ['year'] } },
        {},
      )
      expect(json.ids).toEqual([[], ['c'], ['a', 'b', 'c', 'd']])
      expect(json.facets).toEqual([
        {
          year: [{ value: 2020, count: 2 }],
          tags: [{ value: 'x', count: 1 }],
          ok: [{ value: true, count: 1 }],
          sparse: [],
          none: [],
        },
        { year: [{ value: 2001, count: 1 }] },
        null,
      ])
      expect(text).toContain('{"value":2020,"count":2}')
      expect((await search([api, path])({})).json.facets).toBeUndefined()
      expectError(await search([api, path])({ facets: { keys: ['#score'] } }), 400, INVALID, /metadata keys/)
    })

    it('explains', async () => {
      const [api, path] = await filled()
      const body = { searches: [{ rank: { $knn: { query: [1, 0], limit: 1 } } }] }
      const { json } = await api.db('POST', `${path}/search`, body, { 'x-siltstone-explain': 'true' })
      const expected = [[{ score: 0, knn: [{ rank: 0, score: 0, contribution: 0 }] }]]
      // The model explains nothing.
      expect(json.explanations ?? expected).toEqual(expected)
    })
  })
}
