import { afterEach, describe, expect, it } from 'vitest'
import { pathPrefix } from './path-prefix.ts'
import type { RunningServer, ServerOptions } from './server.ts'
import { startTestServer } from './testing/server.ts'

let running: RunningServer | undefined
afterEach(() => running?.close())

const PAGE = { name: 'index.html', type: 'text/html', bytes: new TextEncoder().encode('<title>console</title>') }

async function start(options: Partial<ServerOptions>) {
  running = await startTestServer({
    console: async () => [PAGE],
    openMetrics: { contentType: 'text/plain', text: async () => 'metrics' },
    ...options,
  })
  const { port } = running
  return (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual', ...init })
}

describe('a path prefix', () => {
  it('stands before every path, and only the probes are at the root, too', async () => {
    const ask = await start({ pathPrefix: '/a/vectors' })
    expect(running?.url).toMatch(/:\d+\/a\/vectors$/)
    for (const path of ['/api/v2/heartbeat', '/api/v2/heartbeat/', '/', '/docs', '/openapi.json', '/metrics']) {
      expect((await ask(`/a/vectors${path}`)).status, path).toBe(200)
      expect((await ask(path)).status, path).toBe(404)
      expect((await ask(`/a/vectorsx${path}`)).status, path).toBe(404)
    }
    for (const path of ['/healthz', '/readyz', '/a/vectors/healthz', '/a/vectors/readyz'])
      expect((await ask(path)).status, path).toBe(200)
    expect((await ask('/a/vectors/api/v2/tenants', { method: 'PUT' })).status).toBe(405)
  })

  it('writes and reads as at the root', async () => {
    const ask = await start({ pathPrefix: '/v' })
    const headers = { 'content-type': 'application/json' }
    const created = await ask('/v/api/v2/tenants', { method: 'POST', headers, body: '{"name":"acme"}' })
    expect(created.status).toBe(200)
    expect(await (await ask('/v/api/v2/tenants/acme')).json()).toMatchObject({ name: 'acme' })
  })

  it('leads pages to the address from which their links work', async () => {
    const ask = await start({ pathPrefix: '/v' })
    const bare = await ask('/v?x=1')
    expect([bare.status, bare.headers.get('location')]).toEqual([302, '/v/?x=1'])
    expect((await ask('/v/docs/')).headers.get('location')).toBe('../docs')
    const document = (await (await ask('/v/openapi.json')).json()) as { servers: unknown }
    expect(document.servers).toEqual([{ url: '/v' }])
    await running?.close()
    const without = await start({ pathPrefix: '/v', console: async () => undefined })
    expect((await without('/v/')).headers.get('location')).toBe('/v/docs')
  })

  it('is brought into one form, or refused', () => {
    for (const [text, prefix] of [
      ['/vectors', '/vectors'],
      ['vectors/', '/vectors'],
      ['//a//b/', '/a/b'],
      ['/', ''],
      ['', ''],
    ] as const)
      expect(pathPrefix(text)).toBe(prefix)
    for (const text of ['/a b', '/a?x', '/../x', '/a/./b', '/ü', '/{x}', '/:x', '/*'])
      expect(() => pathPrefix(text), text).toThrow('Give a path')
  })
})
