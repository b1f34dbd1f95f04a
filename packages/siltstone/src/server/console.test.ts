import { afterEach, describe, expect, it } from 'vitest'
import { loadConsole } from './console.ts'
import type { RunningServer, ServerOptions } from './server.ts'
import { startTestServer } from './testing/server.ts'

let running: RunningServer | undefined
afterEach(() => running?.close())

const start = async (more: Partial<ServerOptions> = {}) => {
  running = await startTestServer(more)
  return (path: string, headers: Record<string, string> = {}) =>
    fetch(`${(running as RunningServer).url}${path}`, { headers, redirect: 'manual' })
}
const encode = (text: string) => new TextEncoder().encode(text)
const FILES = [
  { name: 'index.html', type: 'text/html; charset=utf-8', bytes: encode('<!doctype html><title>x</title>') },
  { name: 'console-ABCD2345.js', type: 'text/javascript; charset=utf-8', bytes: encode('1') },
]

describe('the console', () => {
  it('is served at / under a policy without inline code, and revalidated', async () => {
    const get = await start({ console: async () => FILES })
    const page = await get('/')
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<title>x</title>')
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect(page.headers.get('cache-control')).toBe('no-cache')
    const again = await get('/', { 'if-none-match': page.headers.get('etag') ?? '' })
    expect(again.status).toBe(304)
  })

  it('keeps files with a hash for ever, and has no others', async () => {
    const get = await start({ console: async () => FILES })
    const script = await get('/console-ABCD2345.js')
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    expect(script.headers.get('cache-control')).toContain('immutable')
    for (const path of ['/console-ABCD2346.js', '/index.html', '/..%2fpackage.json', '/console'])
      expect((await get(path)).status, path).toBe(404)
  })

  it('leaves / to the page of the API where it is not installed or not wanted', async () => {
    const get = await start()
    const answer = await get('/')
    expect([answer.status, answer.headers.get('location')]).toEqual([302, '/docs'])
  })

  it('is loaded when it is asked for, and again after a failure', async () => {
    let loads = 0
    const get = await start({
      console: async () => {
        if (++loads === 1) throw new Error('the package is broken')
        return FILES
      },
    })
    expect((await get('/docs')).status).toBe(200)
    expect((await get('/nothing')).status).toBe(404)
    expect(loads).toBe(0)
    expect((await get('/')).status).toBe(500)
    for (let i = 0; i < 2; i++) expect((await get('/')).status).toBe(200)
    expect(loads).toBe(2)
  })

  it('is the package of that name', async () => {
    const files = (await loadConsole()) ?? []
    const page = files.find(({ name }) => name === 'index.html')
    expect(page?.type).toBe('text/html; charset=utf-8')
    const get = await start({ console: loadConsole })
    for (const [, path = ''] of new TextDecoder().decode(page?.bytes).matchAll(/(?:src|href)="(\/[^"]+)"/g))
      expect((await get(path)).status, path).toBe(200)
  })
})
