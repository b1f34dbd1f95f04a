/** The unchanged `chromadb` JavaScript client against a listening server over any engine. */
import {
  ChromaClient,
  type Collection,
  type EmbeddingFunction,
  IncludeEnum,
  Schema,
  StringInvertedIndexConfig,
} from 'chromadb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../model/store.ts'
import { tokenAuthenticator } from './auth.ts'
import type { RunningServer } from './server.ts'
import { startTestServer } from './testing/server.ts'

/** [length, vowels, 1] */
const toyFunction: EmbeddingFunction = {
  name: 'toy-letters',
  generate: async (texts) => texts.map((text) => [text.length, (text.match(/[aeiou]/g) ?? []).length, 1]),
  getConfig: () => ({ letters: 'all' }),
}

/** @param makeEngine a fresh, empty store for every test */
export function describeChromadbClient(name: string, makeEngine: () => Promise<Engine>): void {
  describe(`the chromadb client over ${name}`, () => {
    let server: RunningServer
    let client: ChromaClient
    beforeEach(async () => {
      server = await startTestServer({ engine: await makeEngine(), allowReset: true })
      client = new ChromaClient({ host: '127.0.0.1', port: server.port })
    })
    afterEach(() => server.close())

    const things = (more: object = {}): Promise<Collection> =>
      client.createCollection({ name: 'things', embeddingFunction: toyFunction, ...more })

    it('knows the server', async () => {
      expect(await client.heartbeat()).toBeGreaterThan(1.7e18)
      expect(await client.version()).toBe('1.0.0')
      expect(await client.getMaxBatchSize()).toBe(5461)
      expect(await client.supportsBase64Encoding()).toBe(true)
      expect(await client.getUserIdentity()).toEqual({
        user_id: '',
        tenant: 'default_tenant',
        databases: ['default_database'],
      })
    })

    it('keeps collections', async () => {
      const made = await things({ metadata: { owner: 'me', level: 3 }, configuration: { hnsw: { space: 'cosine' } } })
      expect(made.metadata).toEqual({ owner: 'me', level: 3 })
      expect(made.configuration.hnsw?.space).toBe('cosine')
      expect(made.configuration.embeddingFunction ?? made.configuration).toBeDefined()
      expect(await client.countCollections()).toBe(1)
      expect((await client.listCollections()).map(({ name }) => name)).toEqual(['things'])
      await expect(things()).rejects.toMatchObject({ name: 'ChromaUniqueError' })
      const same = await client.getOrCreateCollection({ name: 'things', embeddingFunction: toyFunction })
      expect(same.id).toBe(made.id)
      await made.modify({ name: 'renamed', metadata: { owner: 'you' } })
      const renamed = await client.getCollection({ name: 'renamed', embeddingFunction: toyFunction })
      expect([renamed.id, renamed.metadata]).toEqual([made.id, { owner: 'you' }])
      await expect(client.getCollection({ name: 'things' })).rejects.toMatchObject({ name: 'ChromaNotFoundError' })
      await client.deleteCollection({ name: 'renamed' })
      expect(await client.countCollections()).toBe(0)
      await expect(client.createCollection({ name: 'x', embeddingFunction: toyFunction })).rejects.toMatchObject({
        name: 'ChromaClientError',
      })
    })

    it('adds, gets, queries, changes and deletes records', async () => {
      const collection = await things()
      await collection.add({
        ids: ['a', 'b', 'c'],
        documents: ['apple', 'fig', 'strawberry'],
        metadatas: [{ n: 1, ripe: true, tags: ['x', 'y'] }, { n: 2, price: 1.25 }, { n: 3 }],
        uris: ['u:a', 'u:b', 'u:c'],
      })
      expect(await collection.count()).toBe(3)
      const all = await collection.get({
        include: [IncludeEnum.embeddings, IncludeEnum.documents, IncludeEnum.metadatas, IncludeEnum.uris],
      })
      expect(all.ids).toEqual(['a', 'b', 'c'])
      expect(all.embeddings).toEqual([
        [5, 2, 1],
        [3, 1, 1],
        [10, 2, 1],
      ])
      expect(all.metadatas).toEqual([{ n: 1, ripe: true, tags: ['x', 'y'] }, { n: 2, price: 1.25 }, { n: 3 }])
      expect(all.uris).toEqual(['u:a', 'u:b', 'u:c'])
      const found = await collection.query({ queryTexts: ['grape', 'kiw'], nResults: 1 })
      expect([found.ids, found.documents]).toEqual([
        [['a'], ['b']],
        [['apple'], ['fig']],
      ])
      expect(found.distances[0]?.[0]).toBe(0)
      const filtered = await collection.query({
        queryEmbeddings: [[0, 0, 0]],
        where: { $and: [{ n: { $gte: 1.5 } }, { n: { $in: [2, 3] } }] },
        whereDocument: { $contains: 'berry' },
      })
      expect(filtered.ids).toEqual([['c']])
      expect((await collection.get({ where: { tags: { $contains: 'y' } } })).ids).toEqual(['a'])
      await collection.update({ ids: ['a'], documents: ['avocado'], metadatas: [{ n: 9 }] })
      await collection.upsert({
        ids: ['b', 'd'],
        documents: ['date', 'elderberry'],
        metadatas: [{ sweet: true }, { n: 4 }],
      })
      const changed = await collection.get({ ids: ['a', 'b', 'd'] })
      expect(changed.documents).toEqual(['avocado', 'date', 'elderberry'])
      expect(changed.metadatas).toEqual([
        { n: 9, ripe: true, tags: ['x', 'y'] },
        { n: 2, price: 1.25, sweet: true },
        { n: 4 },
      ])
      expect((await collection.peek({ limit: 2 })).ids).toEqual(['a', 'b'])
      const { deleted } = await collection.delete({ where: { n: { $lt: 4 } } })
      expect(deleted).toBe(2)
      await collection.delete({ ids: ['d'] })
      expect((await collection.get()).ids).toEqual(['a'])
    })

    it('maps errors', async () => {
      const collection = await things()
      await collection.add({ ids: ['a'], embeddings: [[1, 2]] })
      const short = collection.add({ ids: ['b'], embeddings: [[1]] })
      await expect(short).rejects.toMatchObject({
        name: 'ChromaClientError',
        message: expect.stringContaining('dimension of 2, got 1'),
      })
      await expect(collection.query({ queryEmbeddings: [[1, 2]], ids: ['nope'] })).rejects.toMatchObject({
        name: 'ChromaServerError',
      })
      await client.deleteCollection({ name: 'things' })
      await expect(collection.count()).rejects.toMatchObject({ name: 'ChromaNotFoundError' })
    })

    it('works through handles, forks and reads the index’s state', async () => {
      const collection = await things()
      const handle = client.collection(collection.id)
      await handle.add({
        ids: ['a', 'b'],
        embeddings: [
          [1, 2],
          [3, 4],
        ],
      })
      const fork = await collection.fork({ name: 'copy' })
      await fork.delete({ ids: ['a'] })
      expect([await fork.count(), await handle.count(), await collection.forkCount()]).toEqual([1, 2, 1])
      const status = await collection.getIndexingStatus()
      expect(status.total_ops).toBe(2)
      const byId = await client.getCollectionById(collection.id)
      expect(byId.name).toBe('things')
    })

    it('reads its schema back', async () => {
      const schema = new Schema().deleteIndex(new StringInvertedIndexConfig(), 'secret')
      const collection = await client.createCollection({ name: 'typed', schema, embeddingFunction: null })
      expect(collection.schema?.keys['secret']?.string?.stringInvertedIndex?.enabled).toBe(false)
      expect(collection.schema?.keys['#document']?.string?.ftsIndex?.enabled).toBe(true)
      await expect(collection.get({ where: { secret: 'x' } })).rejects.toMatchObject({ name: 'ChromaClientError' })
    })

    it('administers and resets', async () => {
      const { AdminClient } = await import('chromadb')
      const admin = new AdminClient({ host: '127.0.0.1', port: server.port, ssl: false })
      await admin.createTenant({ name: 'acme' })
      await admin.createDatabase({ tenant: 'acme', name: 'archive' })
      expect(await admin.getDatabase({ tenant: 'acme', name: 'archive' })).toMatchObject({
        name: 'archive',
        tenant: 'acme',
      })
      expect((await admin.listDatabases({ tenant: 'acme' })).map(({ name }) => name)).toEqual(['archive'])
      const inside = new ChromaClient({ host: '127.0.0.1', port: server.port, tenant: 'acme', database: 'archive' })
      await inside.createCollection({ name: 'things', embeddingFunction: toyFunction })
      expect([await inside.countCollections(), await client.countCollections()]).toEqual([1, 0])
      await admin.deleteDatabase({ tenant: 'acme', name: 'archive' })
      await expect(admin.getDatabase({ tenant: 'acme', name: 'archive' })).rejects.toMatchObject({
        name: 'ChromaNotFoundError',
      })
      await client.reset()
      await expect(admin.getTenant({ name: 'acme' })).rejects.toMatchObject({ name: 'ChromaNotFoundError' })
    })

    it('takes tenant and database from its token', async () => {
      const engine = await makeEngine()
      await engine.catalog.createTenant('acme')
      await engine.catalog.createDatabase('acme', 'prod')
      const tokens = [{ token: 'secret', user: 'app', role: 'write', tenants: ['acme'], databases: ['prod'] }]
      const secured = await startTestServer({ engine, auth: tokenAuthenticator(JSON.stringify(tokens)) })
      const options = { host: '127.0.0.1', port: secured.port }
      const app = new ChromaClient({ ...options, headers: { 'x-chroma-token': 'secret' } })
      Object.assign(app, { _tenant: undefined, _database: undefined })
      const collection = await app.createCollection({ name: 'things', embeddingFunction: toyFunction })
      expect([collection.tenant, collection.database]).toEqual(['acme', 'prod'])
      const stranger = new ChromaClient(options)
      await expect(stranger.countCollections()).rejects.toMatchObject({ name: 'ChromaAuthError' })
      const elsewhere = new ChromaClient({ ...options, headers: { authorization: 'Bearer secret' } })
      await expect(elsewhere.countCollections()).rejects.toMatchObject({ name: 'ChromaForbiddenError' })
      await secured.close()
    })
  })
}
