import { unavailable } from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { differences, type OpenApi } from '../testing/conforms.ts'
import {
  ADMIN,
  type Answer,
  type CallOptions,
  ORIGIN,
  type ServedRegistry,
  servedRegistry,
} from '../testing/served-registry.ts'
import { Router } from '../http/router.ts'
import { restRoutes } from './app.ts'
import { openApiDocument } from './openapi.ts'

const document = openApiDocument('0.0.0', 'github.test') as unknown as OpenApi
const UNKNOWN_ID = '01KB0000000000000000000000'

let world: ServedRegistry
let admin: string
let reader: string
let model: { id: string; url: string }
/** Statuses of operations that were seen. */
const seen = new Map<string, Set<number>>()

beforeAll(async () => {
  world = await servedRegistry({ rateLimit: { perSecond: 1e6, burst: 1e6 }, accounts: { callsPerToken: 100_000 } })
  admin = await world.logIn()
  const user = { user: { name: 'reader', is_admin: false }, secret: { password: 'a long password' } }
  await world.call('POST', '/register', { token: admin, body: { ...user, permissions: ['search'] } })
  reader = await world.logIn('reader', 'a long password')
  const url = `${world.hub.url}/harbour/tern-small`
  const made = await world.call('POST', '/artifact/model', { token: admin, body: { url } })
  const { metadata, data } = made.body as { metadata: { id: string }; data: { url: string } }
  model = { id: metadata.id, url: data.url }
  await world.registry.settled()
})
afterAll(() => world.close())

const patterns = new Router(
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      method: method.toUpperCase(),
      path: path.replace('byName/{name}', 'byName/{name...}'),
    })),
  ),
)

/** Calls, and compares status and body with the document. */
async function call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
  const answer = await world.call(method, path, options)
  const match = patterns.match(method, path.split('?')[0] ?? path)
  if (match.kind !== 'found') return answer
  const documented = match.route.path.replace('{name...}', '{name}')
  const operation = document.paths[documented]?.[method.toLowerCase()]
  const declared = operation?.responses[String(answer.status)]
  expect(declared, `${method} ${path} answered ${answer.status}: ${answer.text.slice(0, 300)}`).toBeDefined()
  const schema = declared?.content?.['application/json']?.schema
  if (schema !== undefined) expect(differences(document, schema, answer.body)).toEqual([])
  const id = operation?.operationId ?? ''
  seen.set(id, (seen.get(id) ?? new Set()).add(answer.status))
  return answer
}

const statusOf = async (...args: Parameters<typeof call>) => (await call(...args)).status
const as = (token: string | undefined, body?: unknown): CallOptions => ({
  ...(token !== undefined && { token }),
  ...(body !== undefined && { body }),
})

describe('the document', () => {
  it('has the routes of the app, and no others', () => {
    const routes = restRoutes(world.service.context).map(({ method, path, operation }) => [
      `${method} ${path.replace('{name...}', '{name}')}`,
      operation,
    ])
    const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [`${method.toUpperCase()} ${path}`, operationId]),
    )
    expect(new Set(documented.map(String))).toEqual(new Set(routes.map(String)))
  })

  it('is served', async () => {
    expect((await call('GET', '/openapi.json')).body).toEqual(document)
  })
})

describe('health and tracks', () => {
  it('need no token', async () => {
    expect((await call('GET', '/health')).body).toMatchObject({ status: 'ok', window_minutes: 60 })
    expect((await call('GET', '/tracks')).body).toMatchObject({ plannedTracks: expect.any(Array) as unknown[] })
  })

  it('describe components in a window', async () => {
    const plain = (await call('GET', '/health/components')).body as { components: { id: string; timeline?: unknown }[] }
    expect(plain.components.map(({ id }) => id)).toEqual(['bucket', 'index', 'accounts', 'requests'])
    expect(plain.components.some(({ timeline }) => timeline !== undefined)).toBe(false)
    const more = await call('GET', '/health/components?windowMinutes=5&includeTimeline=true')
    expect(more.body).toMatchObject({ window_minutes: 5 })
    for (const bad of ['4', '1441', 'x', '5.5', ''])
      expect(await statusOf('GET', `/health/components?windowMinutes=${bad}`)).toBe(400)
    expect(await statusOf('GET', '/health/components?includeTimeline=maybe')).toBe(400)
  })
})

