/** What clients other than the SDK send: requests over a plain connection, signed by hand. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  amzDateOf,
  canonicalRequest,
  DirectoryBlobs,
  requestSignature,
  sha256Hex,
  signingKey,
  silentLogger,
  systemClock,
  systemIds,
  systemRandom,
} from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AccessKeys } from './access-keys.ts'
import { type RunningS3Server, startS3Server } from './server.ts'

const KEY = { accessKeyId: 'ADMINKEY', secretAccessKey: 'a secret for the tests' }
const BODY = 'twelve bytes'

let folder: string
let blobs: DirectoryBlobs
let server: RunningS3Server

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'siltstone-requests-'))
  const parts = { clock: systemClock, random: systemRandom }
  blobs = await DirectoryBlobs.open(folder, parts)
  await blobs.createBucket('media')
  const ids = systemIds(systemClock, systemRandom)
  const keys = new AccessKeys([KEY])
  server = await startS3Server({ buckets: blobs, keys, clock: systemClock, ids, log: silentLogger, port: 0 })
})
afterAll(async () => {
  await server.close()
  await blobs.close()
  rmSync(folder, { recursive: true, force: true })
})

type Header = readonly [name: string, value: string]

interface Signing {
  secret?: string
  /** The header that has the time. */
  dated?: (ms: number) => Header
  /** As they are signed. */
  headers?: readonly Header[]
}

/** The lines of a PUT up to the empty line that ends them. */
function signedPut(path: string, { secret = KEY.secretAccessKey, dated, headers = [] }: Signing = {}): string[] {
  const nowMs = Date.now()
  const amzDate = amzDateOf(nowMs)
  const scope = { date: amzDate.slice(0, 8), region: 'us-east-1', service: 's3' }
  const payloadHash = sha256Hex(BODY)
  const signed: Header[] = [
    ['host', `127.0.0.1:${server.port}`],
    ['x-amz-content-sha256', payloadHash],
    dated?.(nowMs) ?? ['x-amz-date', amzDate],
    ...headers,
  ]
  const canonical = canonicalRequest({ method: 'PUT', path, query: [], headers: signed, payloadHash })
  const signature = requestSignature(signingKey(secret, scope), amzDate, scope, canonical)
  const names = signed.map(([name]) => name).toSorted()
  const credential = `${KEY.accessKeyId}/${scope.date}/${scope.region}/s3/aws4_request`
  return [
    `PUT ${path} HTTP/1.1`,
    ...signed.map(([name, value]) => `${name}: ${value}`),
    `content-length: ${BODY.length}`,
    `authorization: AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  ]
}

/**
 * Sends the head, then the body, at once or when the server asks for it.
 * @returns the status lines of the answers, and the rest of the last
 */
async function send(
  lines: readonly string[],
  { encoding = 'utf8', waits = false }: { encoding?: 'utf8' | 'latin1'; waits?: boolean } = {},
): Promise<{ statuses: string[]; text: string }> {
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  const head = [...lines, ...(waits ? ['expect: 100-continue'] : []), '', ''].join('\r\n')
  socket.write(Buffer.from(waits ? head : head + BODY, encoding))
  let text = ''
  for await (const chunk of socket) {
    const isFirst = text === ''
    text += (chunk as Buffer).toString('latin1')
    if (isFirst && text.startsWith('HTTP/1.1 100')) socket.write(BODY)
    if (/HTTP\/1\.1 [2-5]\d\d[^]*\r\n\r\n/.test(text)) break
  }
  socket.destroy()
  return { statuses: [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status = '']) => status), text }
}

const stored = async (key: string) => (await blobs.bucket('media').head(key)).status

describe('a request', () => {
  it('is asked for its body only when its signature holds', async () => {
    const good = await send(signedPut('/media/expected'), { waits: true })
    expect([good.statuses, await stored('expected')]).toEqual([['100', '200'], 'ok'])
    const bad = await send(signedPut('/media/refused', { secret: 'not the secret' }), { waits: true })
    expect([bad.statuses, await stored('refused')]).toEqual([['403'], 'not-found'])
    // The client may have sent it all the same, and what follows could not be told from the next request.
    expect(bad.text.toLowerCase()).toContain('connection: close')
    const missing = await send(signedPut('/no-such-bucket/x'), { waits: true })
    expect(missing.statuses).toEqual(['404'])
  })

  it('may have its time in Date', async () => {
    const http = await send(signedPut('/media/dated', { dated: (ms) => ['date', new Date(ms).toUTCString()] }))
    const basic = await send(signedPut('/media/dated', { dated: (ms) => ['date', amzDateOf(ms)] }))
    expect([http.statuses, basic.statuses]).toEqual([['200'], ['200']])
    const old = await send(signedPut('/media/old', { dated: (ms) => ['date', new Date(ms - 3_600_000).toUTCString()] }))
    const none = await send(signedPut('/media/none', { dated: () => ['date', 'yesterday'] }))
    expect([old.statuses, none.statuses]).toEqual([['403'], ['403']])
  })

  it('is known to be signed when its headers are outside ASCII, and metadata of that kind is refused by name', async () => {
    const headers: Header[] = [['x-amz-meta-title', 'Über Flüsse']]
    for (const encoding of ['utf8', 'latin1'] as const) {
      const { statuses, text } = await send(signedPut('/media/titled', { headers }), { encoding })
      expect([encoding, statuses, text.includes('InvalidArgument') && text.includes('title')]).toEqual([
        encoding,
        ['400'],
        true,
      ])
    }
    const wrong = signedPut('/media/titled', { headers }).map((line) => line.replace('Über', 'Ober'))
    expect((await send(wrong)).statuses).toEqual(['403'])
  })
})
