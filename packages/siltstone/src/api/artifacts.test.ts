import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { expectError, testApi } from '../chroma/testing/api.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { notFound } from '../errors.ts'
import type { ArtifactCatalog, ArtifactDetail } from '../model/artifact-catalog.ts'
import { tokenAuthenticator } from '../server/auth.ts'
import { siltstoneRoutes } from './index.ts'

const ARTIFACTS = '/api/siltstone/v1/artifacts'

const tern: ArtifactDetail = {
  id: '01J',
  name: 'tern',
  type: 'model',
  createdBy: 'ada',
  repository: null,
  url: 'https://hub.test/harbour/tern',
  licence: 'Apache-2.0',
  netScore: 0.5,
  tags: ['bird'],
  createdAt: '2026-11-01T00:00:00Z',
  sizeBytes: 7,
  readme: '# Tern',
  rating: null,
  lineage: { nodes: [], edges: [], isCut: false },
}

let engine: StoreEngine
let asked: unknown[]
const artifacts: ArtifactCatalog = {
  async page(query) {
    asked.push(query)
    return { artifacts: [tern], cursor: '01J' }
  },
  async search(text, query) {
    asked.push([text, query])
    return [tern]
  },
  async artifact(id) {
    if (id !== '01J') throw notFound('artifact-not-found', `there is no artifact ${id}`)
    return tern
  },
}

beforeEach(async () => {
  asked = []
  engine = await StoreEngine.open({ env: memoryEnvironment() })
})
afterEach(() => engine.close())

describe('the endpoints of artifacts', () => {
  it('list, search and show artifacts', async () => {
    const api = testApi(engine, { artifacts }, siltstoneRoutes)
    expect((await api.call('GET', ARTIFACTS)).json).toEqual({ artifacts: [tern], cursor: '01J' })
    await api.call('GET', `${ARTIFACTS}?type=model&limit=7&cursor=01H`)
    expect((await api.call('GET', `${ARTIFACTS}?text=sea+birds&type=code`)).json).toMatchObject({ cursor: null })
    expect(asked).toEqual([
      { limit: 50 },
      { type: 'model', limit: 7, cursor: '01H' },
      ['sea birds', { type: 'code', limit: 50 }],
    ])
    expect((await api.call('GET', `${ARTIFACTS}/01J`)).json).toEqual(tern)
    expectError(await api.call('GET', `${ARTIFACTS}/none`), 404, 'NotFoundError', /no artifact none/)
    expect((await api.call('GET', '/api/siltstone/v1')).json).toMatchObject({ artifacts: true })
  })

  it('refuse what means nothing', async () => {
    const api = testApi(engine, { artifacts }, siltstoneRoutes)
    for (const query of ['limit=0', 'limit=101', 'type=bird', 'text=a&cursor=b'])
      expect((await api.call('GET', `${ARTIFACTS}?${query}`)).status, query).toBe(400)
    expect(asked).toEqual([])
  })

  it('are not there without a registry, and not for tokens of some tenants', async () => {
    const bare = testApi(engine, {}, siltstoneRoutes)
    for (const path of [ARTIFACTS, `${ARTIFACTS}/01J`])
      expectError(await bare.call('GET', path), 404, 'NotFoundError', /siltstone serve --registry/)
    const tokens = JSON.stringify([{ token: 'some', user: 'eve', role: 'admin', tenants: ['acme'] }])
    const locked = testApi(engine, { artifacts, auth: tokenAuthenticator(tokens) }, siltstoneRoutes)
    for (const path of [ARTIFACTS, `${ARTIFACTS}/01J`])
      expect((await locked.call('GET', path, undefined, { 'x-chroma-token': 'some' })).status).toBe(403)
  })
})
