/** What the library's collections do, over any engine. */
import { beforeEach, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import type { Environment } from '../ports/environment.ts'
import type { StoreCollection } from './collection.ts'
import type { EmbeddingFunction } from './embedding-function.ts'
import type { Store } from './store.ts'

/** Opens what lies in an environment. */
type Open = (environment: Environment, options?: { allowReset: boolean }) => Promise<Store>

export function describeLibrary(name: string, open: Open): void {
  describe(`${name}: a store in process`, () => {
    let environment: Environment
    let store: Store
    let stones: StoreCollection

    beforeEach(async () => {
      environment = memoryEnvironment({ seed: 3 })
      store = await open(environment)
      stones = await store.createCollection({ name: 'stones' })
    })

    const three = {
      ids: ['a', 'b', 'c'],
      embeddings: [
        [1, 0],
        [0, 1],
        [3, 3],
      ],
      documents: ['red granite', 'grey slate', 'red marble'],
      metadatas: [{ n: 1, hard: true }, { n: 2.5 }, null],
    }

    describe('upkeep', () => {
      it('counts fields, keeps snapshots by name, verifies and measures recall', async () => {
        await stones.add(three)
        expect(await stones.state()).toMatchObject({ version: 1, records: 3, dimension: 2 })
        const { fields } = await stones.fields({ where: { hard: true }, values: 1 })
        expect(fields.map(({ key, values }) => [key, values])).toEqual([
          ['hard', [{ value: true, records: 1 }]],
          ['n', [{ value: 1, records: 1 }]],
        ])
        const point = await stones.keepSnapshot({ name: 'before' })
        await stones.delete({ ids: ['a', 'b'] })
        expect(await stones.restorePoints()).toEqual([point])
        await stones.rollback(point.snapshot)
        expect(await stones.count()).toBe(3)
        await stones.compact()
        expect(await stones.verify({ deep: true })).toMatchObject({ problems: [], liveRecords: 3 })
        expect(await stones.measureRecall({ k: 1, samples: 2 })).toMatchObject({ queries: 2, recall: 1 })
        await stones.releaseSnapshot('before')
        expect(await stones.restorePoints()).toEqual([])
      })
    })

    describe('records', () => {
      it('come back in order of insertion, in the shapes of the chromadb client', async () => {
        expect(await stones.add(three)).toEqual({ version: 1 })
        const found = await stones.get({ ids: ['c', 'a', 'zz'], include: ['documents', 'metadatas', 'embeddings'] })
        expect(found.ids).toEqual(['a', 'c'])
        expect(found.embeddings).toEqual([
          [1, 0],
          [3, 3],
        ])
        expect(found.uris).toEqual([])
        expect(found.rows()).toEqual([
          { id: 'a', document: 'red granite', embedding: [1, 0], metadata: { n: 1, hard: true }, uri: undefined },
          { id: 'c', document: 'red marble', embedding: [3, 3], metadata: null, uri: undefined },
        ])
        expect((await stones.peek({ limit: 1 })).ids).toEqual(['a'])
        expect(await stones.count()).toBe(3)
      })

      it('add keeps, upsert merges, update passes over, delete counts exactly', async () => {
        await stones.add(three)
        await stones.add({ ids: ['a'], embeddings: [[9, 9]], documents: ['ignored'] })
        await stones.upsert({
          ids: ['a', 'd'],
          embeddings: [[5, 5], new Float32Array([7, 7])],
          metadatas: [{ n: null, m: 'x' }, { m: 'y' }],
        })
        await stones.update({ ids: ['b', 'nobody'], metadatas: [{ n: 3 }, { n: 3 }] })
        const rows = (await stones.get({ include: ['metadatas', 'embeddings', 'documents'] })).rows()
        expect(rows.map(({ id, metadata, embedding, document }) => [id, metadata, embedding, document])).toEqual([
          ['a', { hard: true, m: 'x' }, [5, 5], 'red granite'],
          ['b', { n: 3 }, [0, 1], 'grey slate'],
          ['c', null, [3, 3], 'red marble'],
          ['d', { m: 'y' }, [7, 7], null],
        ])
        expect(await stones.delete({ ids: ['a', 'nobody'] })).toMatchObject({ deleted: 1 })
        expect(await stones.delete({ where: { m: { $in: ['y', 'z'] } } })).toMatchObject({ deleted: 1 })
        expect(await stones.delete({ whereDocument: { $contains: 're' }, limit: 1 })).toMatchObject({ deleted: 1 })
        expect((await stones.get()).ids).toEqual(['c'])
      })

      it('keep integers, floats and big integers apart', async () => {
        const big = 2n ** 60n
        await stones.add({
          ids: ['a'],
          embeddings: [[1]],
          metadatas: [{ i: 1, f: 1.5, big, list: [1, 2], none: [] as number[] }],
        })
        expect((await stones.get()).metadatas).toEqual([{ i: 1, f: 1.5, big, list: [1, 2] }])
        expect((await stones.get({ where: { big: { $gte: big } } })).ids).toEqual(['a'])
      })

      it('are found by filters, limits, offsets and page tokens', async () => {
        await stones.add(three)
        expect((await stones.get({ where: { n: { $lt: 2 } } })).ids).toEqual(['a'])
        expect((await stones.get({ whereDocument: { $regex: '^red' }, offset: 1 })).ids).toEqual(['c'])
        expect((await stones.get({ limit: 0 })).ids).toEqual([])
        const first = await stones.get({ limit: 2 })
        await stones.delete({ ids: ['c'] })
        const second = await stones.get({ limit: 2, pageToken: first.pageToken })
        expect([first.ids, second.ids, second.pageToken]).toEqual([['a', 'b'], ['c'], undefined])
      })
    })

    describe('query', () => {
      it('ranks, filters and answers in the shape of the client', async () => {
        await stones.add(three)
        const found = await stones.query({
          queryEmbeddings: [
            [1, 0],
            [0, 1],
          ],
          nResults: 2,
        })
        expect(found.ids).toEqual([
          ['a', 'b'],
          ['b', 'a'],
        ])
        expect(found.distances).toEqual([
          [0, 2],
          [0, 2],
        ])
        expect(found.rows()[0]?.[0]).toEqual({
          id: 'a',
          document: 'red granite',
          metadata: { n: 1, hard: true },
          distance: 0,
          embedding: undefined,
          uri: undefined,
        })
        expect((await stones.query({ queryEmbeddings: [[1, 0]], where: { n: { $gt: 2 } }, include: [] })).ids).toEqual([
          ['b'],
        ])
        await expect(stones.query({ queryEmbeddings: [[1, 0]], ids: ['nobody'] })).rejects.toMatchObject({
          kind: 'not-found',
        })
      })

      it('embeds texts by meaning where no vectors are given', async () => {
        const notes = await store.createCollection({ name: 'notes', configuration: { hnsw: { space: 'cosine' } } })
        await notes.add({
          ids: ['river', 'cake', 'price'],
          documents: [
            'Sediment settles where the water slows down.',
            'Beat two eggs with sugar and flour.',
            'The invoice is due in thirty days.',
          ],
        })
        const found = await notes.query({
          queryTexts: ['why do streams drop mud?', 'how is a dessert baked?', 'when must I pay?'],
          nResults: 1,
        })
        expect(found.ids).toEqual([['river'], ['cake'], ['price']])
        await notes.update({ ids: ['cake'], documents: ['The bill has to be settled within a month.'] })
        expect((await notes.query({ queryTexts: ['when must I pay?'], nResults: 2 })).ids[0]?.sort()).toEqual([
          'cake',
          'price',
        ])
      })

      it("uses the caller's embedding function, and none when it is null", async () => {
        const byLength: EmbeddingFunction = {
          name: 'by-length',
          generate: async (texts) => texts.map((text) => [text.length, 0]),
          generateForQueries: async (texts) => texts.map((text) => [text.length + 1, 0]),
          getConfig: () => ({ unit: 'letters' }),
          defaultSpace: () => 'ip',
        }
        const lengths = await store.createCollection({ name: 'lengths', embeddingFunction: byLength })
        expect(lengths.space).toBe('ip')
        expect(lengths.configuration['embedding_function']).toEqual({
          type: 'known',
          name: 'by-length',
          config: { unit: 'letters' },
        })
        await lengths.add({ ids: ['x'], documents: ['four'] })
        expect((await lengths.query({ queryTexts: ['abc'], include: ['distances'] })).distances).toEqual([[1 - 4 * 4]])
        const bare = await store.getCollection({ name: 'lengths', embeddingFunction: null })
        await expect(bare.add({ ids: ['y'], documents: ['text'] })).rejects.toMatchObject({ code: 'embedding-missing' })
        const unknown = await store.getCollection({ name: 'lengths' })
        await expect(unknown.query({ queryTexts: ['x'] })).rejects.toMatchObject({
          code: 'embedding-function-unsupported',
        })
      })
    })

    describe('versions', () => {
      it('reads the past, waits for a version, goes back to a snapshot', async () => {
        const { version } = await stones.add(three)
        await stones.compact()
        expect(await stones.count({ readLevel: 'index_only' })).toBe(3)
        const [snapshot] = await stones.snapshots()
        await stones.delete({ ids: ['a'] })
        expect(await stones.count({ at: version })).toBe(3)
        expect((await stones.get({ at: version, limit: 1 })).ids).toEqual(['a'])
        expect(await stones.count({ atLeast: 2 })).toBe(2)
        await expect(stones.count({ at: 99 })).rejects.toMatchObject({ kind: 'not-found' })
        await stones.rollback(snapshot?.name ?? '')
        expect(await stones.count()).toBe(3)
        expect(await stones.getIndexingStatus()).toMatchObject({ totalOps: 4 })
      })

      it('forks', async () => {
        await stones.add(three)
        const fork = await stones.fork({ name: 'pebbles' })
        await fork.delete({ ids: ['a'] })
        expect([await stones.count(), await fork.count(), await stones.forkCount()]).toEqual([3, 2, 1])
      })
    })

    describe('collections', () => {
      it('are made, found, listed, changed and deleted', async () => {
        const same = await store.getOrCreateCollection({ name: 'stones', metadata: { ignored: true } })
        expect([same.id, same.metadata]).toEqual([stones.id, undefined])
        await expect(store.createCollection({ name: 'stones' })).rejects.toMatchObject({ kind: 'conflict' })
        await stones.modify({
          name: 'rocks',
          metadata: { kind: 'hard', n: 2 },
          configuration: { hnsw: { ef_search: 7 } },
        })
        expect([stones.name, stones.metadata]).toEqual(['rocks', { kind: 'hard', n: 2 }])
        const found = await store.getCollection({ name: 'rocks' })
        expect(found.configuration['hnsw']).toMatchObject({ ef_search: 7, space: 'l2' })
        expect((await store.getCollectionById(stones.id)).name).toBe('rocks')
        expect((await store.listCollections()).map(({ name }) => name)).toEqual(['rocks'])
        expect(await store.countCollections()).toBe(1)
        await store.deleteCollection({ name: 'rocks' })
        await expect(store.getCollection({ name: 'rocks' })).rejects.toMatchObject({ kind: 'not-found' })
        await expect(stones.add({ ids: ['x'], embeddings: [[1]] })).rejects.toMatchObject({ kind: 'not-found' })
      })

      it('live in tenants and databases', async () => {
        await store.createTenant({ name: 'quarry' })
        await store.createDatabase({ name: 'north', tenant: 'quarry' })
        const north = store.in({ tenant: 'quarry', database: 'north' })
        await north.createCollection({ name: 'stones' })
        expect(await north.countCollections()).toBe(1)
        expect((await store.listDatabases({ tenant: 'quarry' })).map(({ name }) => name)).toEqual(['north'])
        expect(await store.getTenant({ name: 'quarry' })).toBe('quarry')
        await store.deleteDatabase({ name: 'north', tenant: 'quarry' })
        await expect(store.getDatabase({ name: 'north', tenant: 'quarry' })).rejects.toMatchObject({
          kind: 'not-found',
        })
      })

      it('are all deleted by reset, where it is allowed', async () => {
        await expect(store.reset()).rejects.toMatchObject({ kind: 'forbidden' })
        const resettable = await open(environment, { allowReset: true })
        await resettable.reset()
        expect(await resettable.countCollections()).toBe(0)
        expect(await store.heartbeat()).toBeGreaterThan(1e18)
      })
    })

    describe('what is refused', () => {
      const cases: [string, () => Promise<unknown>, string][] = [
        ['no ids', () => stones.add({ ids: [], embeddings: [] }), 'ids'],
        ['an id twice', () => stones.add({ ids: ['a', 'a'], embeddings: [[1], [2]] }), 'ids'],
        ['an empty id', () => stones.get({ ids: [''] }), 'ids[0]'],
        ['lists of other lengths', () => stones.add({ ids: ['a'], embeddings: [[1], [2]] }), 'embeddings'],
        ['neither vector nor text', () => stones.add({ ids: ['a'], metadatas: [{ n: 1 }] }), 'embeddings[0]'],
        ['a vector with NaN', () => stones.add({ ids: ['a'], embeddings: [[Number.NaN]] }), 'embeddings[0]'],
        ['a vector too large for f32', () => stones.add({ ids: ['a'], embeddings: [[1e39]] }), 'embeddings[0]'],
        ['an empty vector', () => stones.add({ ids: ['a'], embeddings: [[]] }), 'embeddings[0]'],
        ['another dimension', () => stones.add({ ids: ['a', 'b'], embeddings: [[1], [1, 2]] }), 'embeddings[1]'],
        [
          'null metadata in add',
          () => stones.add({ ids: ['a'], embeddings: [[1]], metadatas: [{ n: null }] }),
          'metadatas[0].n',
        ],
        ['an unknown include', () => stones.get({ include: ['all' as 'uris'] }), 'include'],
        ['nResults 0', () => stones.query({ queryEmbeddings: [[1]], nResults: 0 }), 'nResults'],
        ['no query', () => stones.query({}), 'queryEmbeddings'],
        ['a bad filter', () => stones.get({ where: { a: 1, b: 2 } }), 'where'],
        ['a limit without a filter', () => stones.delete({ ids: ['a'], limit: 1 }), 'limit'],
        ['a delete of nothing', () => stones.delete({ ids: [] }), 'ids'],
        [
          'an unknown space',
          () => store.createCollection({ name: 'bad', configuration: { hnsw: { space: 'foo' as 'l2' } } }),
          'configuration.hnsw.space',
        ],
        ['empty metadata', () => store.createCollection({ name: 'bad', metadata: {} }), 'metadata'],
        ['a bad name', () => store.createCollection({ name: 'a' }), 'name'],
        [
          'an unchangeable setting',
          () => stones.modify({ configuration: { hnsw: { space: 'ip' } as object } }),
          'configuration.hnsw.space',
        ],
      ]
      it.each(cases)('%s', async (_, call, field) => {
        await expect(call()).rejects.toMatchObject({ kind: 'invalid', field })
        expect(await stones.count()).toBe(0)
      })
    })
  })
}
