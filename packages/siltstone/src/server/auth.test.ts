import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { expectError, testApi, type TestAnswer } from '../chroma/testing/api.ts'
import { countingObjectStore } from '../drivers/wrappers/counting-object-store.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { routes } from '../chroma/routes/table.ts'
import { ModelEngine } from '../testing/model.ts'
import { forbidden, unauthorized } from '../errors.ts'
import { tokenAuthenticator, withAccounts } from './auth.ts'
import { PrometheusMetrics } from './metrics.ts'
import { startTestServer } from './testing/server.ts'

const TOKENS = JSON.stringify([
  { token: 'root-token', user: 'root', role: 'admin', tenants: ['*'] },
  { token: 'ops-token', user: 'ops', role: 'admin', tenants: ['acme'] },
  { sha256: createHash('sha256').update('app-token').digest('hex'), user: 'app', role: 'write', tenants: ['acme'] },
  { token: 'eye-token', user: 'eye', role: 'read', tenants: ['acme'], databases: ['prod'] },
  { token: 'all-eye-token', user: 'all-eye', role: 'read', tenants: ['*'] },
  { token: 'other-token', user: 'other', role: 'admin', tenants: ['umbrella'] },
])

async function setUp() {
  const engine = new ModelEngine()
  for (const tenant of ['acme', 'umbrella']) {
    await engine.catalog.createTenant(tenant)
    for (const database of ['prod', 'test']) await engine.catalog.createDatabase(tenant, database)
  }
  await engine.catalog.setTenantResourceName('acme', 'acme-corp')
  const api = testApi(engine, { auth: tokenAuthenticator(TOKENS), allowReset: true })
  const as = (token: string, method: string, path: string, body?: unknown): Promise<TestAnswer> =>
    api.call(method, path, body, { 'x-chroma-token': token })
  const collection = await as('app-token', 'POST', '/api/v2/tenants/acme/databases/prod/collections', {
    name: 'things',
  })
  return { api, as, collection: `/api/v2/tenants/acme/databases/prod/collections/${collection.json.id as string}` }
}

describe('tokens', () => {
  it('are needed for every endpoint but health checks', async () => {
    const { api } = await setUp()
    for (const { method, path, access } of routes) {
      const answer = await api.call(
        method,
        path.replaceAll(/\{\w+\}/g, 'default_tenant'),
        method === 'GET' ? undefined : {},
      )
      if (access === 'open') expect(answer.status, path).toBe(200)
      else expectError(answer, 401, 'AuthorizationError', /token/)
    }
    expect((await api.call('GET', '/api/v2/tenants/acme')).headers.get('www-authenticate')).toBe('Bearer')
  })

  it('are not needed for these alone', () => {
    expect(routes.filter(({ access }) => access === 'open').map(({ path }) => path)).toEqual([
      '/api/v2',
      '/api/v2/heartbeat',
      '/api/v2/version',
      '/api/v2/healthcheck',
    ])
  })

  it('are read from both headers; unknown ones are refused', async () => {
    const { api } = await setUp()
    const get = (headers: Record<string, string>) => api.call('GET', '/api/v2/tenants/acme', undefined, headers)
    for (const headers of [
      { 'x-chroma-token': 'eye-token' },
      { 'x-chroma-token': 'Bearer eye-token' },
      { authorization: 'Bearer eye-token' },
      { authorization: 'bearer  eye-token' },
    ] as Record<string, string>[]) {
      expect((await get(headers)).status, JSON.stringify(headers)).toBe(200)
    }
    for (const token of ['', 'nope', 'eye-toke', 'eye-token2', 'Bearer ', 'a'.repeat(5_000)]) {
      expectError(await get({ 'x-chroma-token': token }), 401, 'AuthorizationError', /token/)
    }
  })

  it('refuses before the body is read', async () => {
    const { api } = await setUp()
    expectError(await api.call('POST', '/api/v2/tenants', '{broken'), 401, 'AuthorizationError', /token/)
  })
})

