import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openApiDocument } from '../chroma/openapi.ts'
import { routes } from '../chroma/routes/table.ts'
import { expectError, type TestApi, testApi } from '../chroma/testing/api.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { tokenAuthenticator } from '../server/auth.ts'
import { ModelEngine } from '../testing/model.ts'
import { siltstoneRoutes } from './index.ts'

const ROOT = '/api/siltstone/v1'
const NOTES = `${ROOT}/tenants/default_tenant/databases/default_database/collections/notes`

let engine: StoreEngine
let api: TestApi
let id: string

beforeEach(async () => {
  engine = await StoreEngine.open({ env: memoryEnvironment() })
  api = testApi(engine, { maintenance: engine.maintenance }, siltstoneRoutes)
  const path = await api.collection('notes', { metadata: { big: 1 } })
  id = path.split('/')[2] as string
  await api.db('POST', `${path}/upsert`, {
    ids: ['a', 'b', 'c'],
    embeddings: [
      [0, 1],
      [1, 0],
      [1, 1],
    ],
    metadatas: [
      { kind: 'x', n: 1, tags: ['p', 'q'] },
      { kind: 'x', n: 2.5 },
      { kind: 'y', ok: true },
    ],
  })
})
afterEach(() => engine.close())

const get = async (path: string) => {
  const answer = await api.call('GET', path)
  expect(answer.status, answer.text).toBe(200)
  return answer.json
}
const post = async (path: string, body?: unknown) => {
  const answer = await api.call('POST', path, body)
  expect(answer.status, answer.text).toBe(200)
  return answer.json
}
const ids = async () => (await api.db('POST', `/collections/${id}/get`, { include: [] })).json.ids