describe('PUT /authenticate', () => {
  const login = (user: unknown, password: unknown = ADMIN.password) => as(undefined, { user, secret: { password } })
  it('answers a JSON string, which is a token in any spelling', async () => {
    const { body, text } = await call('PUT', '/authenticate', login({ name: ADMIN.name, is_admin: true }))
    expect(body).toMatch(/^bearer /)
    const plain = (body as string).slice(7)
    for (const token of [body as string, text, plain, `Bearer ${plain}`, `"${plain}"`])
      expect(await statusOf('POST', '/artifacts', as(token, []))).toBe(200)
    const headers = { authorization: body as string }
    expect(await statusOf('POST', '/artifacts', { headers, body: [] })).toBe(200)
  })

  it('refuses', async () => {
    expect(await statusOf('PUT', '/authenticate', login({ name: ADMIN.name, is_admin: true }, 'wrong password'))).toBe(
      401,
    )
    expect(await statusOf('PUT', '/authenticate', login({ name: 'nobody', is_admin: false }))).toBe(401)
    const claims = login({ name: 'reader', is_admin: true }, 'a long password')
    expect(await statusOf('PUT', '/authenticate', claims)).toBe(401)
    for (const body of ['{', '[]', '{}', { user: { name: 'x' }, secret: { password: 'y' } }, { user: 1, secret: 2 }])
      expect(await statusOf('PUT', '/authenticate', as(undefined, body))).toBe(400)
  })
})

describe('without permission', () => {
  const body = { metadata: { name: 'x', id: UNKNOWN_ID, type: 'model' }, data: { url: 'https://a.test/b' } }
  const rows: [string, string, unknown?][] = [
    ['POST', '/artifacts', []],
    ['POST', '/artifact/model', { url: 'https://a.test/b' }],
    ['GET', `/artifacts/model/${UNKNOWN_ID}`],
    ['PUT', `/artifacts/model/${UNKNOWN_ID}`, body],
    ['DELETE', `/artifacts/model/${UNKNOWN_ID}`],
    ['GET', `/artifact/model/${UNKNOWN_ID}/rate`],
    ['GET', `/artifact/model/${UNKNOWN_ID}/cost`],
    ['GET', `/artifact/model/${UNKNOWN_ID}/audit`],
    ['GET', `/artifact/model/${UNKNOWN_ID}/lineage`],
    ['POST', `/artifact/model/${UNKNOWN_ID}/license-check`, { github_url: 'https://github.test/a/b' }],
    ['GET', '/artifact/byName/x'],
    ['POST', '/artifact/byRegEx', { regex: 'x' }],
    ['DELETE', '/reset'],
    ['GET', '/search?q=x'],
    ['GET', `/download/model/${UNKNOWN_ID}`],
    ['GET', '/users'],
    ['DELETE', '/user/x'],
  ]
  it.each(rows)('%s %s is 403 without a token and with a wrong one, whatever the body', async (method, path, sent) => {
    expect(await statusOf(method, path, as(undefined, sent))).toBe(403)
    expect(await statusOf(method, path, as('bearer st_wrong', sent))).toBe(403)
    if (sent !== undefined) expect(await statusOf(method, path, as('x', '{'))).toBe(403)
  })

  it('is 403 with a token that has no such permission, and 401 for a reset', async () => {
    expect(await statusOf('POST', '/artifact/model', as(reader, { url: 'https://a.test/b' }))).toBe(403)
    expect(await statusOf('DELETE', `/artifacts/model/${model.id}`, as(reader))).toBe(403)
    expect(await statusOf('GET', `/download/model/${model.id}`, as(reader))).toBe(403)
    expect(await statusOf('GET', '/users', as(reader))).toBe(403)
    expect(await statusOf('DELETE', `/user/${ADMIN.name}`, as(reader))).toBe(403)
    expect(await statusOf('DELETE', '/reset', as(reader))).toBe(401)
  })
})

