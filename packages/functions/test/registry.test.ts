/** The built registry, as Lambda would run it, on MiniStack's S3, SQS and Systems Manager. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import {
  openBucket,
  openQueue,
  parts,
  targets,
  type TestBucket,
  type TestQueue,
  variablesOf,
} from '@siltstone/emulated-aws'
import { systemClock } from 'siltstone/internal'
import { Requests, SqsQueue } from 'siltstone/internal/aws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LambdaFunction } from './lambda.ts'

const [target] = targets()
if (target === undefined) throw new Error('no server')
const PASSWORD = 'a password of the test'
const PARAMETER = '/siltstone/test/registry-admin-password'
const HOST = 'x.lambda-url.us-east-1.on.aws'

interface Answer {
  status: number
  headers: Record<string, string>
  text: string
  body: unknown
}

/** A hub that knows nothing, and counts what it is asked. */
class SilentHub {
  readonly #server: Server
  /** Requests that it has received, and those of them that it has not answered yet. */
  asked = 0
  open = 0

  constructor() {
    this.#server = createServer((_, answer) => {
      this.asked++
      this.open++
      systemClock.timer(50, () => {
        this.open--
        answer.writeHead(404).end()
      })
    })
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

describe('the registry', () => {
  let bucket: TestBucket
  let place: string
  let made: TestQueue
  let queue: SqsQueue
  let hub: SilentHub
  let source: string
  let lambda: LambdaFunction
  const more: LambdaFunction[] = []

  beforeEach(async () => {
    bucket = await openBucket(target)
    place = bucket.url()
    made = await openQueue(target, 5)
    queue = new SqsQueue(made.url, {
      client: made.newClient(),
      clock: systemClock,
      requests: new Requests('sqs', parts),
    })
    hub = new SilentHub()
    source = await hub.listen()
    const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = variablesOf(target)
    const ssm = new SSMClient({ ...(endpoint && { endpoint }), ...(region && { region }) })
    await ssm.send(new PutParameterCommand({ Name: PARAMETER, Type: 'SecureString', Value: PASSWORD, Overwrite: true }))
    ssm.destroy()
    lambda = container()
  })
  afterEach(async () => {
    for (const each of more.splice(0)) await each.end()
    await Promise.all([queue.close(), hub.close()])
    await Promise.all([bucket.dispose(), made.dispose()])
  })

  function container(): LambdaFunction {
    const one = new LambdaFunction('registry', {
      ...variablesOf(target as NonNullable<typeof target>),
      SILTSTONE_DATA: place,
      SILTSTONE_QUEUE_URL: made.url,
      REGISTRY_ADMIN_USER: 'root',
      REGISTRY_ADMIN_PASSWORD_PARAMETER: PARAMETER,
      REGISTRY_HUB_URL: source,
    })
    more.push(one)
    return one
  }

  async function http(
    method: string,
    path: string,
    { token, body, by = lambda }: { token?: string; body?: unknown; by?: LambdaFunction } = {},
  ): Promise<Answer> {
    const [rawPath = '', rawQueryString = ''] = path.split('?')
    const isBase64Encoded = body instanceof Uint8Array
    const { statusCode, ...answer } = await by.invoke<{
      statusCode: number
      body: string
      headers: Record<string, string>
      isBase64Encoded: boolean
    }>({
      version: '2.0',
      routeKey: '$default',
      rawPath,
      rawQueryString,
      headers: {
        host: HOST,
        ...(body !== undefined && {
          'content-type': isBase64Encoded ? 'application/octet-stream' : 'application/json',
        }),
        ...(token !== undefined && { authorization: token }),
      },
      requestContext: {
        domainName: HOST,
        http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      },
      isBase64Encoded,
      ...(body !== undefined && {
        body: isBase64Encoded ? Buffer.from(body).toString('base64') : JSON.stringify(body),
      }),
    })
    const text = Buffer.from(answer.body, answer.isBase64Encoded ? 'base64' : 'utf8').toString()
    const isJson = answer.headers['content-type']?.includes('json') === true && text !== ''
    return {
      status: statusCode,
      headers: answer.headers,
      text,
      body: isJson ? (JSON.parse(text) as unknown) : undefined,
    }
  }

  async function logIn(): Promise<string> {
    const answer = await http('PUT', '/authenticate', {
      body: { user: { name: 'root', is_admin: true }, secret: { password: PASSWORD } },
    })
    expect(answer.status).toBe(200)
    return answer.body as string
  }

  it('registers, lists and refuses, with the password of a parameter, and leaves nothing running', async () => {
    const token = await logIn()
    const url = `${source}/harbour/tern-small`
    expect((await http('POST', '/artifact/model', { body: { url } })).status).toBe(403)
    expect((await queue.depth()).visible).toBe(0)

    const registered = await http('POST', '/artifact/model', { token, body: { url } })
    expect(registered.status).toBe(201)
    // The rating that it started was waited for, and the wake-up call for the compactor was sent.
    expect(hub.asked).toBeGreaterThan(0)
    expect(hub.open).toBe(0)
    // Two writes that lie apart are told apart.
    expect((await queue.depth()).visible).toBeGreaterThan(0)

    const other = container()
    const listed = await http('POST', '/artifacts', { token, body: [{ name: '*' }], by: other })
    expect(listed).toMatchObject({ status: 200, body: [{ name: 'tern-small', type: 'model' }] })
    expect((await http('GET', '/health')).status).toBe(200)
    console.log(`registry: ${Math.round(lambda.coldStartMs ?? 0)} ms from the process's start to its first answer`)
  })

  it('takes small files itself, gives them from the bucket, and says what to do with larger ones', async () => {
    const token = (await logIn()).replace('bearer', 'Bearer')
    expect((await http('POST', '/hub/api/repos/create', { token, body: { name: 'pocket' } })).status).toBe(200)
    const weights = new Uint8Array(3 * 1024 * 1024).fill(7)
    const oid = createHash('sha256').update(weights).digest('hex')
    const batch = (size: number) =>
      http('POST', '/hub/root/pocket.git/info/lfs/objects/batch', {
        token,
        body: { operation: 'upload', transfers: ['basic', 'xet'], objects: [{ oid, size }] },
      })
    const refused = await batch(5 * 1024 * 1024)
    expect(refused.status).toBe(413)
    expect(refused.headers['x-error-message']).toContain('siltstone serve --registry')

    const told = (await batch(weights.length)).body as { objects: { actions: { upload: { href: string } } }[] }
    const href = new URL(told.objects[0]?.actions.upload.href ?? '')
    expect(href.host).toBe(HOST)
    expect((await http('PUT', `${href.pathname}${href.search}`, { body: weights })).status).toBe(200)
    const lines = [
      { key: 'header', value: { summary: 'first' } },
      { key: 'lfsFile', value: { path: 'model.safetensors', oid, size: weights.length } },
    ]
    const commit = new TextEncoder().encode(lines.map((line) => JSON.stringify(line)).join('\n'))
    expect((await http('POST', '/hub/api/models/root/pocket/commit/main', { token, body: commit })).status).toBe(200)
    const answer = await http('GET', '/hub/root/pocket/resolve/main/model.safetensors', { token })
    expect(answer).toMatchObject({ status: 302, headers: { 'x-linked-size': String(weights.length) } })
    const got = await fetch(answer.headers['location'] ?? '')
    expect(Buffer.from(await got.arrayBuffer()).equals(weights)).toBe(true)

    const large = await http('POST', '/artifacts', { token, body: new Uint8Array(4 * 1024 * 1024 + 1) })
    expect(large).toMatchObject({ status: 413, body: { error: { code: 'body-too-large' } } })
    expect(large.text).toContain('siltstone serve --registry')
  })

  it('takes files of any size that it can read within its time, straight to the bucket, and verifies them', async () => {
    const token = (await logIn()).replace('bearer', 'Bearer')
    expect((await http('POST', '/hub/api/repos/create', { token, body: { name: 'pocket' } })).status).toBe(200)
    const weights = Buffer.alloc(20 * 1024 * 1024, 'weights')
    const oid = createHash('sha256').update(weights).digest('hex')
    const batch = (size: number) =>
      http('POST', '/hub/root/pocket.git/info/lfs/objects/batch', {
        token,
        body: { operation: 'upload', transfers: ['basic', 'multipart', 'xet'], objects: [{ oid, size }] },
      })
    expect((await batch(5e9)).headers['x-error-message']).toContain('siltstone serve --registry')
    const send = async (body: Uint8Array) => {
      const { objects } = (await batch(body.length)).body as {
        objects: { actions: { upload: { href: string; header: Record<string, string> } } }[]
      }
      const { href, header } = objects[0]?.actions.upload ?? { href: '', header: {} }
      const put = await fetch(header['00001'] ?? '', { method: 'PUT', body })
      expect(put.status).toBe(200)
      const { pathname, search } = new URL(href)
      const parts = [{ partNumber: 1, etag: put.headers.get('etag') }]
      return http('POST', `${pathname}${search}`, { body: { oid, parts } })
    }
    const other = await send(Buffer.alloc(weights.length, 'others'))
    expect(other.status).toBe(400)
    expect(other.headers['x-error-message']).toContain(`not ${oid}`)
    expect(
      (await bucket.keys()).filter((key) => /registry\/(?:uploads|blobs)\//.test(key) && key.includes(oid)),
    ).toEqual([])
    expect((await send(weights)).status).toBe(200)
    expect((await batch(weights.length)).body).toMatchObject({ objects: [{ oid }] })
    const unfinished = (await bucket.keys()).filter((key) => key.includes('registry/uploads/'))
    expect(unfinished).toEqual([])
  })

  it('is maintained by the schedule', async () => {
    expect(await lambda.invoke({ source: 'scheduled', action: 'maintain' })).toEqual({ maintained: true })
    expect((await bucket.keys()).filter((key) => key.includes('registry/self-check/'))).toEqual([])
  })
})