describe('the API of Siltstone', () => {
  it('tells about the server, its tenants and collections', async () => {
    expect(await get(ROOT)).toMatchObject({ role: 'admin', tenants: null, readOnly: false, authentication: false })
    await api.call('POST', '/api/v2/tenants', { name: 'acme' })
    expect(await get(`${ROOT}/tenants`)).toEqual([
      { name: 'acme', resourceName: null },
      { name: 'default_tenant', resourceName: null },
    ])
    expect(await get(`${ROOT}/tenants?offset=1`)).toHaveLength(1)
    const [summary] = await get(NOTES.slice(0, NOTES.lastIndexOf('/')))
    expect(summary).toMatchObject({ name: 'notes', records: 3, version: 1, dimension: 2, watermark: 0, segments: 0 })
    expect(summary.metadata).toEqual({ big: 1 })
    expect(await get(NOTES)).toEqual(summary)
    expect(await get(NOTES.replace(/notes$/, id))).toEqual(summary)
    expectError(await api.call('GET', `${NOTES}2`), 404, 'NotFoundError', /\[notes2\] does not exist/)
  })

  it('shows snapshots, rolls back, and keeps restore points', async () => {
    expect(await get(`${NOTES}/snapshots`)).toEqual([])
    const kept = await post(`${NOTES}/restore-points`, { name: 'before' })
    expect(kept).toMatchObject({ name: 'before', version: 1, untilMs: null })
    expectError(await api.call('POST', `${NOTES}/restore-points`, { name: 'before' }), 409, 'ChromaError', /already/)
    await api.db('POST', `/collections/${id}/delete`, { ids: ['a'] })
    expect(await ids()).toEqual(['b', 'c'])
    const snapshots = await get(`${NOTES}/snapshots`)
    const found = snapshots.find((one: { name: string }) => one.name === kept.snapshot)
    expect(found).toMatchObject({ watermark: 1, liveRecords: 3 })
    expect(found.keptBecause).toContain('restore-point')
    const past = await api.db('POST', `/collections/${id}/get`, { include: [] }, { 'x-siltstone-at': '1' })
    expect(past.json.ids).toEqual(['a', 'b', 'c'])
    expect(await post(`${NOTES}/rollback`, { snapshot: kept.snapshot })).toEqual({ version: 3 })
    expect(await ids()).toEqual(['a', 'b', 'c'])
    expect(await get(`${NOTES}/restore-points`)).toEqual([kept])
    expect((await api.call('DELETE', `${NOTES}/restore-points/before`)).status).toBe(200)
    expect(await get(`${NOTES}/restore-points`)).toEqual([])
    expectError(await api.call('DELETE', `${NOTES}/restore-points/before`), 404, 'NotFoundError', /no restore point/)
    expectError(await api.call('POST', `${NOTES}/rollback`, { snapshot: '9-x' }), 404, 'NotFoundError', /no snapshot/)
    expectError(await api.call('POST', `${NOTES}/rollback`, { snapshto: 'x' }), 400, 'InvalidArgumentError', /snapshto/)
    const until = { name: 'old', untilMs: 5 }
    expectError(await api.call('POST', `${NOTES}/restore-points`, until), 400, 'InvalidArgumentError', /untilMs is 5/)
  })

  it('forks', async () => {
    expect(await post(`${NOTES}/fork`, { name: 'copy' })).toMatchObject({ name: 'copy', records: 3, forkOf: id })
    expectError(await api.call('POST', `${NOTES}/fork`, { name: '-' }), 400, 'InvalidArgumentError', /name/)
  })

  it('compacts and tells where compaction stands', async () => {
    expect(await get(`${NOTES}/compaction`)).toMatchObject({
      watermark: 0,
      segments: [],
      lastCommit: null,
      indexing: { unindexedOps: 3 },
    })
    expect(await post(`${NOTES}/compact`)).toMatchObject({ folds: 1, recordsFolded: 3, busy: false })
    const state = await get(`${NOTES}/compaction`)
    expect(state).toMatchObject({ watermark: 1, lastCommit: { kind: 'fold' }, indexing: { unindexedOps: 0 } })
    expect(state.segments).toMatchObject([{ rows: 3, deleted: 0 }])
    expect(state.leases.map((lease: { name: string; state: string }) => lease.state)).toContain('free')
    expect(await get(`${ROOT}/leases`)).toEqual(state.leases)
    expect(await post(`${NOTES}/compact?full=true`)).toMatchObject({ folds: 0 })
    expectError(await api.call('POST', `${NOTES}/compact?full=yes`), 400, 'InvalidArgumentError', /full is 'yes'/)
  })

  it('gives places of records for a map', async () => {
    const map = await get(`${NOTES}/map?key=kind`)
    expect(map).toMatchObject({ version: 1, records: 3, ids: ['a', 'b', 'c'], values: ['x', 'x', 'y'] })
    expect([map.x.length, map.y.length, map.explained.length]).toEqual([3, 3, 2])
    expect((await get(`${NOTES}/map?records=2`)).ids).toHaveLength(2)
    expectError(await api.call('GET', `${NOTES}/map?records=99999`), 400, 'InvalidArgumentError', /records is 99999/)
  })

  it('verifies, previews garbage and measures recall', async () => {
    await post(`${NOTES}/compact`)
    for (const deep of [true, false])
      expect(await post(`${NOTES}/verify?deep=${deep}`)).toMatchObject({ problems: [], deep, liveRecords: 3 })
    // The folded entry is kept for its retention.
    expect(await get(`${NOTES}/garbage`)).toMatchObject({ deletable: 0, deletableBytes: 0, waiting: 1, keys: [] })
    expect(await post(`${NOTES}/recall`, { k: 1, samples: 3 })).toMatchObject({ queries: 3, recall: 1, version: 1 })
    expect(await post(`${NOTES}/recall`)).toMatchObject({ k: 10, version: 1 })
    expectError(await api.call('POST', `${NOTES}/recall`, { k: 0 }), 400, 'InvalidArgumentError', /k is 0/)
  })

  it('lists the keys of the metadata and counts their values', async () => {
    const report = await get(`${NOTES}/fields`)
    expect(report).toMatchObject({ records: 3, complete: true, version: 1 })
    expect(report.fields).toEqual([
      {
        key: 'kind',
        types: ['string'],
        records: 3,
        distinct: 2,
        uncounted: false,
        values: [
          { value: 'x', records: 2 },
          { value: 'y', records: 1 },
        ],
      },
      {
        key: 'n',
        types: ['float', 'int'],
        records: 2,
        distinct: 2,
        uncounted: false,
        values: [
          { value: 1, records: 1 },
          { value: 2.5, records: 1 },
        ],
      },
      { key: 'ok', types: ['bool'], records: 1, distinct: 1, uncounted: false, values: [{ value: true, records: 1 }] },
      {
        key: 'tags',
        types: ['string[]'],
        records: 1,
        distinct: 2,
        uncounted: false,
        values: [
          { value: 'p', records: 1 },
          { value: 'q', records: 1 },
        ],
      },
    ])
    const where = encodeURIComponent('{"kind":"x"}')
    const kinds = (await get(`${NOTES}/fields?key=kind&values=1&where=${where}`)).fields
    expect(kinds).toMatchObject([{ key: 'kind', records: 2, distinct: 1, values: [{ value: 'x', records: 2 }] }])
    expect(await get(`${NOTES}/fields?maxRecords=1`)).toMatchObject({ records: 1, complete: false })
    expectError(await api.call('GET', `${NOTES}/fields?where=%7B`), 400, 'InvalidArgumentError', /not JSON/)
    expectError(await api.call('GET', `${NOTES}/fields?values=5000`), 400, 'InvalidArgumentError', /at most 1000/)
  })

  it('keeps all digits of integers', async () => {
    const body = `{"ids":["d"],"embeddings":[[0,0]],"metadatas":[{"big":9007199254740993}]}`
    await api.db('POST', `/collections/${id}/upsert`, body, { 'content-type': 'application/json' })
    expect((await api.call('GET', `${NOTES}/fields?key=big`)).text).toContain('"value":9007199254740993')
  })

  it('answers 501 where the server has no maintenance', async () => {
    const bare = testApi(new ModelEngine(), {}, siltstoneRoutes)
    await bare.collection('notes')
    expect((await bare.call('GET', NOTES)).json).toMatchObject({ records: 0 })
    expectError(await bare.call('GET', `${NOTES}/compaction`), 501, 'ChromaError', /command line/)
    expectError(await bare.call('GET', `${ROOT}/cost`), 501, 'ChromaError', /counts nothing/)
  })
})

