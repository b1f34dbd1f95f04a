import { describe, expect, it } from 'vitest'
import type { Engine } from '../../model/store.ts'
import { base64, expectError, testApi } from '../testing/api.ts'

const ALL = ['documents', 'embeddings', 'metadatas', 'uris']

export function writeContract(makeEngine: () => Promise<Engine>): void {
  describe('writes', () => {
    it('adds, upserts, updates and deletes by Chroma’s rules', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const add = await api.db('POST', `${path}/add`, {
        ids: ['a', 'b', 'a'],
        embeddings: [
          [1, 0],
          [0, 1],
          [9, 9],
        ],
        documents: ['first', null, 'ignored'],
        metadatas: [{ n: 1, tags: ['x'] }, null, null],
        uris: ['u:a', null, null],
      })
      expect([add.status, add.text]).toEqual([201, '{}'])
      const upsert = await api.db('POST', `${path}/upsert`, {
        ids: ['a', 'c', 'c'],
        embeddings: [
          [2, 0],
          [3, 3],
          [4, 4],
        ],
        metadatas: [{ m: 2, tags: null }, null, { last: true }],
      })
      expect([upsert.status, upsert.text]).toEqual([200, '{}'])
      const update = await api.db('POST', `${path}/update`, {
        ids: ['b', 'nobody'],
        embeddings: [null, [1, 1]],
        documents: ['second', 'x'],
      })
      expect([update.status, update.text]).toEqual([200, '{}'])
      const { json } = await api.db('POST', `${path}/get`, { include: ALL })
      expect(json).toEqual({
        ids: ['a', 'b', 'c'],
        embeddings: [
          [2, 0],
          [0, 1],
          [4, 4],
        ],
        documents: ['first', 'second', null],
        uris: ['u:a', null, null],
        metadatas: [{ n: 1, m: 2 }, null, { last: true }],
        include: ALL,
      })
      expect((await api.db('GET', `/collections/things`)).json.dimension).toBe(2)
      expect((await api.db('POST', `${path}/delete`, { ids: ['a', 'c'] })).json).toEqual({ deleted: 2 })
      expect((await api.db('GET', `${path}/count`)).json).toBe(1)
    })

    it('accepts base64 and arrays, and returns floats in their shortest form', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      await api.db('POST', `${path}/add`, {
        ids: ['a', 'b'],
        embeddings: [base64([0.1, -3.5, 16777217]), [0.1, 1e-7, 2e30]],
      })
      const { text } = await api.db('POST', `${path}/get`, { include: ['embeddings'] })
      expect(text).toContain('"embeddings":[[0.1,-3.5,16777216.0],[0.1,1e-7,2e+30]]')
      expectError(
        await api.db('POST', `${path}/add`, { ids: ['c'], embeddings: ['AAA'] }),
        400,
        'InvalidArgumentError',
        'Invalid base64 string: Invalid padding',
      )
      expectError(
        await api.db('POST', `${path}/add`, { ids: ['c'], embeddings: ['A*AA'] }),
        400,
        'InvalidArgumentError',
        /^Invalid base64 string/,
      )
      expectError(
        await api.db('POST', `${path}/add`, { ids: ['c'], embeddings: ['AAAA'] }),
        400,
        'InvalidArgumentError',
        /^Invalid base64 string/,
      )
    })

    it('distinguishes integers and floats, and keeps all digits', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const metadata = '{"big":9223372036854775807,"one":1,"float":1.0,"exp":1e3,"mixed":[1,2.5],"neg":-0.0}'
      const body = `{"ids":["a"],"embeddings":[[1.0,2e-3]],"metadatas":[${metadata}]}`
      expect((await api.db('POST', `${path}/add`, body)).status).toBe(201)
      const { text } = await api.db('POST', `${path}/get`, {})
      expect(text).toContain('"big":9223372036854775807')
      expect(text).toContain('"one":1,')
      expect(text).toContain('"float":1.0')
      expect(text).toContain('"mixed":[1.0,2.5]')
    })

    it('ignores the order of keys and unknown fields, and keeps keys of every name', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const body =
        '{"__proto__":{"x":1},"metadatas":[{"__proto__":"p","constructor":"c","2":2,"1":1}],"embeddings":[[1]],"ids":["__proto__"],"what":{}}'
      expect((await api.db('POST', `${path}/add`, body)).status).toBe(201)
      const { text } = await api.db('POST', `${path}/get`, { ids: ['__proto__'], where: { constructor: 'c' } })
      expect(text).toContain('"ids":["__proto__"]')
      expect(JSON.parse(text).metadatas[0]).toEqual(JSON.parse('{"__proto__":"p","constructor":"c","2":2,"1":1}'))
      expect(({} as Record<string, unknown>)['x']).toBeUndefined()
    })

    it('stores an empty map as null, and an empty array as a missing key', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      await api.db('POST', `${path}/add`, {
        ids: ['a', 'b'],
        embeddings: [[1], [2]],
        metadatas: [{}, { tags: [], n: 1 }],
      })
      expect((await api.db('POST', `${path}/get`, {})).json.metadatas).toEqual([null, { n: 1 }])
    })

    it('deletes by ids and filters', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const ids = ['a', 'b', 'c', 'd']
      const metadatas = ids.map((_, n) => ({ n }))
      await api.db('POST', `${path}/add`, { ids, embeddings: ids.map(() => [1]), metadatas, documents: ids })
      const remove = (body: unknown) => api.db('POST', `${path}/delete`, body)
      expect((await remove({})).json).toEqual({ deleted: 0 })
      expectError(
        await remove({ ids: [] }),
        400,
        'InvalidArgumentError',
        'Validation error: ids, where: Either ids or where must be specified',
      )
      expectError(
        await remove({ limit: 1 }),
        400,
        'InvalidArgumentError',
        'Validation error: limit, where: limit can only be specified when a where clause is provided',
      )
      expect((await remove({ ids: ['a', 'b'], where: { n: { $gte: 1 } } })).json).toEqual({ deleted: 1 })
      expect((await remove({ where: { n: { $gte: 0 } }, limit: 1 })).json).toEqual({ deleted: 1 })
      expect((await api.db('POST', `${path}/get`, {})).json.ids).toEqual(['c', 'd'])
      expect((await remove({ where_document: { $contains: 'd' } })).json).toEqual({ deleted: 1 })
      expect((await api.db('POST', `${path}/get`, {})).json.ids).toEqual(['c'])
    })

    it('answers writes with their version, which reads can wait for or read again', async () => {
      const api = testApi(await makeEngine())
      const path = await api.collection('things')
      const write = async (id: string) => {
        const { headers } = await api.db('POST', `${path}/add`, { ids: [id], embeddings: [[1]] })
        return headers.get('x-siltstone-version') ?? ''
      }
      const [first, second] = [await write('a'), await write('b')]
      expect(Number(second)).toBeGreaterThan(Number(first))
      const now = await api.db('POST', `${path}/get`, {}, { 'x-siltstone-at-least': second })
      expect([now.json.ids, now.headers.get('x-siltstone-version')]).toEqual([['a', 'b'], second])
      const then = await api.db('POST', `${path}/get`, {}, { 'x-siltstone-at': first })
      expect([then.json.ids, then.headers.get('x-siltstone-version')]).toEqual([['a'], first])
      expect((await api.db('GET', `${path}/count?at=${first}`)).json).toBe(1)
      const gone = await api.db('POST', `${path}/delete`, { ids: ['a'] })
      expect(Number(gone.headers.get('x-siltstone-version'))).toBeGreaterThan(Number(second))
      expectError(
        await api.db('POST', `${path}/get`, {}, { 'x-siltstone-at': 'x' }),
        400,
        'InvalidArgumentError',
        /x-siltstone-at is/,
      )
    })
  })
}