describe('roles', () => {
  it.each([
    ['POST', 'get', {}, { read: 200, write: 200, admin: 200 }],
    ['POST', 'query', { query_embeddings: [] }, { read: 200, write: 200, admin: 200 }],
    ['POST', 'search', { searches: [{}] }, { read: 200, write: 200, admin: 200 }],
    ['GET', 'count', undefined, { read: 200, write: 200, admin: 200 }],
    ['POST', 'conditional/get', {}, { read: 200, write: 200, admin: 200 }],
    ['POST', 'add', { ids: [], embeddings: [] }, { read: 403, write: 201, admin: 201 }],
    ['POST', 'delete', {}, { read: 403, write: 200, admin: 200 }],
    ['POST', 'conditional/commit', { operations: [] }, { read: 403, write: 200, admin: 200 }],
    ['PUT', '', { new_metadata: { a: 1 } }, { read: 403, write: 200, admin: 200 }],
  ] as const)('%s %s', async (method, op, body, expected) => {
    const { as, collection } = await setUp()
    const path = op === '' ? collection : `${collection}/${op}`
    const statuses = {
      read: (await as('eye-token', method, path, body)).status,
      write: (await as('app-token', method, path, body)).status,
      admin: (await as('ops-token', method, path, body)).status,
    }
    expect(statuses).toEqual(expected)
  })

  it('lets admins of a tenant manage its databases, and only admins of all tenants manage tenants', async () => {
    const { as } = await setUp()
    const databases = '/api/v2/tenants/acme/databases'
    const status = async (...request: Parameters<typeof as>) => (await as(...request)).status
    expect(await status('app-token', 'POST', databases, { name: 'more' })).toBe(403)
    expect(await status('ops-token', 'POST', databases, { name: 'more' })).toBe(200)
    expect(await status('ops-token', 'DELETE', `${databases}/more`)).toBe(200)
    expect(await status('ops-token', 'POST', '/api/v2/tenants', { name: 'more' })).toBe(403)
    expect(await status('ops-token', 'PATCH', '/api/v2/tenants/acme', { resource_name: 'x' })).toBe(403)
    expect(await status('ops-token', 'POST', '/api/v2/reset')).toBe(403)
    expect(await status('all-eye-token', 'POST', '/api/v2/reset')).toBe(403)
    expect(await status('root-token', 'POST', '/api/v2/tenants', { name: 'more' })).toBe(200)
    expect(await status('root-token', 'POST', '/api/v2/reset')).toBe(200)
  })
})

describe('tenants', () => {
  it('cannot see each other, nor whether the other exists', async () => {
    const { as, collection } = await setUp()
    const there = await as('other-token', 'POST', `${collection}/get`, {})
    expectError(there, 403, 'AuthorizationError', 'This token has no access to the tenant [acme]')
    const nowhere = await as('other-token', 'GET', '/api/v2/tenants/nobody')
    expectError(nowhere, 403, 'AuthorizationError', 'This token has no access to the tenant [nobody]')
    // A collection's id under a tenant and database of one's own leads nowhere.
    const elsewhere = await as('other-token', 'POST', collection.replace('/acme/', '/umbrella/') + '/get', {})
    expect(elsewhere.status).toBe(404)
    const listed = await as('other-token', 'GET', '/api/v2/tenants/umbrella/databases/prod/collections')
    expect(listed.json).toEqual([])
  })

  it('are isolated with resource names, too: a refusal looks like not-found', async () => {
    const { as } = await setUp()
    const crn = (name: string) => `/api/v2/collections/acme-corp:prod:${name}`
    expect((await as('app-token', 'GET', crn('things'))).status).toBe(200)
    const refused = await as('other-token', 'GET', crn('things'))
    const missing = await as('other-token', 'GET', crn('nope'))
    expectError(refused, 404, 'NotFoundError', 'Collection [things] does not exist')
    expectError(missing, 404, 'NotFoundError', 'Collection [nope] does not exist')
  })

  it('have databases to which a token may be restricted', async () => {
    const { as } = await setUp()
    expect((await as('eye-token', 'GET', '/api/v2/tenants/acme/databases/prod')).status).toBe(200)
    const refused = await as('eye-token', 'GET', '/api/v2/tenants/acme/databases/test')
    expectError(refused, 403, 'AuthorizationError', 'This token has no access to the database [test]')
    const listed = await as('eye-token', 'GET', '/api/v2/tenants/acme/databases')
    expect(listed.json.map(({ name }: { name: string }) => name)).toEqual(['prod'])
  })

  it('are part of the identity', async () => {
    const { as } = await setUp()
    const identity = async (token: string) => (await as(token, 'GET', '/api/v2/auth/identity')).json
    expect(await identity('eye-token')).toEqual({ user_id: 'eye', tenant: 'acme', databases: ['prod'] })
    expect(await identity('app-token')).toEqual({ user_id: 'app', tenant: 'acme', databases: ['prod', 'test'] })
    expect(await identity('root-token')).toEqual({
      user_id: 'root',
      tenant: 'default_tenant',
      databases: ['default_database'],
    })
  })

  it('cannot read the metrics, whose labels name all tenants', async () => {
    const metrics = new PrometheusMetrics({ processMetrics: false })
    const server = await startTestServer({ auth: tokenAuthenticator(TOKENS), openMetrics: metrics })
    const status = async (headers: Record<string, string>) => (await fetch(`${server.url}/metrics`, { headers })).status
    expect(await status({})).toBe(401)
    expect(await status({ authorization: 'Bearer ops-token' })).toBe(403)
    expect(await status({ authorization: 'Bearer all-eye-token' })).toBe(200)
    await server.close()
  })
})