describe('access', () => {
  const TOKENS = JSON.stringify([
    { token: 'root', user: 'root', role: 'admin', tenants: ['*'] },
    { token: 'reader', user: 'eve', role: 'read', tenants: ['default_tenant'] },
    { token: 'writer', user: 'bob', role: 'write', tenants: ['default_tenant'] },
    { token: 'other', user: 'mallory', role: 'admin', tenants: ['umbrella'] },
  ])
  const tokens = () =>
    testApi(engine, { auth: tokenAuthenticator(TOKENS), maintenance: engine.maintenance }, siltstoneRoutes)

  it('asks for a token everywhere, and for the tenant of the path', async () => {
    const locked = tokens()
    for (const { method, path, access } of siltstoneRoutes) {
      if (access === 'open') continue
      const url = path
        .replace('{tenant}', 'default_tenant')
        .replace('{database}', 'default_database')
        .replaceAll(/\{\w+\}/g, 'notes')
      const body = method === 'GET' ? undefined : {}
      expect((await locked.call(method, url, body)).status, path).toBe(401)
      if (path.includes('{tenant}') || /\/(?:leases|cost|tokens)$/.test(path))
        expect((await locked.call(method, url, body, { 'x-chroma-token': 'other' })).status, path).toBe(403)
    }
  })

  it('looks with role read, writes with write, compacts with admin', async () => {
    const locked = tokens()
    const as = async (token: string, method: string, path: string, body?: unknown) =>
      (await locked.call(method, path, body, { 'x-chroma-token': token })).status
    for (const { method, path, access } of siltstoneRoutes.filter(({ path: one }) => one.includes('{collection}'))) {
      const url = path
        .replace('{tenant}', 'default_tenant')
        .replace('{database}', 'default_database')
        .replaceAll(/\{\w+\}/g, 'notes')
      const body = method === 'GET' ? undefined : { name: 'point', snapshot: 'empty' }
      const reader = await as('reader', method, url, body)
      expect(reader === 403, `${method} ${path}: ${reader}`).toBe(access !== 'read')
      if (access === 'admin') expect(await as('writer', method, url, body)).toBe(403)
    }
    expect(await as('writer', 'POST', `${NOTES}/restore-points`, { name: 'p' })).toBe(200)
    expect(await as('root', 'POST', `${NOTES}/compact`)).toBe(200)
    const about = await locked.call('GET', ROOT, undefined, { 'x-chroma-token': 'reader' })
    expect(about.json).toMatchObject({ user: 'eve', role: 'read', tenants: ['default_tenant'], authentication: true })
    const tenants = await locked.call('GET', `${ROOT}/tenants`, undefined, { 'x-chroma-token': 'other' })
    expect(tenants.json).toEqual([])
  })

  it('tells admins of everything what each token may do, and never the tokens', async () => {
    const locked = tokens()
    const as = (token: string) => locked.call('GET', `${ROOT}/tokens`, undefined, { 'x-chroma-token': token })
    const all = await as('root')
    expect(all.json).toEqual([
      { user: 'root', role: 'admin', tenants: null, databases: null },
      { user: 'eve', role: 'read', tenants: ['default_tenant'], databases: null },
      { user: 'bob', role: 'write', tenants: ['default_tenant'], databases: null },
      { user: 'mallory', role: 'admin', tenants: ['umbrella'], databases: null },
    ])
    for (const { token } of JSON.parse(TOKENS)) if (token !== 'root') expect((await as(token)).status).toBe(403)
    expect(await get(`${ROOT}/tokens`)).toEqual([])
  })

  it('lets a read-only server look and verify, and nothing else', async () => {
    await post(`${NOTES}/compact`)
    const still = testApi(engine, { readOnly: true, maintenance: engine.maintenance }, siltstoneRoutes)
    expect((await still.call('GET', NOTES)).status).toBe(200)
    expect((await still.call('POST', `${NOTES}/verify`)).status).toBe(200)
    expect((await still.call('POST', `${NOTES}/recall`, {})).status).toBe(200)
    for (const [method, path] of [
      ['POST', '/rollback'],
      ['POST', '/fork'],
      ['POST', '/compact'],
      ['POST', '/restore-points'],
      ['DELETE', '/restore-points/x'],
    ])
      expect((await still.call(method as string, `${NOTES}${path}`, {})).status, path).toBe(403)
  })
})