describe('POST /artifact/{type}', () => {
  it('registers, names by the source, and gives a link to download', async () => {
    const { status, body } = await call(
      'POST',
      '/artifact/code',
      as(admin, { url: 'https://github.test/google-research/bert.git' }),
    )
    expect(status).toBe(201)
    const { metadata, data } = body as { metadata: { id: string }; data: unknown }
    expect(metadata).toMatchObject({ name: 'google-research-bert', type: 'code' })
    expect(data).toEqual({
      url: 'https://github.test/google-research/bert',
      download_url: expect.stringMatching(`^${ORIGIN}/download/code/${metadata.id}\\?by=root&exp=`) as string,
    })
  })

  it('refuses what is registered under the same type, in any spelling', async () => {
    const again = `${world.hub.url}/harbour/tern-small/tree/main?x=1`
    expect(await statusOf('POST', '/artifact/model', as(admin, { url: again }))).toBe(409)
    const other = await call('POST', '/artifact/dataset', as(admin, { url: again }))
    expect(other.status).toBe(201)
    const id = (other.body as { metadata: { id: string } }).metadata.id
    expect(await statusOf('DELETE', `/artifacts/dataset/${id}`, as(admin))).toBe(200)
  })

  it('refuses bad types and bodies', async () => {
    expect(await statusOf('POST', '/artifact/thing', as(admin, { url: 'https://a.test/b' }))).toBe(400)
    for (const body of [
      '{',
      '',
      '[]',
      {},
      { url: 1 },
      { url: '' },
      { url: 'no url' },
      { url: 'ftp://a.test/b' },
      { url: null },
    ])
      expect(await statusOf('POST', '/artifact/model', as(admin, body))).toBe(400)
    expect(await statusOf('POST', '/artifact/model', as(admin, `"${'x'.repeat(1_100_000)}"`))).toBe(413)
  })
})

