/** What strangers may try over HTTP, against the real engine. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { expectError, testApi } from '../chroma/testing/api.ts'
import { StoreEngine } from '../engine/engine.ts'
import type { Engine } from '../model/store.ts'
import { unavailable } from '../errors.ts'
import { parseKey } from '../format/keys.ts'
import { closeEnvironment, openEnvironment } from '../drivers/directory/directory-environment.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { tokenAuthenticator } from './auth.ts'
import { jsonLogger } from './logging.ts'
import type { RunningServer } from './server.ts'
import { sendBytes, startTestServer } from './testing/server.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function served(options: Parameters<typeof startTestServer>[0] = {}): Promise<RunningServer> {
  const server = await startTestServer(options)
  ends.push(() => server.close())
  return server
}

describe('names that look like paths', () => {
  const NAMES = [
    '../../../escaped',
    '..',
    '.',
    '%2e%2e%2fescaped',
    '..%2f..%2fescaped',
    '..%5c..%5cescaped',
    '/etc/passwd',
    'C:\\escaped',
    'a/../../escaped',
    'null\u0000byte',
    'line\nbreak',
    '~root',
    '.siltstone/lock.sqlite',
    '.tmp/x',
    'delta/x/inbox/y',
    '__proto__',
    'x'.repeat(5_000),
  ]

  it('end up hashed below the directory, or are refused', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'siltstone-exposure-'))
    const directory = join(outside, 'deep', 'store')
    ends.push(async () => rmSync(outside, { recursive: true }))
    const env = await openEnvironment(directory)
    ends.push(() => closeEnvironment(env))
    const engine = await StoreEngine.open({ env })
    const api = testApi(engine)
    for (const name of NAMES) {
      const encoded = encodeURIComponent(name)
      const here = '/api/v2/tenants/default_tenant/databases/default_database/collections'
      const answers = [
        await api.call('POST', '/api/v2/tenants', { name }),
        await api.call('GET', `/api/v2/tenants/${encoded}`),
        await api.call('POST', `/api/v2/tenants/${encoded}/databases`, { name }),
        await api.call('POST', `/api/v2/tenants/${encoded}/databases/${encoded}/collections`, { name: 'things' }),
        await api.call('POST', here, { name }),
        await api.call('GET', `${here}/${encoded}`),
        await api.call('POST', `${here}/${encoded}/get`, {}),
        await api.call('GET', `/api/v2/collections/${encoded}:x:y`),
      ]
      for (const { status, text } of answers) expect(status, `${name}: ${text}`).toBeLessThan(500)
    }
    expect(readdirSync(outside)).toEqual(['deep'])
    expect(readdirSync(join(outside, 'deep'))).toEqual(['store'])
    for (const key of filesOf(directory)) expect(parseKey(key), key).toBeDefined()
  })

  it('as raw request lines lead nowhere', async () => {
    const { port } = await served()
    for (const path of [
      '/../../../etc/passwd',
      '/api/v2/../../etc/passwd',
      '/docs/..%2f..%2fetc/passwd',
      '//etc/passwd',
    ]) {
      const answer = await sendBytes(port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      expect(answer, path).toMatch(/^HTTP\/1\.1 40[04]/)
      expect(answer).not.toContain('root:')
    }
  })
})

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => relative(directory, path))
    .filter((key) => !key.startsWith('.siltstone') && !key.startsWith('.tmp'))
}

describe('names of what every object has', () => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype']

  it.each(NAMES)('%s is a key, a tenant and a value like any other, and no operator', async (name) => {
    const api = testApi(await StoreEngine.open({ env: memoryEnvironment({ seed: 1 }) }))
    const path = await api.collection('things')
    const json = (value: string) => `{"${name}":${value}}`
    const record = `{"ids":["${name}"],"embeddings":[[1]],"documents":["d"],"metadatas":[${json('"v"')}],"${name}":{"x":1}}`
    expect((await api.db('POST', `${path}/add`, record)).status).toBe(201)
    const get = (where: string) => api.db('POST', `${path}/get`, `{"where":${where}}`)
    expect((await get(json('"v"'))).json.ids).toEqual([name])
    expect((await get(json('"other"'))).json.ids).toEqual([])
    expect((await get(json('{"$ne":"v"}'))).json.ids).toEqual([])
    for (const where of [
      `{"a":${json('1')}}`,
      `{"a":{"$in":${json('1')}}}`,
      `{"$and":${json('[]')}}`,
      `{"$${name}":[]}`,
    ])
      expect((await get(where)).status, where).toBe(400)
    expect((await api.db('POST', `${path}/get`, `{"where_document":${json('"d"')}}`)).status).toBe(400)
    expect((await api.db('POST', `${path}/get`, `{"include":["${name}"]}`)).status).toBeGreaterThanOrEqual(400)
    const found = await api.db('POST', `${path}/get`, '{"include":["metadatas"]}')
    expect(found.text).toContain(json('"v"'))
    expect((await api.call('GET', `/api/v2/tenants/${name}`)).status).toBe(404)
    expect((await api.call('POST', '/api/v2/tenants', `{"name":"${name}"}`)).status).toBe(200)
    expect((await api.call('GET', `/api/v2/tenants/${name}`)).status).toBe(200)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
    expect(Object.keys(Object.prototype)).toEqual([])
  })
})

describe('tokens that clients hand back', () => {
  it('do not open another collection', async () => {
    const env = memoryEnvironment({ seed: 1 })
    const engine = await StoreEngine.open({ env })
    const api = testApi(engine)
    const [mine, theirs] = [await api.collection('mine'), await api.collection('theirs')]
    const add = (path: string, text: string) =>
      api.db('POST', `${path}/add`, { ids: ['a', 'b'], embeddings: [[1], [2]], documents: [text, text] })
    await add(mine, 'of mine')
    await add(theirs, 'a secret')
    const manifests = () => env.store.list('snapshot/').then(({ objects }) => objects.map(({ key }) => key))
    for (const path of await engine.collectionsWithLogs()) await engine.compact(path)
    const id = theirs.slice('/collections/'.length)
    const key = (await manifests()).find((one) => one.includes(id) && one.includes('/manifest/'))
    const page = (m: string | null) =>
      api.db('POST', `${mine}/get`, {
        page_token: Buffer.from(JSON.stringify({ m, v: 1, u: [], o: 0 })).toString('base64url'),
      })
    expect(key).toBeDefined()
    for (const forged of [
      key ?? '',
      'snapshot/latest/pointer.txt',
      '../../etc/passwd',
      key?.replace(/[^/]+$/, 'x') ?? '',
    ]) {
      const answer = await page(forged)
      expectError(answer, 400, 'InvalidArgumentError', /page token/)
      expect(answer.text).not.toContain('secret')
    }
    const own = (await manifests()).find((one) => !one.includes(id) && one.includes('/manifest/'))
    expect((await page(own ?? '')).json.documents).toEqual(['of mine', 'of mine'])
    for (const o of [-1, 1.5, '0', 1e300])
      expect(
        (
          await api.db('POST', `${mine}/get`, {
            page_token: Buffer.from(JSON.stringify({ m: own, v: 1, u: [], o })).toString('base64url'),
          })
        ).status,
      ).toBe(400)
  })
})

describe('bodies', () => {
  it('that are compressed are refused, not decompressed', async () => {
    const { url } = await served()
    const bomb = gzipSync(Buffer.alloc(50e6, ' '))
    for (const encoding of ['gzip', 'deflate', 'br', 'zstd', 'GZIP, gzip']) {
      const answer = await fetch(`${url}/api/v2/tenants`, {
        method: 'POST',
        body: new Uint8Array(bomb),
        headers: { ...JSON_TYPE, 'content-encoding': encoding },
      })
      expect([answer.status, ((await answer.json()) as { message: string }).message]).toEqual([
        415,
        expect.stringContaining('Content-Encoding'),
      ])
    }
    const plain = { ...JSON_TYPE, 'content-encoding': 'identity' }
    const answer = await fetch(`${url}/api/v2/tenants`, { method: 'POST', body: '{"name":"acme"}', headers: plain })
    expect(answer.status).toBe(200)
  })

  it('with a pattern of exponential cost are answered soon', async () => {
    const api = testApi(await StoreEngine.open({ env: memoryEnvironment({ seed: 1 }) }))
    const path = await api.collection('things')
    await api.db('POST', `${path}/add`, { ids: ['a'], embeddings: [[1]], documents: [`${'a'.repeat(40_000)}!`] })
    const get = ($regex: string) => api.db('POST', `${path}/get`, { where_document: { $regex } })
    for (const pattern of ['^(a+)+$', '(a*)*b', '(a|a)*c', '^(([a-z])+.)+[A-Z]([a-z])+$'])
      expect((await get(pattern)).json.ids, pattern).toEqual([])
    for (const pattern of ['(a{1000}){1000}', `${'(a?)'.repeat(3_000)}${'a'.repeat(15_000)}`, '(?=a)', '(a)\\1'])
      expect((await get(pattern)).status, pattern.slice(0, 20)).toBe(400)
  })
})

describe('slow clients', () => {
  it.each([
    ['headers', 'POST /api/v2/tenants HTTP/1.1\r\nHost: localhost\r\nX-A: '],
    [
      'body',
      'POST /api/v2/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
    ],
  ])('over their %s are sent away, while others are served', async (_, head) => {
    const { url, port } = await served({ timeouts: { headersMs: 300, receiveMs: 400 } })
    const closed = Array.from({ length: 20 }, () => {
      const socket = connect(port, '127.0.0.1', () => socket.write(head))
      // A byte now and then keeps a connection busy, not alive.
      const timer = setInterval(() => socket.write('x'), 100)
      let answer = ''
      socket.on('data', (chunk) => (answer += chunk.toString('latin1')))
      socket.on('error', () => socket.destroy())
      return new Promise<string>((resolve) => {
        socket.on('close', () => {
          clearInterval(timer)
          resolve(answer)
        })
      })
    })
    expect((await fetch(`${url}/api/v2/version`)).status).toBe(200)
    // Closed without an answer, or with one that says why.
    for (const answer of await Promise.all(closed)) expect(answer).toMatch(/^(?:$|HTTP\/1\.1 4)/)
  })
})

describe('secrets', () => {
  it('are in no log line and no answer', async () => {
    const lines: string[] = []
    const log = jsonLogger({ level: 'debug', stream: { write: (line) => void lines.push(line) } })
    const engine = await StoreEngine.open({ env: { ...memoryEnvironment({ seed: 1 }), log } })
    const tokens = [{ token: 'right-secret-token', user: 'ali', role: 'admin', tenants: ['*'] }]
    const broken: Engine = {
      catalog: engine.catalog,
      collection: () =>
        Promise.reject(unavailable('io-error', 'the disk is on fire', { cause: new Error('deep down') })),
      close: () => engine.close(),
    }
    const { url } = await served({ engine: broken, log, auth: tokenAuthenticator(JSON.stringify(tokens)) })
    const collections = `${url}/api/v2/tenants/default_tenant/databases/default_database/collections`
    const answers: string[] = []
    for (const headers of [
      { 'x-chroma-token': 'right-secret-token' },
      { authorization: 'Bearer right-secret-token' },
      { 'x-chroma-token': 'wrong-secret-token' },
      { authorization: 'Basic wrong-secret-token' },
    ] as Record<string, string>[]) {
      for (const [path, body] of [
        ['', '{"name":"things","get_or_create":true}'],
        ['', '{broken'],
        ['/0b1c2d3e-0000-4000-8000-00000000000a/get', '{}'],
        ['/no-uuid/get', '{}'],
      ] as const) {
        const answer = await fetch(collections + path, { method: 'POST', body, headers: { ...JSON_TYPE, ...headers } })
        answers.push(`${answer.status} ${JSON.stringify([...answer.headers])} ${await answer.text()}`)
      }
    }
    expect(lines.join('')).toContain('the disk is on fire')
    expect(answers.map((answer) => answer.slice(0, 3))).toEqual(expect.arrayContaining(['200', '401', '503', '400']))
    expect([...lines, ...answers].join('\n')).not.toContain('secret-token')
  })
})

describe('web pages', () => {
  const raw = (port: number, method: string, path: string, headers: string[], body = '') =>
    sendBytes(
      port,
      [`${method} ${path} HTTP/1.1`, 'Connection: close', `Content-Length: ${body.length}`, ...headers, '', body].join(
        '\r\n',
      ),
    )
  const RESET = '/api/v2/reset'
  const TENANTS = '/api/v2/tenants'

  it('of another site cannot write without tokens: forms, bodies without a type, empty requests', async () => {
    const { port } = await served({ allowReset: true })
    const host = `Host: localhost:${port}`
    const form = 'Content-Type: application/x-www-form-urlencoded'
    for (const [headers, body, status] of [
      [[host, form], '', 415],
      [[host, form], 'a=b', 415],
      [[host, 'Content-Type: text/plain'], '{"name":"x"}', 415],
      [[host, 'Sec-Fetch-Site: same-origin'], '{"name":"x"}', 415],
      [[host, 'Origin: https://evil.example'], '', 403],
      [[host, 'Origin: null', 'Content-Type: application/json'], '{"name":"x"}', 403],
      [[host, 'Sec-Fetch-Site: cross-site'], '', 403],
    ] as const) {
      for (const path of [RESET, TENANTS])
        expect(await raw(port, 'POST', path, [...headers], body), headers.join()).toMatch(`HTTP/1.1 ${status} `)
    }
    expect(await raw(port, 'GET', `${TENANTS}/x`, [host])).toMatch(/^HTTP\/1.1 404 /)
    expect(await raw(port, 'POST', RESET, [host])).toMatch(/^HTTP\/1.1 200 /)
  })

  it('may send requests without a body, as browsers do: no Content-Length with DELETE and PATCH', async () => {
    const { port } = await served({ allowReset: true })
    const bodiless = (method: string, path: string, page: readonly string[]) =>
      sendBytes(port, [`${method} ${path} HTTP/1.1`, 'Connection: close', ...page, '', ''].join('\r\n'))
    const host = `Host: localhost:${port}`
    const collection = '/api/v2/tenants/default_tenant/databases/default_database/collections/none'
    for (const page of [
      [host, 'Sec-Fetch-Site: same-origin'],
      [host, `Origin: http://localhost:${port}`],
    ]) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
        expect(await bodiless(method, collection, page), method).not.toMatch(/^HTTP\/1.1 415 /)
      expect(await bodiless('DELETE', collection, page)).toMatch(/^HTTP\/1.1 404 /)
      expect(await bodiless('POST', RESET, page)).toMatch(/^HTTP\/1.1 200 /)
      const chunked = [...page, 'Transfer-Encoding: chunked', '', '2', '{}', '0']
      expect(await bodiless('DELETE', collection, chunked)).toMatch(/^HTTP\/1.1 415 /)
    }
  })

  it('cannot reach it under a name of their own, at any path', async () => {
    const openMetrics = { contentType: 'text/plain', text: async () => 'metrics' }
    const { port } = await served({ openMetrics })
    for (const path of ['/api/v2/heartbeat', '/metrics', '/docs', '/openapi.json', '/api/v1/x', '/nothing'])
      for (const method of ['GET', 'OPTIONS'])
        expect(await raw(port, method, path, ['Host: evil.example']), path).toMatch(
          /^HTTP\/1.1 403 [^]*Host is 'evil.example'[^]*--allowed-hosts evil.example/,
        )
    expect(await raw(port, 'GET', '/metrics', ['Host: [::1]:1'])).toMatch(/^HTTP\/1.1 200 /)
  })

  it('may where they are named, and hosts are not checked with tokens', async () => {
    const named = await served({ corsOrigins: ['https://app.example'], allowedHosts: ['db.internal'] })
    const headers = ['Host: db.internal', 'Origin: https://app.example', 'Content-Type: application/json']
    expect(await raw(named.port, 'POST', TENANTS, headers, '{"name":"acme"}')).toMatch(/^HTTP\/1.1 200 /)
    const auth = tokenAuthenticator(JSON.stringify([{ token: 't', user: 'ali', role: 'admin', tenants: ['*'] }]))
    const guarded = await served({ auth })
    const token = ['Host: db.internal', 'x-chroma-token: t']
    expect(await raw(guarded.port, 'GET', `${TENANTS}/default_tenant`, token)).toMatch(/^HTTP\/1.1 200 /)
    expect(await raw(guarded.port, 'POST', TENANTS, [...token, 'Origin: https://evil.example'])).toMatch(/ 403 /)
  })
})