describe('probes', () => {
  it('answer without a token, and tell a process that answers from a store that is readable', async () => {
    const auth = {
      identities: () => [],
      identify: () => {
        throw new Error('no token is needed')
      },
    }
    const well = testApi(engine, { auth }, siltstoneRoutes)
    expect(await well.call('GET', '/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(await well.call('GET', '/readyz')).toMatchObject({ status: 200, json: { ready: true } })
    for (const isReady of [() => Promise.resolve(false), () => Promise.reject(new Error('the bucket is away'))]) {
      const ill = testApi(engine, { auth, isReady }, siltstoneRoutes)
      expect(await ill.call('GET', '/healthz')).toMatchObject({ status: 200 })
      expect(await ill.call('GET', '/readyz')).toMatchObject({ status: 503, json: { ready: false } })
    }
  })
})

describe('the OpenAPI document', () => {
  it('describes these endpoints beside those of Chroma, each operation once', async () => {
    const document = (await api.call('GET', '/openapi.json')).json as { paths: Record<string, Record<string, unknown>> }
    expect(document).toEqual(JSON.parse(JSON.stringify(openApiDocument([...routes, ...siltstoneRoutes]))))
    for (const { method, path } of siltstoneRoutes) expect(document.paths[path]).toHaveProperty(method.toLowerCase())
    for (const [path, role] of [
      [NOTES, 'read'],
      [`${NOTES}/compact`, 'admin'],
      ['/api/v2/reset', 'admin'],
    ] as const) {
      const pattern = path.replace(/default_tenant.*notes/, '{tenant}/databases/{database}/collections/{collection}')
      for (const operation of Object.values(document.paths[pattern] as object))
        expect(operation).toMatchObject({ 'x-siltstone-access': role })
    }
    const names = [...routes, ...siltstoneRoutes].map(({ operation }) => operation)
    expect(new Set(names).size).toBe(names.length)
    expect(await (await api.app.request('/docs')).text()).toContain('/api/siltstone/v1')
    expect((await api.call('DELETE', NOTES)).headers.get('allow')).toBe('GET')
  })
})