describe('reading, changing and deleting', () => {
  it('knows ids and types', async () => {
    const found = await call('GET', `/artifacts/model/${model.id}`, as(reader))
    expect(found.body).toMatchObject({
      metadata: { id: model.id, name: 'tern-small', type: 'model' },
      data: { url: model.url },
    })
    expect(await statusOf('GET', `/artifacts/dataset/${model.id}`, as(reader))).toBe(404)
    expect(await statusOf('GET', `/artifacts/model/${UNKNOWN_ID}`, as(reader))).toBe(404)
    expect(await statusOf('GET', '/artifacts/model/12345', as(reader))).toBe(404)
    expect(await statusOf('GET', '/artifacts/model/a_b', as(reader))).toBe(400)
    expect(await statusOf('GET', `/artifacts/thing/${model.id}`, as(reader))).toBe(400)
  })

  it('replaces the contents only of the artifact that the body names', async () => {
    const made = await call('POST', '/artifact/model', as(admin, { url: 'https://elsewhere.test/owner/first' }))
    const artifact = made.body as { metadata: { id: string; name: string; type: string }; data: { url: string } }
    const { id } = artifact.metadata
    const put = (metadata: object, url: string, at = `/artifacts/model/${id}`) =>
      statusOf('PUT', at, as(admin, { metadata: { ...artifact.metadata, ...metadata }, data: { url } }))
    const next = 'https://elsewhere.test/owner/second'
    expect(await put({ name: 'other' }, next)).toBe(400)
    expect(await put({ id: UNKNOWN_ID }, next)).toBe(400)
    expect(await put({ type: 'code' }, next)).toBe(400)
    expect(await put({}, 'no url')).toBe(400)
    expect(await put({}, model.url)).toBe(400)
    expect(await put({}, next, `/artifacts/model/${UNKNOWN_ID}`)).toBe(404)
    expect(await statusOf('PUT', `/artifacts/model/${id}`, as(admin, {}))).toBe(400)
    expect(await put({}, artifact.data.url)).toBe(200)
    expect(await put({}, next)).toBe(200)
    expect((await call('GET', `/artifacts/model/${id}`, as(admin))).body).toMatchObject({ data: { url: next } })
    const audit = (await call('GET', `/artifact/model/${id}/audit`, as(admin))).body as { action: string }[]
    expect(audit.map(({ action }) => action)).toEqual(['CREATE', 'UPDATE', 'UPDATE'])
    expect(await statusOf('DELETE', `/artifacts/model/${id}`, as(admin))).toBe(200)
    expect(await statusOf('DELETE', `/artifacts/model/${id}`, as(admin))).toBe(404)
    expect(await statusOf('DELETE', '/artifacts/model/a_b', as(admin))).toBe(400)
    expect(await statusOf('GET', `/artifacts/model/${id}`, as(admin))).toBe(404)
    // Admins read the audit of deleted artifacts.
    expect(await statusOf('GET', `/artifact/model/${id}/audit`, as(admin))).toBe(200)
    expect(await statusOf('GET', `/artifact/model/${id}/audit`, as(reader))).toBe(404)
  })

  it('belongs to its owner and to admins', async () => {
    const user = { user: { name: 'writer', is_admin: false }, secret: { password: 'another password' } }
    await call('POST', '/register', as(admin, user))
    const writer = await world.logIn('writer', 'another password')
    expect(await statusOf('DELETE', `/artifacts/model/${model.id}`, as(writer))).toBe(403)
    const made = await call('POST', '/artifact/code', as(writer, { url: 'https://elsewhere.test/own' }))
    const { id } = (made.body as { metadata: { id: string } }).metadata
    expect(await statusOf('DELETE', `/artifacts/code/${id}`, as(writer))).toBe(200)
  })
})

