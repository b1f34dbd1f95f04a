import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryEnvironment, testApi } from 'siltstone/testing'
import { type HttpClient, newConfiguration, StoreEngine } from 'siltstone/internal'
import { recordOp } from '../target.ts'
import { someRecords } from '../testing/array-source.ts'
import type { Skipped, SourceReader, SourceRecord } from '../types.ts'
import { openChromaServer } from './server-source.ts'

const place = { tenant: 'default_tenant', database: 'default_database' }
const env = memoryEnvironment()
const instant = { ...env.clock, sleep: async () => {} }
let engine: StoreEngine
let http: HttpClient
let requests: { url: string; body: Record<string, unknown>; headers: Record<string, string> }[]

beforeEach(async () => {
  engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { app } = testApi(engine)
  requests = []
  http = async (url, init) => {
    requests.push({
      url,
      headers: init.headers,
      body: init.body === undefined ? {} : (JSON.parse(init.body) as object as Record<string, unknown>),
    })
    return app.request(url.replace('http://chroma', ''), { ...init, signal: null })
  }
})
afterEach(() => engine.close())

async function filled(count: number): Promise<SourceRecord[]> {
  const { info } = await engine.catalog.createCollection({
    ...place,
    name: 'notes',
    getOrCreate: false,
    metadata: '{"title":"x","f":2.0}',
    schema: null,
    ...newConfiguration({ configuration: { hnsw: { space: 'ip' } } }),
  })
  const records = someRecords(count)
  const collection = await engine.collection(place.tenant, place.database, info.id)
  await collection.write(records.map((record) => recordOp('add', record)))
  return records
}

async function reader(more: Partial<Parameters<typeof openChromaServer>[0]> = {}): Promise<SourceReader> {
  const source = await openChromaServer({ url: 'http://chroma/', http, clock: instant, random: env.random, ...more })
  const [collection] = await source.collections()
  if (collection === undefined) throw new Error('no collection')
  return source.open(collection)
}

async function all(from: SourceReader, after: string | null = null): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  for await (const page of from.pages(after)) records.push(...page.records)
  return records
}

