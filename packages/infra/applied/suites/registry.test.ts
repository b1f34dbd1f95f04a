/**
 * The artifact registry on the deployed stack, with the role, policy, boundary and variables of the program, its password in Systems
 * Manager, and IAM enforced.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { get, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { GetFunctionConfigurationCommand, GetFunctionUrlConfigCommand } from '@aws-sdk/client-lambda'
import { GetScheduleCommand } from '@aws-sdk/client-scheduler'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Account, deployed, functionsAreBuilt } from '../account.ts'
import { DeployedStack } from '../stack.ts'

const PASSWORD = 'a long password'
const HOST = 'x.lambda-url.us-east-1.on.aws'

let hub: Server
let source: string
let account: Account
let stack: DeployedStack
beforeAll(async () => {
  if (!functionsAreBuilt) throw new Error('build packages/functions first: npm ci && node build.ts')
  // Knows no model, so that a rating ends without the internet.
  hub = createServer((_, answer) => void answer.writeHead(404).end()).listen(0, '127.0.0.1')
  await once(hub, 'listening')
  source = `http://127.0.0.1:${(hub.address() as AddressInfo).port}`
  account = await deployed('dev', {
    registry: 'true',
    registryAdminPassword: PASSWORD,
    registryVariables: JSON.stringify({ REGISTRY_HUB_URL: source }),
  })
  stack = new DeployedStack(account)
})
afterAll(async () => {
  await account.stop()
  hub.closeAllConnections()
  hub.close()
})

interface Answer {
  status: number
  headers: Record<string, string>
  body: unknown
}

/** A request as the function's URL passes it on. */
async function http(
  method: string,
  path: string,
  { token, body }: { token?: string; body?: unknown } = {},
): Promise<Answer> {
  const [rawPath = '', rawQueryString = ''] = path.split('?')
  const isBytes = body instanceof Uint8Array
  const answer = await stack.invoke<{ statusCode: number; body: string; headers: Record<string, string> }>('registry', {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: {
      host: HOST,
      ...(body !== undefined && { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      ...(token !== undefined && { authorization: token }),
    },
    requestContext: {
      domainName: HOST,
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'siltstone' },
    },
    isBase64Encoded: isBytes,
    ...(body !== undefined && { body: isBytes ? Buffer.from(body).toString('base64') : JSON.stringify(body) }),
  })
  const { statusCode: status, headers } = answer
  const text = Buffer.from(answer.body, 'base64').toString()
  const isJson = headers['content-type']?.includes('json') === true && text !== ''
  return { status, headers, body: isJson ? (JSON.parse(text) as unknown) : text }
}

async function logIn(password = PASSWORD): Promise<Answer> {
  return http('PUT', '/authenticate', { body: { user: { name: 'admin', is_admin: true }, secret: { password } } })
}

async function download(url: string): Promise<Buffer> {
  const [answer] = (await once(get(url, { ca: account.server.ca }), 'response')) as [AsyncIterable<Buffer>]
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** @returns the ETag */
async function put(url: string, contents: Uint8Array): Promise<string> {
  const headers = { 'content-length': contents.length }
  const sent = request(url, { ca: account.server.ca, method: 'PUT', headers }).end(contents)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  expect(answer.statusCode).toBe(200)
  return answer.headers.etag ?? ''
}

describe('the function of the registry', () => {
  it('has a URL without IAM, a password that only its parameter has, and a schedule', async () => {
    const FunctionName = stack.output('registry_function_name')
    const { AuthType } = await account.root.lambda.send(new GetFunctionUrlConfigCommand({ FunctionName }))
    expect(AuthType).toBe('NONE')
    const made = await account.root.lambda.send(new GetFunctionConfigurationCommand({ FunctionName }))
    expect(JSON.stringify(made.Environment)).not.toContain(PASSWORD)
    const { Target } = await account.root.scheduler.send(
      new GetScheduleCommand({ Name: stack.output('registry_schedule_name') }),
    )
    expect(Target?.Input).toBe('{"source":"scheduled","action":"maintain"}')
  })

  it('passes its self-check and maintains the registry within its permissions', async () => {
    expect(await stack.invoke('registry', { source: 'scheduled', action: 'maintain' })).toEqual({ maintained: true })
  })

  it('refuses whoever has no token, and a wrong password', async () => {
    const body = { url: `${source}/harbour/tern-small` }
    expect((await http('POST', '/artifact/model', { body })).status).toBe(403)
    expect((await http('POST', '/artifacts', { body: [{ name: '*' }] })).status).toBe(403)
    expect((await logIn('another password')).status).toBe(401)
    expect((await http('POST', '/artifact/model', { body, token: 'bearer st_x' })).status).toBe(403)
  })

  it('registers, lists, searches and deletes', async () => {
    const token = String((await logIn()).body)
    const registered = await http('POST', '/artifact/model', { token, body: { url: `${source}/harbour/tern-small` } })
    expect(registered.status).toBe(201)
    const { id } = (registered.body as { metadata: { id: string } }).metadata
    expect((await http('POST', '/artifacts', { token, body: [{ name: '*' }] })).body).toMatchObject([{ id }])
    const regex = { regex: '^tern-' }
    expect((await http('POST', '/artifact/byRegEx', { token, body: regex })).body).toMatchObject([{ id }])
    // Folded by the compactor, the index is read from its snapshot.
    await stack.invoke('compactor', { source: 'scheduled', action: 'compact' })
    expect((await http('POST', '/artifacts', { token, body: [{ name: '*' }] })).body).toMatchObject([{ id }])
    expect((await http('DELETE', `/artifacts/model/${id}`, { token })).status).toBe(200)
    expect((await http('POST', '/artifacts', { token, body: [{ name: '*' }] })).body).toEqual([])
  })

  it('takes a file by the Hub API, and gives it from the bucket by a link that its role signs', async () => {
    const token = String((await logIn()).body).replace('bearer', 'Bearer')
    expect((await http('POST', '/hub/api/repos/create', { token, body: { name: 'pocket' } })).status).toBe(200)
    const weights = Buffer.from('weights of a small model')
    const oid = createHash('sha256').update(weights).digest('hex')
    const told = await http('POST', '/hub/admin/pocket.git/info/lfs/objects/batch', {
      token,
      body: { operation: 'upload', transfers: ['basic'], objects: [{ oid, size: weights.length }] },
    })
    const { objects } = told.body as { objects: { actions: { upload: { href: string } } }[] }
    const { pathname, search } = new URL(objects[0]?.actions.upload.href ?? '')
    expect((await http('PUT', `${pathname}${search}`, { body: weights })).status).toBe(200)
    const lines = [
      { key: 'header', value: { summary: 'first' } },
      { key: 'lfsFile', value: { path: 'model.safetensors', oid, size: weights.length } },
    ]
    const body = Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'))
    expect((await http('POST', '/hub/api/models/admin/pocket/commit/main', { token, body })).status).toBe(200)
    const path = '/hub/admin/pocket/resolve/main/model.safetensors'
    expect((await http('GET', path)).headers['location']).toBeUndefined()
    const answer = await http('GET', path, { token })
    expect(answer.status).toBe(302)
    expect((await download(answer.headers['location'] ?? '')).toString()).toBe(weights.toString())
  })

  it('takes a file of 64 MB straight to the bucket, by links that its role signs, and verifies it', async () => {
    const token = String((await logIn()).body).replace('bearer', 'Bearer')
    await http('POST', '/hub/api/repos/create', { token, body: { name: 'large' } })
    const weights = Buffer.alloc(64_000_000, 'weights of a large model')
    const oid = createHash('sha256').update(weights).digest('hex')
    const send = async (contents: Uint8Array): Promise<Answer> => {
      const told = await http('POST', '/hub/admin/large.git/info/lfs/objects/batch', {
        token,
        body: { operation: 'upload', transfers: ['basic', 'multipart'], objects: [{ oid, size: contents.length }] },
      })
      const { objects } = told.body as {
        objects: { actions: { upload: { href: string; header: Record<string, string> } } }[]
      }
      const { href, header } = objects[0]?.actions.upload ?? { href: '', header: {} }
      const etag = await put(header['00001'] ?? '', contents)
      const { pathname, search } = new URL(href)
      return http('POST', `${pathname}${search}`, { body: { oid, parts: [{ partNumber: 1, etag }] } })
    }
    const refused = await send(Buffer.alloc(64_000_000, 'weights of another model'))
    expect(refused.status).toBe(400)
    expect(refused.headers['x-error-message']).toContain('SHA-256')
    expect(await stack.keys('registry/uploads/')).toEqual([])
    expect(await stack.keys(`registry/blobs/${oid}`)).toEqual([])
    expect((await send(weights)).status).toBe(200)
    expect(await stack.keys('registry/uploads/')).toEqual([])
    const lines = [
      { key: 'header', value: { summary: 'first' } },
      { key: 'lfsFile', value: { path: 'model.safetensors', oid, size: weights.length } },
    ]
    const body = Buffer.from(lines.map((line) => JSON.stringify(line)).join('\n'))
    expect((await http('POST', '/hub/api/models/admin/large/commit/main', { token, body })).status).toBe(200)
    const answer = await http('GET', '/hub/admin/large/resolve/main/model.safetensors', { token })
    expect((await download(answer.headers['location'] ?? '')).equals(weights)).toBe(true)
  })

  it('was refused nothing that it asked of AWS', () => {
    const refused = account.server
      .log()
      .split('\n')
      .filter((line) => line.includes('AccessDenied') || line.includes('not authorized'))
      .filter((line) => !line.includes('sqs:SendMessageBatch'))
    expect(refused).toEqual([])
  })
})