describe('lists', () => {
  it('POST /artifacts: *, names, types, unions, pages', async () => {
    const list = async (queries: unknown, query = '') => {
      const { body, headers } = await call('POST', `/artifacts${query}`, as(reader, queries))
      return { names: (body as { name: string }[]).map(({ name }) => name), offset: headers.get('offset') }
    }
    expect(await list([])).toEqual({ names: [], offset: '' })
    const all = await list([{ name: '*' }])
    expect(all.names).toContain('tern-small')
    expect(all.offset).toBe('')
    expect((await list([{ name: '*', types: ['code'] }])).names).toEqual(['google-research-bert'])
    expect((await list([{ name: 'tern-small' }, { name: 'tern-small', types: [] }])).names).toEqual(['tern-small'])
    expect((await list([{ name: 'tern-small', types: ['dataset'] }])).names).toEqual([])
    expect((await list([{ name: 'Tern-Small' }])).names).toEqual([])
    const first = await list([{ name: '*' }], '?limit=1')
    const second = await list([{ name: '*' }], `?limit=1&offset=${first.offset}`)
    expect([...first.names, ...second.names]).toEqual(all.names.slice(0, 2))
    expect((await list([{ name: '*' }], '?offset=1')).names).toEqual(all.names.slice(1))
    for (const bad of ['?offset=x', '?offset=99999', '?limit=0', '?limit=x'])
      expect(await statusOf('POST', `/artifacts${bad}`, as(reader, [{ name: '*' }]))).toBe(400)
    expect((await list([{ name: '*' }], `?limit=${'9'.repeat(30)}`)).names).toEqual(all.names)
    expect(await statusOf('POST', '/artifacts', as(reader, `["${'x'.repeat(1_100_000)}"]`))).toBe(413)
    expect((await list([{ name: 'tern-small', types: null }])).names).toEqual(['tern-small'])
    for (const body of ['{}', '[{}]', '[{"name":1}]', '[{"name":"x","types":["thing"]}]', '['])
      expect(await statusOf('POST', '/artifacts', as(reader, body))).toBe(400)
  })

  it('GET /artifact/byName', async () => {
    const name = async (text: string) => {
      const { status, body } = await call('GET', `/artifact/byName/${text}`, as(reader))
      return status === 200 ? (body as { id: string }[]).map(({ id }) => id) : status
    }
    expect(await name('tern-small')).toEqual([model.id])
    expect(await name('harbour/tern-small')).toEqual([model.id])
    expect(await name('harbour%2Ftern-small')).toEqual([model.id])
    expect(await name('other/tern-small')).toBe(404)
    expect(await name('Tern-small')).toBe(404)
    expect(await name('*')).toBe(400)
    expect(await name('x'.repeat(600))).toBe(400)
  })

  it('POST /artifact/byRegEx', async () => {
    const find = (regex: unknown) => statusOf('POST', '/artifact/byRegEx', as(reader, { regex }))
    expect(await find('^tern-small$')).toBe(200)
    expect(await find('Meridian corpus')).toBe(200)
    expect(await find('^nothing like this$')).toBe(404)
    expect(await find('(a|aa)*$')).toBe(200)
    for (const bad of ['(', '(?=a)', '(a)\\1', '', 7, undefined, 'a'.repeat(20_000)]) expect(await find(bad)).toBe(400)
    expect(await statusOf('GET', '/artifact/byRegEx', as(reader))).toBe(405)
  })

  it('GET /search', async () => {
    const { body } = await call('GET', '/search?q=gale%20warnings&type=model&limit=5', as(reader))
    expect(body).toMatchObject([{ id: model.id, license: 'Apache-2.0' }, ...[]])
    for (const bad of ['type=thing', 'min_net_score=2', 'made_from=x', 'limit=0'])
      expect(await statusOf('GET', `/search?q=x&${bad}`, as(reader))).toBe(400)
    const base = encodeURIComponent(`${world.hub.url}/harbour/tern-base`)
    expect((await call('GET', `/search?made_from=${base}`, as(reader))).body).toMatchObject([{ id: model.id }])
  })
})