describe('a Chroma server as a source', () => {
  it('reads every record exactly, in order, after any cursor', async () => {
    const records = await filled(4_500)
    const from = await reader()
    expect(from.collection).toMatchObject({
      name: 'notes',
      space: 'ip',
      metadata: '{"title":"x","f":2.0}',
      dimension: 4,
    })
    expect(await from.count()).toBe(4_500)
    expect(await all(from)).toEqual(records)
    const cursors: string[] = []
    for await (const { cursor } of from.pages(null)) cursors.push(cursor)
    expect(cursors).toEqual(['2000', '4000', '4500'])
    expect(await all(from, '4000')).toEqual(records.slice(4_000))
    expect([...(await from.fetch(['r7', 'no-such-id', 'r4000'])).values()]).toEqual([records[7], records[4_000]])
    const ids: string[] = []
    for await (const page of from.ids?.() ?? []) ids.push(...page)
    expect(ids).toEqual(records.map(({ id }) => id))
  })

  it('reads the space of Chroma 0.6 from the metadata, not from the configuration', async () => {
    await filled(1)
    const good = http
    http = async (url, init) => {
      const answer = await good(url, init)
      if (!/collections\?limit/.test(url)) return answer
      const [collection] = JSON.parse(await answer.text()) as [object]
      const old = { hnsw_configuration: { space: 'l2', _type: 'HNSWConfigurationInternal' } }
      return Response.json([{ ...collection, configuration_json: old, metadata: { 'hnsw:space': 'cosine' } }])
    }
    expect((await reader()).collection).toMatchObject({ space: 'cosine', hnsw: null, embeddingFunction: null })
  })

  it('sends the token with every request', async () => {
    await filled(1)
    await all(await reader({ headers: { 'x-chroma-token': 'secret' } }))
    expect(requests.length).toBeGreaterThan(3)
    expect(requests.every(({ headers }) => headers['x-chroma-token'] === 'secret')).toBe(true)
  })

  it('retries after a temporary failure', async () => {
    const records = await filled(10)
    const good = http
    let failures = 0
    http = async (url, init) => {
      if (++failures % 3 === 1) throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
      if (failures % 3 === 2) return new Response('busy', { status: 503 })
      return good(url, init)
    }
    expect(await all(await reader())).toEqual(records)
    http = async () => {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
    }
    await expect(reader()).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('respects the quota of Chroma Cloud', async () => {
    const records = await filled(700)
    const good = http
    http = async (url, init) => {
      const body = JSON.parse(init.body ?? '{}') as { limit?: number; ids?: string[] }
      const asked = Math.max(body.limit ?? 0, body.ids?.length ?? 0)
      if (asked > 300) return new Response(`{"error":"ChromaError","message":"Quota exceeded: limit"}`, { status: 422 })
      return good(url, init)
    }
    const from = await reader()
    expect(await all(from)).toEqual(records)
    expect((await from.fetch(records.map(({ id }) => id))).size).toBe(700)
  })

  it('refuses servers without the v2 API', async () => {
    const answer = (status: number) => (http = async () => new Response('no', { status }))
    answer(404)
    await expect(reader()).rejects.toMatchObject({ kind: 'unsupported', code: 'chroma-api' })
    answer(401)
    await expect(reader()).rejects.toMatchObject({ kind: 'unauthorized' })
    answer(403)
    await expect(reader()).rejects.toMatchObject({ kind: 'forbidden' })
    await expect(reader({ url: 'chroma:8000' })).rejects.toMatchObject({ kind: 'invalid', code: 'bad-url' })
  })

  it('finds the records that the server cannot return, and keeps the others', async () => {
    const records = await filled(90)
    const good = http
    // The server answers 500 for r7, and an infinity, which is not JSON, for r80.
    http = async (url, init) => {
      const answer = await good(url, init)
      if (!url.endsWith('/get') || (JSON.parse(init.body ?? '{}') as { include: string[] }).include.length === 0)
        return answer
      const text = await answer.text()
      if (/"r7"/.test(text)) return new Response('{"error":"InternalError"}', { status: 500 })
      return new Response(text.replace('"r80"', 'Infinity'), { status: 200 })
    }
    const from = await reader()
    const found: string[] = []
    const skipped: Skipped[] = []
    for await (const page of from.pages(null)) {
      found.push(...page.records.map(({ id }) => id))
      skipped.push(...page.skipped)
    }
    expect(found).toEqual(records.map(({ id }) => id).filter((id) => id !== 'r7' && id !== 'r80'))
    expect(skipped).toMatchObject([
      { id: 'r7', kind: 'record', reason: expect.stringContaining('InternalError') },
      { id: 'r80', kind: 'record', reason: expect.stringContaining('not JSON') },
    ])
    expect((await from.fetch(['r7', 'r8', 'r80'])).size).toBe(1)
  })

  it('lists the other collections when one cannot be read', async () => {
    await filled(3)
    for (const name of ['after', 'broken', 'inf'])
      await engine.catalog.createCollection({
        ...place,
        name,
        getOrCreate: false,
        metadata: null,
        schema: null,
        ...newConfiguration({}),
      })
    const good = http
    http = async (url, init) => {
      const answer = await good(url, init)
      if (!/collections\?limit/.test(url)) return answer
      const text = await answer.text()
      return new Response(
        text
          .replace(/("name":"broken".*?"space":)"l2"/, '$1"manhattan"')
          .replace(/("name":"inf".*?"metadata":)null/, '$1{"threshold":Infinity}'),
      )
    }
    const source = await openChromaServer({ url: 'http://chroma', http, clock: instant, random: env.random })
    const collections = await source.collections()
    expect(collections.map(({ name, problem }) => [name, problem?.code])).toEqual([
      ['after', undefined],
      ['broken', 'space'],
      [expect.stringMatching(/^collection number \d of the list$/), 'source-answer'],
      ['notes', undefined],
    ])
  })
})