describe('tokens with accounts of a registry', () => {
  const ada = { userId: 'ada', role: 'read' as const, tenants: ['acme'], databases: '*' as const }
  const identify = (token: string) => {
    if (token === 'st_ada') return Promise.resolve(ada)
    return Promise.reject(
      token === 'st_ben' ? forbidden('tenant-forbidden', 'no tenant') : unauthorized('token-unknown', 'no'),
    )
  }

  it.each([
    ['beside the list', tokenAuthenticator(TOKENS)],
    ['alone', undefined],
  ])('know accounts %s, and nobody else', async (_, operators) => {
    const engine = new ModelEngine()
    for (const tenant of ['acme', 'umbrella']) await engine.catalog.createTenant(tenant)
    const api = testApi(engine, { auth: withAccounts(operators, identify) })
    const status = async (token: string | undefined, tenant = 'acme') =>
      (
        await api.call(
          'GET',
          `/api/v2/tenants/${tenant}`,
          undefined,
          token === undefined ? {} : { 'x-chroma-token': token },
        )
      ).status
    expect([await status('st_ada'), await status('st_ada', 'umbrella')]).toEqual([200, 403])
    expect(await status('eye-token')).toBe(operators === undefined ? 401 : 200)
    expect([await status(undefined), await status('st_eve'), await status('st_ben')]).toEqual([401, 401, 403])
    expect((await api.call('GET', '/api/v2/tenants/acme', undefined, { authorization: 'Bearer st_ada' })).status).toBe(
      200,
    )
  })
})

describe('the list of tokens', () => {
  it.each([
    ['{"token":', /the text is not JSON/],
    ['[]', /the list: /],
    ['[{"token":"x","user":"u","role":"boss","tenants":["a"]}]', /\[0\]\.role: /],
    ['[{"token":"x","user":"u","role":"read","tenants":[]}]', /\[0\]\.tenants: /],
    ['[{"user":"u","role":"read","tenants":["a"]}]', /\[0\]: needs either token or sha256/],
    ['[{"sha256":"xyz","user":"u","role":"read","tenants":["a"]}]', /\[0\]\.sha256: must be 64 hexadecimal digits/],
    ['[{"token":"x","user":"u","role":"read","tenants":["a"],"rolle":1}]', /\[0\]/],
  ])('refuses %s', (text, message) => {
    expect(() => tokenAuthenticator(text)).toThrow(message)
  })

  it('never reveals a token', () => {
    const text =
      '[{"token":"very-secret","user":"u","role":"read","tenants":["a"]},{"token":"very-secret","user":"v","role":"read","tenants":["a"]}'
    for (const broken of [text, `${text}]`]) {
      let thrown: unknown
      try {
        tokenAuthenticator(broken)
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ code: 'bad-tokens' })
      expect((thrown as Error).cause).toBeUndefined()
      expect(String(thrown)).not.toContain('very-secret')
    }
  })
})

it('a resource name of others costs the same requests whether it, or the collection, exists or not', async () => {
  const env = memoryEnvironment({ seed: 1 })
  const store = countingObjectStore(env.store)
  const engine = await StoreEngine.open({ env: { ...env, store } })
  for (const tenant of ['acme', 'umbrella']) {
    await engine.catalog.createTenant(tenant)
    for (const name of ['prod', 'test']) await engine.catalog.createDatabase(tenant, name)
  }
  await engine.catalog.setTenantResourceName('acme', 'acme-corp')
  await engine.catalog.setTenantResourceName('umbrella', 'umbrella-corp')
  const things = { tenant: 'acme', database: 'prod', name: 'things', getOrCreate: false, metadata: null }
  await engine.catalog.createCollection({ ...things, space: 'l2', configuration: {}, schema: null })
  const tokens = [
    { token: 'other', user: 'other', role: 'read', tenants: ['umbrella'] },
    { token: 'test', user: 'test', role: 'read', tenants: ['acme'], databases: ['test'] },
  ]
  const api = testApi(engine, { auth: tokenAuthenticator(JSON.stringify(tokens)) })
  for (const { token } of tokens) {
    const look = async (crn: string) => {
      store.takeCounts()
      const { status } = await api.call('GET', `/api/v2/collections/${crn}`, undefined, { 'x-chroma-token': token })
      return { status, ...store.takeCounts() }
    }
    await look('nothing:prod:things')
    const unknown = await look('nothing:prod:things')
    expect(unknown.status).toBe(404)
    for (const crn of ['acme-corp:prod:things', 'acme-corp:prod:nope', 'acme-corp:nope:things'])
      expect(await look(crn), `${token} ${crn}`).toEqual(unknown)
  }
})