describe('trust', () => {
  it('GET rate: all 26 fields, and reasons if asked for', async () => {
    const { body } = await call('GET', `/artifact/model/${model.id}/rate`, as(reader))
    expect(Object.keys(body as object)).toHaveLength(26)
    expect(body).toMatchObject({ name: 'tern-small', category: 'text-classification' })
    const explained = await call('GET', `/artifact/model/${model.id}/rate?explain=true`, as(reader))
    expect(explained.body).toMatchObject({ explanation: expect.stringContaining('net_score') as string })
    expect(await statusOf('GET', `/artifact/model/${UNKNOWN_ID}/rate`, as(reader))).toBe(404)
    expect(await statusOf('GET', '/artifact/model/a_b/rate', as(reader))).toBe(400)
    const gone = await call('POST', '/artifact/model', as(admin, { url: `${world.hub.url}/harbour/absent` }))
    const { id } = (gone.body as { metadata: { id: string } }).metadata
    await world.registry.settled()
    expect(await statusOf('GET', `/artifact/model/${id}/rate`, as(reader))).toBe(500)
    expect(await statusOf('GET', `/artifact/model/${id}/cost`, as(reader))).toBe(500)
    expect(await statusOf('GET', `/artifact/model/${id}/lineage`, as(reader))).toBe(400)
    expect(await statusOf('DELETE', `/artifacts/model/${id}`, as(admin))).toBe(200)
  })

  it('GET cost: alone and with what it was made from', async () => {
    const cost = async (query = '', id = model.id) =>
      (await call('GET', `/artifact/model/${id}/cost${query}`, as(reader))).body
    expect(await cost()).toEqual({ [model.id]: { total_cost: 1.001 } })
    const alone = { total_cost: 1.001, standalone_cost: 1.001 }
    expect(await cost('?dependency=true')).toEqual({ [model.id]: alone })
    expect(await statusOf('GET', `/artifact/model/${model.id}/cost?dependency=maybe`, as(reader))).toBe(400)
    expect(await statusOf('GET', `/artifact/model/${UNKNOWN_ID}/cost`, as(reader))).toBe(404)
    const made = await call(
      'POST',
      '/artifact/dataset',
      as(admin, { url: `${world.hub.url}/datasets/harbour/squalls` }),
    )
    const { id } = (made.body as { metadata: { id: string } }).metadata
    await world.registry.settled()
    // The fake hub says nothing of the size of this README.
    const both = (await cost('?dependency=true')) as Record<string, { total_cost: number; standalone_cost: number }>
    expect(Object.keys(both).toSorted()).toEqual([model.id, id].toSorted())
    expect(both[model.id]?.total_cost).toBeCloseTo(1.001 + (both[id]?.standalone_cost ?? 0), 3)
    expect(await statusOf('DELETE', `/artifacts/dataset/${id}`, as(admin))).toBe(200)
  })

  it('GET lineage', async () => {
    const { body } = await call('GET', `/artifact/model/${model.id}/lineage`, as(reader))
    const { nodes, edges } = body as { nodes: { artifact_id: string; source: string }[]; edges: unknown[] }
    expect(nodes[0]).toMatchObject({ artifact_id: model.id, node: model.id })
    expect(edges).toContainEqual({
      from_node_artifact_id: nodes[1]?.artifact_id,
      to_node_artifact_id: model.id,
      relationship: 'finetune',
    })
    expect(await statusOf('GET', `/artifact/model/${UNKNOWN_ID}/lineage`, as(reader))).toBe(404)
    expect(await statusOf('GET', `/artifact/model/${model.id}/lineage?direction=up`, as(reader))).toBe(400)
  })

  it('POST license-check', async () => {
    const check = (url: unknown, id = model.id) =>
      call('POST', `/artifact/model/${id}/license-check`, as(reader, { github_url: url }))
    // Apache-2.0 into MIT: OSADL's matrix allows it.
    const { status, body, headers } = await check('https://github.test/harbour/tern')
    expect([status, typeof body]).toEqual([200, 'boolean'])
    expect(headers.get('x-siltstone-reason')).toContain('fine-tuning')
    expect((await check('https://github.test/harbour/absent')).status).toBe(404)
    expect((await check('https://github.test/harbour/tern', UNKNOWN_ID)).status).toBe(404)
    for (const bad of ['https://elsewhere.test/a/b', 'x', '', 7, undefined]) expect((await check(bad)).status).toBe(400)
  })

  it('POST license-check is 502 if GitHub does not answer', async () => {
    const other = await servedRegistry()
    try {
      other.registry.sources.projectLicence = () => Promise.reject(unavailable('source-failed', 'HTTP 503'))
      const token = await other.logIn()
      const made = await other.call(
        'POST',
        '/artifact/model',
        as(token, { url: `${other.hub.url}/harbour/tern-small` }),
      )
      const { id } = (made.body as { metadata: { id: string } }).metadata
      const body = { github_url: 'https://github.test/harbour/tern' }
      expect((await other.call('POST', `/artifact/model/${id}/license-check`, as(token, body))).status).toBe(502)
    } finally {
      await other.close()
    }
  })

  it('GET audit: each action once, and reading it from the next time on', async () => {
    const before = (await call('GET', `/artifact/model/${model.id}/audit`, as(admin))).body as { action: string }[]
    const after = (await call('GET', `/artifact/model/${model.id}/audit`, as(admin))).body as typeof before
    expect(before[0]).toMatchObject({ action: 'CREATE', user: { name: ADMIN.name, is_admin: true } })
    expect(after.length).toBe(before.length + 1)
    expect(after.at(-1)).toMatchObject({ action: 'AUDIT' })
    expect(await statusOf('GET', `/artifact/model/${UNKNOWN_ID}/audit`, as(admin))).toBe(404)
    expect(await statusOf('GET', `/artifact/thing/${model.id}/audit`, as(admin))).toBe(400)
  })

  it('GET download leads to the source of what was not uploaded', async () => {
    const { status, headers } = await call('GET', `/download/model/${model.id}`, as(admin))
    expect([status, headers.get('location')]).toEqual([302, model.url])
    expect(await statusOf('GET', `/download/model/${model.id}?aspect=soul`, as(admin))).toBe(400)
    const asked = await call('GET', `/artifacts/model/${model.id}`, as(admin))
    const link = new URL((asked.body as { data: { download_url: string } }).data.download_url)
    expect(await statusOf('GET', `${link.pathname}${link.search}`)).toBe(302)
    expect(await statusOf('GET', link.pathname)).toBe(403)
    const forged = [link.search.replace('by=root', 'by=reader'), link.search.replace(/exp=\d+/, 'exp=9999999999')]
    for (const search of forged) expect(await statusOf('GET', `${link.pathname}${search}`)).toBe(403)
    expect(await statusOf('GET', `/download/model/${UNKNOWN_ID}${link.search}`)).toBe(403)
    // Who may not download gets no such link.
    const bare = await call('GET', `/artifacts/model/${model.id}`, as(reader))
    expect((bare.body as { data: { download_url: string } }).data.download_url).not.toContain('?')
    expect(await statusOf('GET', `/download/model/${UNKNOWN_ID}`, as(admin))).toBe(404)
  })
})

