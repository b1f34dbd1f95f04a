import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterEach, describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { EmbedderRegistry } from '../embed/registry.ts'
import { StoreEngine } from '../engine/engine.ts'
import { systemModels } from '../host/model-host.ts'
import { tokenAuthenticator } from './auth.ts'
import { loadMcp } from './mcp.ts'
import type { RunningServer, ServerOptions } from './server.ts'
import { startTestServer } from './testing/server.ts'

let running: RunningServer | undefined

async function start(more: Partial<ServerOptions> = {}): Promise<URL> {
  const env = memoryEnvironment()
  const engine = await StoreEngine.open({ env })
  const registry = new EmbedderRegistry({ ...env, models: systemModels, variables: {} }, {})
  await engine.catalog.createTenant('acme')
  await engine.catalog.createDatabase('acme', 'prod')
  running = await startTestServer({
    engine,
    maintenance: engine.maintenance,
    embedderFor: async () => registry.default,
    mcp: await loadMcp('this test'),
    ...more,
  })
  return new URL('/mcp', running.url)
}
afterEach(() => running?.close())

const post = (url: URL, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...headers },
    body: JSON.stringify(body),
  })
/** Older clients are answered with one event. */
async function resultOf(answer: Response) {
  const text = await answer.text()
  const data = /^data: (.*)$/m.exec(text)?.[1] ?? text
  return JSON.parse(data) as { result?: { tools?: unknown[] }; error?: unknown }
}

const LIST = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }

describe('POST /mcp', () => {
  for (const mode of ['legacy', 'auto'] as const)
    it(`answers the client of the SDK (${mode})`, async () => {
      const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
      await client.connect(new StreamableHTTPClientTransport(await start()))
      expect((await client.listTools()).tools).toHaveLength(6)
      await client.callTool({ name: 'remember', arguments: { collection: 'notes', text: 'Silt settles.' } })
      const found = await client.callTool({ name: 'search', arguments: { collection: 'notes', query: 'silt' } })
      expect(found.structuredContent).toMatchObject({ hits: [{ snippet: 'Silt settles.' }], version: 1 })
      const { contents } = await client.readResource({ uri: 'siltstone://notes' })
      expect(contents).toHaveLength(1)
      await client.close()
    })

  it('says how to start it where it is not served', async () => {
    running = await startTestServer()
    const answer = await post(new URL('/mcp', running.url), LIST)
    expect(answer.status).toBe(404)
    expect(await answer.text()).toContain('siltstone serve --mcp')
  })

  it('refuses foreign origins and names, and methods that it has no use for', async () => {
    const url = await start()
    expect((await post(url, LIST)).status).toBe(200)
    expect((await post(url, LIST, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await post(url, LIST, { 'sec-fetch-site': 'cross-site' })).status).toBe(403)
    expect((await post(url, LIST, { origin: url.origin })).status).toBe(200)
    const get = await fetch(url)
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await post(url, 'nonsense')).status).toBe(400)
  })

  it('gives what the token may see', async () => {
    const auth = tokenAuthenticator(
      JSON.stringify([
        { token: 'reader', user: 'eve', role: 'read', tenants: ['acme'], databases: ['prod'] },
        { token: 'writer', user: 'bob', role: 'write', tenants: ['acme'], databases: ['prod'] },
      ]),
    )
    const url = await start({ auth })
    const as = async (token: string, body: unknown, query = '') => {
      const answer = await post(new URL(query, url), body, { 'x-chroma-token': token })
      return { status: answer.status, json: await resultOf(answer) }
    }
    expect((await post(url, LIST)).status).toBe(401)
    expect((await as('reader', LIST)).json.result?.tools).toHaveLength(3)
    expect((await as('writer', LIST)).json.result?.tools).toHaveLength(6)
    expect((await as('writer', LIST, '?tenant=default_tenant')).status).toBe(403)
    expect((await as('writer', LIST, '?database=test')).status).toBe(403)
    const remember = (token: string) =>
      as(token, {
        ...LIST,
        method: 'tools/call',
        params: { name: 'remember', arguments: { collection: 'notes', text: 'x' } },
      })
    expect((await remember('reader')).json).toMatchObject({ error: expect.anything() })
    expect((await remember('writer')).json).toMatchObject({ result: { structuredContent: { created: true } } })
  })

  it('writes nothing on a read-only server', async () => {
    const url = await start({ readOnly: true })
    expect((await resultOf(await post(url, LIST))).result?.tools).toHaveLength(3)
  })
})
