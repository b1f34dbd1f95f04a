/** The contract of collections of each engine: record semantics, order, filters, pages, queries, dimensions. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Space } from '../model/collection.ts'
import type { GetRequest } from '../model/read.ts'
import type { Collection, Engine } from '../model/store.ts'
import { parseWhere, parseWhereDocument } from '../filter/parse.ts'
import { metadataToPlain } from '../records/metadata-json.ts'
import { parseMetadata } from '../records/metadata.ts'
import { add, collectionRequest, remove, update, upsert } from './operations.ts'

const EVERYTHING = { embeddings: true, documents: true, metadatas: true, uris: true }

export function describeCollection(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`${name}: a collection`, () => {
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
    const ids = async (request: Partial<GetRequest> = {}) => (await collection.get({ include: {}, ...request })).ids
    const where = (json: unknown) => ids({ filter: parseWhere(json) })
    const whereDocument = (json: unknown) => ids({ filter: parseWhereDocument(json) })
    async function record(id: string) {
      const answer = await collection.get({ ids: [id], include: EVERYTHING })
      if (answer.ids.length === 0) return undefined
      return {
        vector: [...(answer.embeddings?.[0] ?? [])],
        document: answer.documents?.[0],
        metadata: metadataToPlain(answer.metadatas?.[0] ?? null),
        uri: answer.uris?.[0],
      }
    }

    describe('empty', () => {
      it('has nothing and no dimension', async () => {
        expect(await collection.count()).toBe(0)
        expect(await collection.dimension()).toBeNull()
        expect(await collection.get({ include: EVERYTHING })).toMatchObject({ ids: [], documents: [], embeddings: [] })
        expect(await collection.delete({ ids: ['a'] })).toMatchObject({ deleted: 0 })
        expect(await collection.delete({ filter: parseWhere({ x: 1 }) })).toMatchObject({ deleted: 0 })
      })

      it('answers a query of any dimension with one empty list per vector', async () => {
        const vectors = [Float32Array.of(1), Float32Array.of(1, 2)]
        const { hits } = await collection.query({ vectors, k: 3, include: {} })
        expect(hits.map((hit) => [hit.ids, hit.distances])).toEqual([
          [[], []],
          [[], []],
        ])
      })
    })

    describe('record semantics', () => {
      it('add sets all columns, and ignores an existing id entirely', async () => {
        await collection.write([add('a', [1, 2], { document: 'd', metadata: { x: 1 }, uri: 'u' })])
        await collection.write([add('a', [3, 4], { document: 'other', metadata: { y: 2 }, uri: 'v' })])
        expect(await record('a')).toEqual({ vector: [1, 2], document: 'd', metadata: { x: 1 }, uri: 'u' })
      })

      it('add keeps the first of equal ids in one batch', async () => {
        await collection.write([add('a', [1, 0], { document: 'first' }), add('a', [2, 0], { document: 'second' })])
        expect(await record('a')).toMatchObject({ vector: [1, 0], document: 'first' })
        expect(await collection.count()).toBe(1)
      })

      it('upsert replaces the vector, keeps an absent document and uri, merges metadata', async () => {
        await collection.write([add('a', [1, 2], { document: 'd', metadata: { x: 1, y: 'k', z: true }, uri: 'u' })])
        await collection.write([upsert('a', [3, 4], { metadata: { x: 2, y: null, w: 1.5 } })])
        const expected = { vector: [3, 4], document: 'd', metadata: { x: 2, z: true, w: 1.5 }, uri: 'u' }
        expect(await record('a')).toEqual(expected)
        await collection.write([upsert('a', [3, 4], { document: '' })])
        expect((await record('a'))?.document).toBe('')
      })

      it('upsert of a new id inserts it, without the keys that its metadata would remove', async () => {
        await collection.write([upsert('a', [1, 2], { metadata: { x: null, y: [], z: 1 } })])
        expect((await record('a'))?.metadata).toEqual({ z: 1 })
        await collection.write([upsert('b', [1, 2], { metadata: { x: null } })])
        expect((await record('b'))?.metadata).toBeNull()
      })

      it('update changes what it gives, and ignores an unknown id', async () => {
        await collection.write([add('a', [1, 2], { document: 'd', metadata: { x: 1 } })])
        await collection.write([update('a', { metadata: { y: 'new' } }), update('zz', { document: 'nobody' })])
        expect(await record('a')).toEqual({ vector: [1, 2], document: 'd', metadata: { x: 1, y: 'new' }, uri: null })
        await collection.write([update('a', { vector: [5, 6], document: '', uri: 'u' })])
        expect(await record('a')).toMatchObject({ vector: [5, 6], document: '', uri: 'u' })
        expect(await ids()).toEqual(['a'])
      })

      it('a removed key reads as absent, metadata without keys as null, and a type may change', async () => {
        await collection.write([add('a', [1, 2], { metadata: { x: 1, list: ['p', 'q'] } })])
        await collection.write([update('a', { metadata: { x: ['now', 'a', 'list'], list: [] } })])
        expect((await record('a'))?.metadata).toEqual({ x: ['now', 'a', 'list'] })
        await collection.write([update('a', { metadata: { x: null } })])
        expect((await record('a'))?.metadata).toBeNull()
      })

      it('keeps 64-bit integers, and integers and floats apart', async () => {
        const metadata = '{"big":9223372036854775807,"low":-9223372036854775808,"int":1,"float":1.0,"list":[2.0,2.5]}'
        await collection.write([add('a', [1, 2], { metadata })])
        await collection.write([update('a', { metadata: { other: true } })])
        const { metadatas } = await collection.get({ include: { metadatas: true } })
        const read = parseMetadata(metadatas?.[0] ?? '{}')
        expect(Object.fromEntries(read)).toEqual({
          big: 9223372036854775807n,
          low: -9223372036854775808n,
          int: 1n,
          float: 1,
          list: [2, 2.5],
          other: true,
        })
      })

      it('keeps sparse vectors, and keys and texts of any kind', async () => {
        const sparse = { '#type': 'sparse_vector', indices: [1, 4294967295], values: [0.5, -2], tokens: ['a', 'b'] }
        const metadata = { sparse, ['__proto__']: 'safe', 'ключ "q" \n': '𝒳\u0000' }
        await collection.write([add('𝒳 id/..\n', [1, 2], { metadata, document: '\u2028 ünï 😀' })])
        const read = await record('𝒳 id/..\n')
        const { '#type': _, ...bare } = sparse
        expect(Object.entries(read?.metadata ?? {})).toEqual(
          expect.arrayContaining([
            ['sparse', bare],
            ['__proto__', 'safe'],
            ['ключ "q" \n', '𝒳\u0000'],
          ]),
        )
        expect(read?.document).toBe('\u2028 ünï 😀')
      })

      it('applies a mixed batch in its order', async () => {
        const first = add('a', [1, 1], { document: 'one' })
        await collection.write([
          first,
          update('a', { document: 'two' }),
          remove('a'),
          upsert('a', [2, 2]),
          add('b', [3, 3]),
        ])
        expect(await record('a')).toMatchObject({ vector: [2, 2], document: null })
        expect(await ids()).toEqual(['a', 'b'])
      })
    })

    describe('get', () => {
      beforeEach(async () => {
        await collection.write([add('c', [1, 0]), add('a', [2, 0]), add('b', [3, 0])])
        await collection.write([add('d', [4, 0])])
      })

      it('is in order of first insertion, which updates and upserts keep and deletion forgets', async () => {
        await collection.write([upsert('c', [9, 9]), update('a', { document: 'x' })])
        expect(await ids()).toEqual(['c', 'a', 'b', 'd'])
        await collection.write([remove('c')])
        await collection.write([add('c', [1, 0])])
        expect(await ids()).toEqual(['a', 'b', 'd', 'c'])
      })

      it('by ids keeps that order, collapses duplicates, skips unknown ids; no ids are none', async () => {
        expect(await ids({ ids: ['d', 'a', 'nobody', 'c', 'a'] })).toEqual(['c', 'a', 'd'])
        expect(await ids({ ids: [] })).toEqual([])
      })

      it('cuts after filtering', async () => {
        expect(await ids({ limit: 2 })).toEqual(['c', 'a'])
        expect(await ids({ limit: 2, offset: 1 })).toEqual(['a', 'b'])
        expect(await ids({ offset: 3 })).toEqual(['d'])
        expect(await ids({ limit: 0 })).toEqual([])
        expect(await ids({ offset: 9 })).toEqual([])
        const filter = parseWhere({ '#id': { $ne: 'a' } })
        expect(await ids({ filter, limit: 1, offset: 1 })).toEqual(['b'])
        expect(await ids({ filter, ids: ['a', 'b', 'c'] })).toEqual(['c', 'b'])
      })

      it('has the included columns and no others', async () => {
        const answer = await collection.get({ ids: ['a'], include: { embeddings: true } })
        expect(answer.embeddings).toEqual([Float32Array.of(2, 0)])
        for (const column of ['documents', 'metadatas', 'uris'] as const) expect(answer[column]).toBeUndefined()
      })

      it('pages through one state in spite of concurrent writes', async () => {
        const first = await collection.get({ limit: 2, include: { embeddings: true } })
        expect(first.ids).toEqual(['c', 'a'])
        await collection.write([remove('b'), remove('c'), upsert('d', [7, 7]), add('e', [5, 0])])
        const second = await collection.get({
          limit: 1,
          include: { embeddings: true },
          pageToken: first.pageToken ?? '',
        })
        expect([second.ids, second.embeddings, second.version]).toEqual([['b'], [Float32Array.of(3, 0)], first.version])
        const last = await collection.get({
          limit: 5,
          include: { embeddings: true },
          pageToken: second.pageToken ?? '',
        })
        expect([last.ids, last.embeddings]).toEqual([['d'], [Float32Array.of(4, 0)]])
        expect(last.pageToken).toBeUndefined()
        expect(await ids()).toEqual(['a', 'd', 'e'])
      })

      it('refuses an unknown page token', async () => {
        await expect(collection.get({ include: {}, pageToken: 'nonsense' })).rejects.toMatchObject({ kind: 'invalid' })
      })
    })

    describe('filters', () => {
      beforeEach(async () => {
        await collection.write([
          add('int', [0, 0], { document: 'The quick brown fox', metadata: { n: 2, s: 'x', tags: ['red', 'blue'] } }),
          add('float', [0, 1], { document: '100% of_it', metadata: '{"n":2.0,"f":1.5,"nums":[1,2,3]}' }),
          add('bool', [0, 2], { metadata: { n: true, s: 'y' } }),
          add('text', [0, 3], { document: '', metadata: { n: '2' } }),
          add('big', [0, 4], { metadata: '{"n":9007199254740993}' }),
          add('none', [0, 5]),
        ])
      })

      it('compare numbers by value, exactly, and nothing else with them', async () => {
        expect(await where({ n: 2 })).toEqual(['int', 'float'])
        expect(await where({ n: { $gte: 1.5 } })).toEqual(['int', 'float', 'big'])
        expect(await where({ n: { $lt: 2.5 } })).toEqual(['int', 'float'])
        expect(await where({ n: { $gt: 2 } })).toEqual(['big'])
        expect(await where({ n: 9007199254740992 })).toEqual([])
        expect(await where(new Map([['n', 9007199254740993n]]))).toEqual(['big'])
        expect(await where({ n: true })).toEqual(['bool'])
        expect(await where({ n: '2' })).toEqual(['text'])
        expect(await where({ n: { $in: [2, 3] } })).toEqual(['int', 'float'])
      })

      it('negations match what lacks the key', async () => {
        expect(await where({ n: { $ne: 2 } })).toEqual(['bool', 'text', 'big', 'none'])
        expect(await where({ s: { $nin: ['x', 'y'] } })).toEqual(['float', 'text', 'big', 'none'])
        expect(await where({ tags: { $not_contains: 'red' } })).toEqual(['float', 'bool', 'text', 'big', 'none'])
      })

      it('keep arrays and scalars apart', async () => {
        expect(await where({ tags: { $contains: 'red' } })).toEqual(['int'])
        expect(await where({ nums: { $contains: 2 } })).toEqual(['float'])
        expect(await where({ tags: 'red' })).toEqual([])
        expect(await where({ s: { $contains: 'x' } })).toEqual([])
        expect(await where({ tags: { $ne: 'red' } })).toHaveLength(6)
      })

      it('join with and, or; the empty ones are true and false', async () => {
        expect(await where({ $and: [{ n: 2 }, { s: 'x' }] })).toEqual(['int'])
        expect(await where({ $or: [{ s: 'y' }, { $and: [{ f: { $gt: 1 } }, { n: 2 }] }] })).toEqual(['float', 'bool'])
        expect(await where({ $and: [] })).toHaveLength(6)
        expect(await where({ $or: [] })).toEqual([])
      })

      it('look into documents: case-sensitive, literal, and never in a missing one', async () => {
        expect(await whereDocument({ $contains: 'quick' })).toEqual(['int'])
        expect(await whereDocument({ $contains: 'Quick' })).toEqual([])
        expect(await whereDocument({ $contains: '%' })).toEqual(['float'])
        expect(await whereDocument({ $contains: 'f_i' })).toEqual(['float'])
        expect(await whereDocument({ $contains: '' })).toEqual(['int', 'float', 'text'])
        expect(await whereDocument({ $not_contains: 'o' })).toEqual(['bool', 'text', 'big', 'none'])
        expect(await whereDocument({ $regex: '(?i)QUICK\\s+\\w+' })).toEqual(['int'])
        expect(await whereDocument({ $not_regex: '\\d' })).toEqual(['int', 'bool', 'text', 'big', 'none'])
        expect(await where({ '#document': { $contains: 'of' } })).toEqual(['float'])
        expect(await where({ '#id': { $in: ['none', 'text'] } })).toEqual(['text', 'none'])
      })

      it('follow updates', async () => {
        await collection.write([update('int', { metadata: { n: 7, s: null } }), update('none', { document: 'quick' })])
        expect(await where({ n: 2 })).toEqual(['float'])
        expect(await where({ s: { $ne: 'y' } })).toEqual(['int', 'float', 'text', 'big', 'none'])
        expect(await whereDocument({ $contains: 'quick' })).toEqual(['int', 'none'])
      })

      it('restrict queries before they are ranked', async () => {
        const request = { vectors: [Float32Array.of(0, 9)], k: 2, include: {} }
        const { hits } = await collection.query({ ...request, filter: parseWhere({ n: 2 }) })
        expect(hits[0]?.ids).toEqual(['float', 'int'])
        const among = await collection.query({ ...request, ids: ['int', 'big', 'bool'] })
        expect(among.hits[0]?.ids).toEqual(['big', 'bool'])
        const both = await collection.query({ ...request, ids: ['int', 'big'], filter: parseWhere({ n: 2 }) })
        expect(both.hits[0]?.ids).toEqual(['int'])
      })
    })

    describe('query', () => {
      it('ranks by the distance of the space', async () => {
        const expected: Record<Space, [string, number][]> = {
          l2: [
            ['a', 1],
            ['zero', 4],
            ['b', 13],
          ],
          cosine: [
            ['a', 0],
            ['b', 1],
            ['zero', 1],
          ],
          ip: [
            ['a', -5],
            ['b', 1],
            ['zero', 1],
          ],
        }
        for (const space of ['l2', 'cosine', 'ip'] as const) {
          collection = await make(`in-${space}`, space)
          await collection.write([add('b', [0, 3]), add('zero', [0, 0]), add('a', [3, 0])])
          const { hits } = await collection.query({ vectors: [Float32Array.of(2, 0)], k: 10, include: {} })
          const pairs = hits[0]?.ids.map((id, i) => [id, hits[0]?.distances[i]] as const) ?? []
          expect(pairs.map(([, distance]) => distance)).toEqual(expected[space].map(([, d]) => expect.closeTo(d, 5)))
          // Ties are in no promised order.
          expect(new Map(pairs.map(([id, d]) => [id, Math.round(d ?? Number.NaN)]))).toEqual(new Map(expected[space]))
        }
      })

      it('finds the direction of vectors whose squares do not fit 32-bit floats', async () => {
        collection = await make('extremes', 'cosine')
        await collection.write([add('huge', [1e30, 1e30]), add('tiny', [0, 1e-30]), add('one', [1, -1])])
        const { hits } = await collection.query({ vectors: [Float32Array.of(1e-25, 1e-25)], k: 3, include: {} })
        expect(hits[0]?.ids).toEqual(['huge', 'tiny', 'one'])
        const expected = [0, 1 - Math.SQRT1_2, 1].map((d) => expect.closeTo(d, 5))
        expect(hits[0]?.distances).toEqual(expected)
      })

      it('answers several vectors at once, at most k each, with the included columns', async () => {
        await collection.write([
          add('a', [0, 0], { document: 'A', metadata: { x: 1 } }),
          add('b', [9, 9]),
          add('c', [5, 5]),
        ])
        const vectors = [Float32Array.of(0, 1), Float32Array.of(9, 8)]
        const { hits } = await collection.query({ vectors, k: 2, include: { documents: true, metadatas: true } })
        expect(hits.map((hit) => hit.ids)).toEqual([
          ['a', 'c'],
          ['b', 'c'],
        ])
        expect(hits[0]?.documents).toEqual(['A', null])
        expect(hits[0]?.metadatas).toEqual(['{"x":1}', null])
        expect(hits[0]?.embeddings).toBeUndefined()
        expect((await collection.query({ vectors: [], k: 2, include: {} })).hits).toEqual([])
      })

      it('names an id that does not exist', async () => {
        await collection.write([add('a', [0, 0])])
        const request = { vectors: [Float32Array.of(0, 1)], k: 2, include: {}, ids: ['a', 'nobody'] }
        await expect(collection.query(request)).rejects.toMatchObject({ kind: 'not-found', code: 'id-missing' })
      })
    })

    describe('dimension', () => {
      it('is fixed by the first vector and outlives the records', async () => {
        await collection.write([add('a', [1, 2])])
        expect(await collection.dimension()).toBe(2)
        await collection.write([remove('a')])
        expect(await collection.dimension()).toBe(2)
      })

      it('refuses whole writes and queries of another', async () => {
        await collection.write([add('a', [1, 2])])
        const error = {
          kind: 'invalid',
          code: 'dimension-mismatch',
          message: 'Collection expecting embedding with dimension of 2, got 1',
        }
        await expect(collection.write([add('b', [1, 2]), add('c', [1])])).rejects.toMatchObject(error)
        await expect(collection.write([update('a', { vector: [1] })])).rejects.toMatchObject(error)
        const request = { vectors: [Float32Array.of(1)], k: 1, include: {} }
        await expect(collection.query(request)).rejects.toMatchObject(error)
        expect(await ids()).toEqual(['a'])
      })

      it('refuses a first batch of several', async () => {
        await expect(collection.write([add('a', [1, 2]), add('b', [1])])).rejects.toMatchObject({ kind: 'invalid' })
        expect(await collection.dimension()).toBeNull()
        await collection.write([add('a', [1, 2, 3])])
        expect(await collection.dimension()).toBe(3)
      })
    })
  })
}
