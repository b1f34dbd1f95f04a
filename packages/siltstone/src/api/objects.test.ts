import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectError, testApi } from '../chroma/testing/api.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { notFound } from '../errors.ts'
import type { ObjectStates, ObjectStatesQuery, ObjectStatus } from '../model/object-states.ts'
import { tokenAuthenticator } from '../server/auth.ts'
import { siltstoneRoutes } from './index.ts'

const OBJECTS = '/api/siltstone/v1/objects'

const statusOf = (key: string): ObjectStatus => ({
  bucket: 'media',
  key,
  progress: 'done',
  version: 'v1',
  records: 2,
  collections: ['media'],
  steps: {},
  attempt: 1,
  history: [],
})

let engine: StoreEngine
let asked: unknown[]
const objects: ObjectStates = {
  processing: 'on',
  buckets: async () => ['media'],
  async page(query: ObjectStatesQuery) {
    asked.push(query)
    return { objects: [statusOf('a')], cursor: null }
  },
  async status(bucket, key) {
    if (bucket !== 'media') throw notFound('no-such-bucket', `There is no bucket ${bucket}.`)
    return statusOf(key)
  },
  async replay(bucket, filter) {
    asked.push([bucket, filter])
    return 3
  },
}

beforeEach(async () => {
  asked = []
  engine = await StoreEngine.open({ env: memoryEnvironment() })
})
afterEach(() => engine.close())

describe('the endpoints of objects', () => {
  it('list states, show one, and have objects processed again', async () => {
    const api = testApi(engine, { objects }, siltstoneRoutes)
    expect((await api.call('GET', `${OBJECTS}/buckets`)).json).toEqual({ buckets: ['media'], processing: 'on' })
    expect((await api.call('GET', `${OBJECTS}/status`)).json).toEqual({ objects: [statusOf('a')], cursor: null })
    await api.call('GET', `${OBJECTS}/status?bucket=media&prefix=up%2F&state=dead&limit=7&cursor=abc`)
    expect(asked).toEqual([
      { limit: 100 },
      { bucket: 'media', prefix: 'up/', progress: 'dead', limit: 7, cursor: 'abc' },
    ])
    const key = 'up/a b+c?#.pdf'
    const one = await api.call('GET', `${OBJECTS}/buckets/media/status?key=${encodeURIComponent(key)}`)
    expect(one.json).toEqual(statusOf(key))
    asked = []
    expect((await api.call('POST', `${OBJECTS}/replay`, { bucket: 'media', key })).json).toEqual({ replayed: 3 })
    await api.call('POST', `${OBJECTS}/replay`, { bucket: 'media', prefix: '', dead: true })
    expect(asked).toEqual([
      ['media', { key, dead: false }],
      ['media', { prefix: '', dead: true }],
    ])
    expect((await api.call('GET', '/api/siltstone/v1')).json).toMatchObject({ objects: true })
  })

  it('refuse what they do not understand', async () => {
    const api = testApi(engine, { objects }, siltstoneRoutes)
    for (const query of ['limit=0', 'limit=1001', 'limit=x', 'state=running,dead', 'state=Dead'])
      expect((await api.call('GET', `${OBJECTS}/status?${query}`)).status, query).toBe(400)
    expectError(await api.call('GET', `${OBJECTS}/buckets/media/status`), 400, 'InvalidArgumentError', /key is missing/)
    expectError(await api.call('GET', `${OBJECTS}/buckets/x/status?key=a`), 404, 'NotFoundError', /no bucket x/)
    for (const body of [{ bucket: 'media' }, { bucket: 'media', key: 'a', prefix: 'a' }, { bucket: 'media', keys: [] }])
      expect((await api.call('POST', `${OBJECTS}/replay`, body)).status).toBe(400)
    expect((await api.call('POST', `${OBJECTS}/replay`, { key: 'a' })).status).toBe(422)
    expect(asked).toEqual([])
  })

  it('are not there without objects, and say how to get them', async () => {
    const api = testApi(engine, {}, siltstoneRoutes)
    expectError(await api.call('GET', `${OBJECTS}/status`), 404, 'NotFoundError', /serve --objects/)
    expectError(await api.call('POST', `${OBJECTS}/replay`, {}), 404, 'NotFoundError', /serve --objects/)
    expect((await api.call('GET', '/api/siltstone/v1')).json).toMatchObject({ objects: false })
  })

  it('need a token for all tenants, and role write to process again', async () => {
    const auth = tokenAuthenticator(
      JSON.stringify([
        { token: 'reader', user: 'eve', role: 'read', tenants: ['*'] },
        { token: 'writer', user: 'bob', role: 'write', tenants: ['*'] },
        { token: 'tenant', user: 'ann', role: 'admin', tenants: ['default_tenant'] },
      ]),
    )
    const api = testApi(engine, { objects, auth }, siltstoneRoutes)
    const as = async (token: string) => {
      const headers = { 'x-chroma-token': token }
      const look = await api.call('GET', `${OBJECTS}/status`, undefined, headers)
      const replay = await api.call('POST', `${OBJECTS}/replay`, { bucket: 'media', key: 'a' }, headers)
      return [look.status, replay.status]
    }
    expect([await as('reader'), await as('writer'), await as('tenant')]).toEqual([
      [200, 403],
      [200, 200],
      [403, 403],
    ])
  })
})