describe('accounts', () => {
  it('are made, listed, changed and deleted', async () => {
    const user = { user: { name: 'a b/ü', is_admin: false }, secret: { password: 'yet another one' } }
    expect(await statusOf('POST', '/register', as(admin, user))).toBe(201)
    expect(await statusOf('POST', '/register', as(admin, user))).toBe(409)
    expect(await statusOf('POST', '/register', as(admin, { ...user, permissions: ['fly'] }))).toBe(400)
    expect(await statusOf('POST', '/register', as(admin, { ...user, secret: { password: 'short' } }))).toBe(400)
    expect(await statusOf('POST', '/register', as(reader, user))).toBe(403)
    expect(await statusOf('PUT', '/user/nobody/permissions', as(reader, { permissions: [] }))).toBe(403)
    expect(await statusOf('PUT', '/user/nobody/password', as(reader, {}))).toBe(403)
    expect(await statusOf('PUT', '/user/nobody/password', as(admin, {}))).toBe(400)
    expect(await statusOf('PUT', '/user/nobody/password', as(admin, { secret: user.secret }))).toBe(404)
    expect(await statusOf('POST', '/user/nobody/keys', as(admin, {}))).toBe(404)
    expect(await statusOf('PUT', '/user/nobody/quota', as(reader, {}))).toBe(403)
    expect(await statusOf('PUT', '/user/nobody/quota', as(admin, { quota: { bytes: -1 } }))).toBe(400)
    expect(await statusOf('PUT', '/user/nobody/quota', as(admin, {}))).toBe(404)
    expect(await statusOf('PUT', '/user/reader/quota', as(admin, { quota: { bytes: 10 } }))).toBe(200)
    expect(await statusOf('GET', '/user/reader/usage', as(reader))).toBe(200)
    expect(await statusOf('GET', '/user/nobody/usage', as(reader))).toBe(403)
    expect(await statusOf('GET', '/user/nobody/usage', as(admin))).toBe(404)
    const path = `/user/${encodeURIComponent(user.user.name)}`
    const token = await world.logIn(user.user.name, user.secret.password)
    expect(await statusOf('GET', '/users', as(admin))).toBe(200)
    const key = (await call('POST', `${path}/keys`, as(token, { permissions: ['search'], days: 1 }))).body as {
      token: string
    }
    expect(await statusOf('POST', '/artifacts', as(key.token, []))).toBe(200)
    expect(await statusOf('POST', '/artifact/code', as(key.token, { url: 'https://a.test/b' }))).toBe(403)
    expect(await statusOf('POST', `${path}/keys`, as(key.token, {}))).toBe(403)
    expect(await statusOf('POST', `${path}/keys`, as(token, { days: 0 }))).toBe(400)
    expect(await statusOf('POST', `${path}/keys`, as(token, { permissions: ['admin'] }))).toBe(403)
    expect(await statusOf('PUT', `${path}/permissions`, as(admin, { permissions: ['download'] }))).toBe(200)
    expect(await statusOf('POST', '/artifacts', as(token, []))).toBe(403)
    expect(await statusOf('POST', '/artifacts', as(key.token, []))).toBe(403)
    const again = await world.logIn(user.user.name, user.secret.password)
    expect(await statusOf('PUT', `${path}/password`, as(again, { secret: { password: 'an even newer one' } }))).toBe(
      200,
    )
    const last = await world.logIn(user.user.name, 'an even newer one')
    expect(await statusOf('DELETE', '/authenticate', as(last))).toBe(200)
    expect(await statusOf('DELETE', path, as(last))).toBe(403)
    expect(await statusOf('DELETE', path, as(admin))).toBe(200)
    expect(await statusOf('DELETE', path, as(admin))).toBe(404)
    expect(await statusOf('PUT', `${path}/permissions`, as(admin, { permissions: [] }))).toBe(404)
    expect(await statusOf('PUT', `${path}/permissions`, as(admin, {}))).toBe(400)
  })
})

