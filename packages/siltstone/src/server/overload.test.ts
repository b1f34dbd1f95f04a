/** Requests that ask for too much, over a real server. */
import { Agent } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { DEFAULT_DATABASE, expectError, testApi } from '../chroma/testing/api.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import type { RunningServer } from './server.ts'
import { send, startTestServer } from './testing/server.ts'

const servers: RunningServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

async function served(options: Parameters<typeof startTestServer>[0] = {}) {
  const engine = await StoreEngine.open({ env: memoryEnvironment({ seed: 1 }) })
  const server = await startTestServer({ engine, ...options })
  servers.push(server)
  return server
}

describe('bodies in flight', () => {
  it('20 of 39 MiB: as many as fit are answered, the others refused at once, and then all are taken', async () => {
    const { url } = await served()
    const agent = new Agent({ keepAlive: true })
    const post = (path: string, body: string) => send(`${url}${DEFAULT_DATABASE}${path}`, agent, 'POST', body)
    const { id } = JSON.parse((await post('/collections', '{"name":"things"}')).text) as { id: string }
    const large = `{"ids":["a"],"embeddings":[[1]],"documents":["${'x'.repeat(10 * 1024 * 1024)}"],"uris":[null],"more":"${'y'.repeat(29 * 1024 * 1024)}"}`
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(`/collections/${id}/upsert`, large)))
    const taken = answers.filter(({ status }) => status === 200)
    const refused = answers.filter(({ status }) => status === 429)
    expect(taken.length).toBeGreaterThanOrEqual(3)
    expect(refused.length).toBeGreaterThan(0)
    expect(taken.length + refused.length).toBe(20)
    for (const { headers, text } of refused) {
      expect(headers).toMatchObject({ 'retry-after': '1', 'x-siltstone-error': 'bodies-in-flight' })
      expect(text).toContain('maxBodiesBytes')
    }
    expect((await post(`/collections/${id}/upsert`, large)).status).toBe(200)
    agent.destroy()
  }, 120_000)
})

describe('requests over a limit', () => {
  it('are refused with the field, the number, the limit and how to raise it', async () => {
    const limits = { maxIds: 3, maxRecords: 3, maxOperands: 4, maxResults: 6 }
    const api = testApi(await StoreEngine.open({ env: memoryEnvironment({ seed: 1 }) }), { limits })
    const path = await api.collection('things')
    const embeddings = [[1], [2], [3], [4]]
    const ids = ['a', 'b', 'c', 'd']
    const where = { k: { $in: [1, 2, 3, 4, 5] } }
    const or = { $or: ids.map((id) => ({ k: id })).concat({ k: 'e' }) }
    const documents = { $or: Array.from({ length: 5 }, (_, i) => ({ $contains: String(i) })) }
    for (const [call, body, field, limit] of [
      ...['get', 'delete', 'query'].map((call) => [call, { ids, query_embeddings: [[1]] }, 'ids', 'maxIds'] as const),
      ...['add', 'upsert', 'update'].map((call) => [call, { ids, embeddings }, 'ids', 'maxRecords'] as const),
      [
        'conditional/commit',
        {
          operations: [0, 1].map(() => ({
            operation: 'upsert',
            payload: { ids: ids.slice(2), embeddings: embeddings.slice(2) },
          })),
        },
        'operations',
        'maxRecords',
      ],
      ['conditional/commit', { read_ids: ids, operations: [] }, 'read_ids', 'maxIds'],
      ['conditional/get', { ids }, 'ids', 'maxIds'],
      ...['get', 'delete', 'query'].flatMap((call) =>
        [{ where }, { where: or }, { where: { $and: [or, or] } }].map(
          (filter) => [call, { ...filter, query_embeddings: [[1]] }, 'where', 'maxOperands'] as const,
        ),
      ),
      ['get', { where_document: documents }, 'where_document', 'maxOperands'],
      ['get', { where_document: { $regex: 'x' } }, 'where_document', 'maxOperands'],
      ['get', { where: { k: 1 }, where_document: { $and: [documents] } }, 'where_document', 'maxOperands'],
      ['query', { query_embeddings: [[1]], n_results: 7 }, 'n_results', 'maxResults'],
      ['query', { query_embeddings: [[1], [1]], n_results: 4 }, 'query_embeddings', 'maxResults'],
      [
        'query',
        { query_embeddings: Array.from({ length: 7 }, () => [1]), n_results: 0 },
        'query_embeddings',
        'maxResults',
      ],
    ] as [string, object, string, string][]) {
      const answer = await api.db('POST', `${path}/${call}`, body)
      expectError(
        answer,
        400,
        'InvalidArgumentError',
        new RegExp(`^${field} has \\d+ .*at most \\d .*--limit ${limit}=`),
      )
    }
    expect((await api.db('POST', `${path}/add`, { ids: ids.slice(1), embeddings: embeddings.slice(1) })).status).toBe(
      201,
    )
    expect((await api.db('POST', `${path}/get`, { where: { k: { $in: [1, 2, 3, 4] } } })).status).toBe(200)
    expect((await api.db('POST', `${path}/query`, { query_embeddings: [[1], [2]], n_results: 3 })).status).toBe(200)
  })

  it('the bounds within a record hold at every door', async () => {
    const env = memoryEnvironment({ seed: 1 })
    const engine = await StoreEngine.open({
      env,
      recordLimits: { maxDocumentBytes: 10, maxMetadataKeys: 1, maxMetadataKeyBytes: 9 },
    })
    const api = testApi(engine)
    const path = await api.collection('things')
    const upsert = (more: object) => api.db('POST', `${path}/upsert`, { ids: ['a'], embeddings: [[1]], ...more })
    expectError(
      await upsert({ documents: ['x'.repeat(11)] }),
      400,
      'InvalidArgumentError',
      /^documents: .*maxDocumentBytes/,
    )
    expectError(await upsert({ metadatas: [{ a: 'x', b: 'y' }] }), 400, 'InvalidArgumentError', /^metadatas: .*2 keys/)
    const operations = [{ operation: 'update', payload: { ids: ['a'], documents: ['x'.repeat(11)] } }]
    expectError(
      await api.db('POST', `${path}/conditional/commit`, { operations }),
      400,
      'InvalidArgumentError',
      /maxDocumentBytes/,
    )
    const created = await api.db('POST', '/collections', { name: 'more', metadata: { a: 'x', b: 'y' } })
    expectError(created, 400, 'InvalidArgumentError', /^metadata: .*of the collection/)
    const changed = await api.db('PUT', path, { new_metadata: { a: 'x', b: 'y' } })
    expectError(changed, 400, 'InvalidArgumentError', /^metadata: .*of the collection/)
    expect((await upsert({ documents: ['x'.repeat(10)], metadatas: [{ a: 1 }] })).status).toBe(200)
  })
})
