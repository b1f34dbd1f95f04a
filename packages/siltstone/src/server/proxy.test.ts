import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { requestSigner } from '../drivers/aws/sign-request.ts'
import { silentLogger } from '../ports/telemetry.ts'
import { type RunningProxy, startProxy } from './proxy.ts'

const SECRET = 'a-secret-for-tests'
let upstream: Server
let proxy: RunningProxy
let seen: { request: IncomingMessage; body: Buffer; isSigned: boolean }[]

const hex = (value: string | Buffer) => createHash('sha256').update(value).digest('hex')
const hmac = (key: string | Buffer, value: string) => createHmac('sha256', key).update(value).digest()

/** Signature Version 4 as its documentation tells it, written down again: not the library that signs. */
function isSigned(request: IncomingMessage, body: Buffer): boolean {
  const given =
    /Credential=([^/]+)\/(\d+)\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=(\w+)/.exec(
      request.headers.authorization ?? '',
    )
  if (!given) return false
  const [, , day = '', region = '', service = '', names = '', signature] = given
  const [path = '', query = ''] = (request.url ?? '').split('?')
  const canonical = [
    request.method,
    path
      .split('/')
      .map((part) => encodeURIComponent(part))
      .join('/'),
    query.split('&').sort().join('&'),
    ...names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    names,
    hex(body),
  ].join('\n')
  const date = String(request.headers['x-amz-date'])
  const toSign = ['AWS4-HMAC-SHA256', date, `${day}/${region}/${service}/aws4_request`, hex(canonical)].join('\n')
  const key = ['aws4_request', service, region, day].reduceRight<Buffer | string>(
    (made, part) => hmac(made, part),
    `AWS4${SECRET}`,
  )
  return hmac(key, toSign).toString('hex') === signature
}

beforeEach(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', SECRET)
  seen = []
  upstream = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      seen.push({ request, body, isSigned: isSigned(request, body) })
      response.writeHead(request.url?.includes('missing') ? 404 : 200, {
        'content-type': 'application/json',
        'x-siltstone-version': '7',
      })
      response.end(JSON.stringify({ path: request.url, length: body.length }))
    })
  })
  await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', () => listening()))
  const target = new URL(`http://127.0.0.1:${(upstream.address() as AddressInfo).port}/`)
  const sign = requestSigner('lambda', 'eu-central-1')
  proxy = await startProxy({ target, sign, host: '127.0.0.1', port: 0, log: silentLogger })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await proxy.close()
  upstream.closeAllConnections()
  await new Promise<void>((closed) => upstream.close(() => closed()))
})

it('signs forwarded requests with body and query, and returns the answer', async () => {
  const body = JSON.stringify({ query_embeddings: [[1, 2]], text: 'ü' })
  const posted = await fetch(`${proxy.url}/api/v2/things/query`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  expect(await posted.json()).toEqual({ path: '/api/v2/things/query', length: Buffer.byteLength(body) })
  expect(posted.headers.get('x-siltstone-version')).toBe('7')
  const missing = await fetch(`${proxy.url}/api/v2/missing?limit=3&offset=1`)
  expect(missing.status).toBe(404)
  expect(seen.map(({ isSigned: signed }) => signed)).toEqual([true, true])
  expect(seen[0]?.body.toString()).toBe(body)
  expect(seen[1]?.request.url).toBe('/api/v2/missing?limit=3&offset=1')
})

it('a server that does not answer is a bad gateway', async () => {
  upstream.closeAllConnections()
  await new Promise<void>((closed) => upstream.close(() => closed()))
  const response = await fetch(`${proxy.url}/api/v2/heartbeat`)
  expect(response.status).toBe(502)
  expect(await response.json()).toMatchObject({ error: 'BadGateway' })
  await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', () => listening()))
})

it('signs nothing for web pages', async () => {
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }] as Record<
    string,
    string
  >[]) {
    const answer = await fetch(`${proxy.url}/api/v2/reset`, { method: 'POST', headers })
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('no web pages')])
  }
  expect(seen).toEqual([])
})
