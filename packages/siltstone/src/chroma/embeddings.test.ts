/** The embedding store over HTTP. */
import { beforeEach, describe, expect, it } from 'vitest'
import { MemoryObjectStore } from '../drivers/memory/memory-object-store.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { EmbeddingStore } from '../embed/store.ts'
import { contentId } from '../embed/stored-embedding.ts'
import { unauthorized } from '../errors.ts'
import { tokenAuthenticator } from '../server/auth.ts'
import { CountingEmbedder } from '../testing/counting-embedder.ts'
import { ModelEngine } from '../testing/model.ts'
import { expectError, type TestApi, testApi } from './testing/api.ts'

let objects: MemoryObjectStore
let embedder: CountingEmbedder
let api: TestApi

function open(options: object = {}): TestApi {
  const store = new EmbeddingStore({ store: objects })
  return testApi(new ModelEngine(), { embeddings: { store, embedder: () => embedder }, ...options })
}
beforeEach(() => {
  objects = new MemoryObjectStore({ clock: ManualClock.skippingSleeps() })
  embedder = new CountingEmbedder()
  api = open()
})
const keys = async () => (await objects.list('')).objects.map(({ key }) => key)

describe('/embeddings', () => {
  it('puts, gets and deletes by id', async () => {
    const put = await api.call('PUT', '/embeddings/doc-1', { embedding: [0.1, 2], model: 'm' })
    expect(put.json).toEqual({ id: 'doc-1', dimension: 2, stored_in_s3: true, s3_key: 'embeddings/doc-1.json.gz' })
    const got = await api.call('GET', '/embeddings/doc-1')
    expect(got.text).toBe('{"id":"doc-1","embedding":[0.1,2.0],"dimension":2,"model":"m"}')
    expect((await api.call('DELETE', '/embeddings/doc-1')).json).toEqual({ id: 'doc-1' })
    expectError(await api.call('GET', '/embeddings/doc-1'), 404, 'NotFoundError', /No embedding.*"doc-1"/)
    expect((await api.call('DELETE', '/embeddings/doc-1')).status).toBe(200)
    expect(await keys()).toEqual([])
  })

  it('keeps one object per id, plain or compressed', async () => {
    await api.call('PUT', '/embeddings/a', { embedding: [1] })
    await api.call('PUT', '/embeddings/a', { embedding: [2], compress: false })
    expect(await keys()).toEqual(['embeddings/a.json'])
    expect((await api.call('GET', '/embeddings/a')).json).toMatchObject({ embedding: [2], model: null })
    await api.call('PUT', '/embeddings/a', { embedding: [3] })
    expect(await keys()).toEqual(['embeddings/a.json.gz'])
    expect((await api.call('GET', '/embeddings/a')).json.embedding).toEqual([3])
  })

  it('generates on a miss, stores, and reads the next time', async () => {
    const body = { text: 'silt', embedding_id: 'a', store_in_s3: true }
    const first = await api.call('POST', '/embeddings/generate', body)
    expect(first.json).toEqual({
      embedding_id: 'a',
      embedding: [4, 115],
      dimension: 2,
      model: 'counting-1',
      processing_time_ms: expect.any(Number),
      stored_in_s3: true,
      s3_key: 'embeddings/a.json.gz',
    })
    for (const again of [body, { ...body, store_in_s3: false }])
      expect((await api.call('POST', '/embeddings/generate', again)).json).toMatchObject({ s3_key: first.json.s3_key })
    expect(embedder.asked).toEqual(['silt'])
    await api.call('POST', '/embeddings/generate', { ...body, text: 'clay' })
    expect(embedder.asked).toEqual(['silt', 'clay'])
  })

  it('stores nothing unless it is told to, and names by content what has no id', async () => {
    const body = { text: 'silt' }
    expect((await api.call('POST', '/embeddings/generate', body)).json).toMatchObject({
      embedding_id: contentId('counting-1', 'silt'),
      stored_in_s3: false,
      s3_key: null,
    })
    expect(await keys()).toEqual([])
    await api.call('POST', '/embeddings/generate', { ...body, store_in_s3: true })
    expect(await keys()).toEqual([`embeddings/${contentId('counting-1', 'silt')}.json.gz`])
  })

  it.each([
    ['PUT', '/embeddings/a', { embedding: [] }, 400],
    ['PUT', '/embeddings/a', { embedding: [1, null] }, 422],
    ['PUT', '/embeddings/a', { embedding: 'AAAA' }, 422],
    ['PUT', '/embeddings/a', {}, 422],
    ['PUT', '/embeddings/..%2Fcatalog', { embedding: [1] }, 400],
    ['GET', '/embeddings/..%2Fcatalog', undefined, 400],
    ['DELETE', '/embeddings/..%2Fcatalog', undefined, 400],
    ['POST', '/embeddings/generate', { embedding_id: 'a' }, 422],
    ['POST', '/embeddings/generate', { text: 'x', embedding_id: '../a', store_in_s3: true }, 400],
  ])('refuses %s %s %j', async (method, path, body, status) => {
    expect((await api.call(method, path, body)).status).toBe(status)
    expect(await keys()).toEqual([])
  })

  it('asks for a token of all tenants and databases, and for the role that the request needs', async () => {
    const token = (name: string, role: string, more: object = {}) => ({ token: name, user: name, role, ...more })
    const tokens = [
      token('reader', 'read', { tenants: ['*'] }),
      token('writer', 'write', { tenants: ['*'] }),
      token('acme', 'admin', { tenants: ['acme'] }),
      token('one-database', 'admin', { tenants: ['*'], databases: ['prod'] }),
    ]
    api = open({ auth: tokenAuthenticator(JSON.stringify(tokens)) })
    const status = async (user: string, method: string, path: string, body?: object) =>
      (await api.call(method, path, body, { 'x-chroma-token': user })).status
    for (const user of ['acme', 'one-database']) {
      expect(await status(user, 'PUT', '/embeddings/a', { embedding: [1] })).toBe(403)
      expect(await status(user, 'GET', '/embeddings/a')).toBe(403)
      expect(await status(user, 'DELETE', '/embeddings/a')).toBe(403)
      expect(await status(user, 'POST', '/embeddings/generate', { text: 'x' })).toBe(403)
    }
    expect(await status('reader', 'PUT', '/embeddings/a', { embedding: [1] })).toBe(403)
    expect(await status('reader', 'DELETE', '/embeddings/a')).toBe(403)
    expect(await status('reader', 'POST', '/embeddings/generate', { text: 'x', store_in_s3: true })).toBe(403)
    expect(await status('reader', 'POST', '/embeddings/generate', { text: 'x' })).toBe(200)
    expect(await keys()).toEqual([])
    expect(await status('writer', 'PUT', '/embeddings/a', { embedding: [1] })).toBe(200)
    expect(await status('reader', 'GET', '/embeddings/a')).toBe(200)
  })

  it('writes nothing on a read-only server', async () => {
    api = open({ readOnly: true })
    expect((await api.call('PUT', '/embeddings/a', { embedding: [1] })).status).toBe(403)
    expect((await api.call('POST', '/embeddings/generate', { text: 'x', store_in_s3: true })).status).toBe(403)
    expect((await api.call('POST', '/embeddings/generate', { text: 'x' })).status).toBe(200)
    expect(await keys()).toEqual([])
  })

  it('does not take a refusal by the provider for one of the client', async () => {
    embedder.before = () => Promise.reject(unauthorized('api-key', 'wrong key'))
    expect((await api.call('POST', '/embeddings/generate', { text: 'x' })).status).toBe(503)
  })

  it('says when a server has no embedding store', async () => {
    expect((await testApi(new ModelEngine()).call('GET', '/embeddings/a')).status).toBe(501)
  })
})
