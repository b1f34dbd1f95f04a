import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { expectError, type TestApi, testApi } from '../testing/api.ts'

export function readContract(makeEngine: () => Promise<Engine>): void {
  const filled = async (): Promise<[TestApi, string]> => {
    const api = testApi(await makeEngine())
    const path = await api.collection('things')
    await api.db('POST', `${path}/add`, {
      ids: ['a', 'b', 'c'],
      embeddings: [
        [0, 0],
        [1, 0],
        [3, 4],
      ],
      documents: ['red apple', null, 'Green apple'],
      metadatas: [{ i: 1, f: 1.5, tags: ['x', 'y'] }, { i: 2 }, null],
    })
    return [api, path]
  }

  describe('reads', () => {
    it('gets in insertion order, with the included columns', async () => {
      const [api, path] = await filled()
      const get = async (body: unknown) => (await api.db('POST', `${path}/get`, body)).json
      expect(await get({ ids: ['c', 'a', 'nope', 'a'] })).toEqual({
        ids: ['a', 'c'],
        embeddings: null,
        documents: ['red apple', 'Green apple'],
        uris: null,
        metadatas: [{ i: 1, f: 1.5, tags: ['x', 'y'] }, null],
        include: ['documents', 'metadatas'],
      })
      expect(await get({ include: [] })).toEqual({
        ids: ['a', 'b', 'c'],
        embeddings: null,
        documents: null,
        uris: null,
        metadatas: null,
        include: [],
      })
      expect((await get({ include: ['distances'] })).include).toEqual(['distances'])
      expect((await get({ ids: [] })).ids).toEqual([])
      expect((await get({ limit: 0 })).ids).toEqual([])
      expect((await get({ limit: 1, offset: 1 })).ids).toEqual(['b'])
    })

    it('filters, comparing numbers as numbers', async () => {
      const [api, path] = await filled()
      const ids = async (body: unknown) => (await api.db('POST', `${path}/get`, body)).json.ids
      expect(await ids({ where: { i: { $lt: 1.5 } } })).toEqual(['a'])
      expect(await ids({ where: { i: 1.5 } })).toEqual([])
      expect(await ids({ where: { i: { $ne: 1 } } })).toEqual(['b', 'c'])
      expect(await ids({ where: { tags: { $contains: 'x' } } })).toEqual(['a'])
      expect(await ids({ where_document: { $contains: 'apple' }, where: { i: 1 } })).toEqual(['a'])
      expect(await ids({ where_document: { $regex: '(?i)green' } })).toEqual(['c'])
      const bad = (body: unknown) => api.db('POST', `${path}/get`, body)
      expectError(await bad({ where: {} }), 400, 'InvalidArgumentError', /^Invalid where clause/)
      expectError(await bad({ where: { i: { $gt: 'x' } } }), 400, 'InvalidArgumentError', /^Invalid where clause/)
      expectError(await bad({ where: { i: null } }), 400, 'InvalidArgumentError', /^Invalid where clause/)
      expectError(
        await bad({ where_document: { $what: 'x' } }),
        400,
        'InvalidArgumentError',
        /^Invalid where document clause/,
      )
      expectError(await bad({ where_document: { $regex: '(' } }), 400, 'InvalidArgumentError', /^Regex syntax errror: /)
    })

    it('pages through one state', async () => {
      const [api, path] = await filled()
      const first = await api.db('POST', `${path}/get`, { limit: 2 })
      const token = first.headers.get('x-siltstone-page-token')
      expect([first.json.ids, typeof token]).toEqual([['a', 'b'], 'string'])
      await api.db('POST', `${path}/delete`, { ids: ['a', 'c'] })
      const second = await api.db('POST', `${path}/get`, { limit: 2, page_token: token })
      expect(second.json.ids).toEqual(['c'])
      expect(second.headers.get('x-siltstone-page-token')).toBeNull()
      expect((await api.db('POST', `${path}/get`, { page_token: 'nonsense' })).status).toBe(400)
    })

    it('queries', async () => {
      const [api, path] = await filled()
      const query = async (body: unknown) => (await api.db('POST', `${path}/query`, body)).json
      expect(
        await query({
          query_embeddings: [
            [0, 0],
            [3, 4],
          ],
          n_results: 2,
        }),
      ).toEqual({
        ids: [
          ['a', 'b'],
          ['c', 'b'],
        ],
        embeddings: null,
        documents: [
          ['red apple', null],
          ['Green apple', null],
        ],
        uris: null,
        metadatas: [
          [{ i: 1, f: 1.5, tags: ['x', 'y'] }, { i: 2 }],
          [null, { i: 2 }],
        ],
        distances: [
          [0, 1],
          [0, 20],
        ],
        include: ['documents', 'metadatas', 'distances'],
      })
      expect(await query({ query_embeddings: [[0, 0]], where: { i: 2 }, include: ['embeddings', 'uris'] })).toEqual({
        ids: [['b']],
        embeddings: [[[1, 0]]],
        documents: null,
        uris: [[null]],
        metadatas: null,
        distances: null,
        include: ['embeddings', 'uris'],
      })
      expect((await query({ query_embeddings: [] })).ids).toEqual([])
      expect((await query({ query_embeddings: [[0, 0]], ids: ['c'] })).ids).toEqual([['c']])
    })

    it('answers a query of an empty collection, and reports a missing id unless there is a filter', async () => {
      const [api, path] = await filled()
      const empty = await api.collection('empty')
      const none = await api.db('POST', `${empty}/query`, { query_embeddings: [[1, 2, 3]] })
      expect([none.status, none.json.ids, none.json.distances]).toEqual([200, [[]], [[]]])
      const missing = await api.db('POST', `${path}/query`, { query_embeddings: [[0, 0]], ids: ['a', 'nope'] })
      expectError(missing, 500, 'InternalError', /^Error executing plan: Internal error: Error finding id/)
      const filters = [{ where: { i: { $gte: -9 } } }, { where_document: { $not_contains: 'nowhere' } }]
      for (const filter of filters) {
        const found = await api.db('POST', `${path}/query`, {
          query_embeddings: [[0, 0]],
          ids: ['a', 'nope'],
          ...filter,
        })
        expect([found.status, found.json.ids]).toEqual([200, [['a']]])
      }
    })

    it('measures the collection’s distance', async () => {
      const api = testApi(await makeEngine())
      const distances = async (space: string) => {
        const path = await api.collection(`in-${space}`, { configuration: { hnsw: { space } } })
        await api.db('POST', `${path}/add`, {
          ids: ['a', 'z'],
          embeddings: [
            [2, 0],
            [0, 0],
          ],
        })
        const { json } = await api.db('POST', `${path}/query`, { query_embeddings: [[4, 0]] })
        return Object.fromEntries(json.ids[0].map((id: string, i: number) => [id, json.distances[0][i]]))
      }
      expect(await distances('l2')).toEqual({ a: 4, z: 16 })
      expect(await distances('ip')).toEqual({ a: -7, z: 1 })
      const cosine = await distances('cosine')
      expect(cosine.a).toBeCloseTo(0, 6)
      expect(cosine.z).toBe(1)
    })

    it('counts, at every read level', async () => {
      const [api, path] = await filled()
      expect((await api.db('GET', `${path}/count`)).text).toBe('3')
      expect((await api.db('GET', `${path}/count?read_level=index_and_wal`)).text).toBe('3')
      for (const level of ['index_only', 'index_and_bounded_wal']) {
        expect((await api.db('GET', `${path}/count?read_level=${level}`)).status).toBe(200)
      }
      expectError(
        await api.db('GET', `${path}/count?read_level=x`),
        400,
        'InvalidArgumentError',
        /^Failed to deserialize query string: read_level: unknown variant `x`/,
      )
    })

    it('reports how much is indexed', async () => {
      const [api, path] = await filled()
      const { json } = await api.db('GET', `${path}/indexing_status`)
      expect(json.total_ops).toBe(3)
      expect(json.num_indexed_ops + json.num_unindexed_ops).toBe(3)
      expect(json.op_indexing_progress).toBeCloseTo(json.num_indexed_ops / 3)
    })
  })
}