describe('methods and paths', () => {
  it('are 405 with Allow, and 404', async () => {
    const { status, headers } = await call('POST', '/health')
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect(await statusOf('PUT', '/artifacts')).toBe(405)
    expect(await statusOf('GET', '/nothing')).toBe(404)
    expect((await world.call('HEAD', '/health')).text).toBe('')
  })
})

describe('DELETE /reset', () => {
  it('leaves the configured admin and nothing else, and ends all tokens', async () => {
    const other = await servedRegistry()
    try {
      const token = await other.logIn()
      const user = { user: { name: 'x', is_admin: true }, secret: { password: 'a long password' } }
      await other.call('POST', '/register', as(token, user))
      await other.call('POST', '/artifact/code', as(token, { url: 'https://elsewhere.test/a' }))
      expect((await other.call('DELETE', '/reset', as(token))).status).toBe(200)
      expect((await other.call('POST', '/artifacts', as(token, []))).status).toBe(403)
      const login = { user: { name: 'x', is_admin: false }, secret: user.secret }
      expect((await other.call('PUT', '/authenticate', as(undefined, login))).status).toBe(401)
      const next = await other.logIn()
      expect((await other.call('POST', '/artifacts', as(next, [{ name: '*' }]))).body).toEqual([])
      expect((await other.call('GET', '/users', as(next))).body).toMatchObject([{ name: ADMIN.name }])
      const again = await other.call('POST', '/artifact/code', as(next, { url: 'https://elsewhere.test/a' }))
      expect(again.status).toBe(201)
    } finally {
      await other.close()
    }
  })
})

/** With this, the tests above have walked every status that the contract declares; what needs another registry is named here. */
const ELSEWHERE: Record<string, number[]> = {
  ArtifactCreate: [404, 424],
  RegistryReset: [200, 400],
  ArtifactLicenseCheck: [502, 413],
  CreateAuthToken: [413, 429],
  Tracks: [500],
  ArtifactDownload: [200, 413],
  DeleteAuthToken: [403],
}

it('saw every status of every operation', () => {
  const missed = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ operationId, responses }) =>
      Object.keys(responses)
        .map(Number)
        .filter((status) => ![429, 503, 507].includes(status) && (status !== 413 || operationId === 'ArtifactsList'))
        .filter((status) => seen.get(operationId)?.has(status) !== true)
        .filter((status) => ELSEWHERE[operationId]?.includes(status) !== true)
        .map((status) => `${operationId} ${status}`),
    ),
  )
  expect(missed).toEqual([])
})
