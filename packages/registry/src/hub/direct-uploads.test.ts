import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { keysOf } from '../testing/registry-world.ts'
import type { ServiceOptions } from '../service.ts'
import { type Answer, ORIGIN, type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'

const MIB = 1024 * 1024
const LARGE = Buffer.alloc(4 * MIB + 1, 'weights')
const SMALL = Buffer.from('small weights')
const oidOf = (body: Uint8Array) => createHash('sha256').update(body).digest('hex')

interface Action {
  href: string
  header: Record<string, string>
}
interface Batch {
  transfer: string
  objects: { oid: string; actions?: { upload: Action; verify: Action } }[]
}

let world: ServedRegistry
let headers: Record<string, string>
afterEach(() => world.close())

async function open(options: Partial<ServiceOptions> = {}) {
  world = await servedRegistry(options, { directUploads: true })
  headers = { authorization: (await world.logIn()).replace('bearer', 'Bearer') }
  await hub('POST', '/api/repos/create', { name: 'pocket' })
}

const hub = (method: string, path: string, body: unknown, more = headers): Promise<Answer> =>
  world.call(method, `/hub${path}`, { headers: more, body })

async function batch(files: { oid: string; size: number }[], transfers = ['basic', 'multipart']): Promise<Batch> {
  const body = { operation: 'upload', transfers, objects: files }
  const answer = await hub('POST', '/root/pocket.git/info/lfs/objects/batch', body)
  expect(answer.status).toBe(200)
  return answer.body as Batch
}

/** What clients of the Hub do with the answer. */
async function send(upload: Action, contents: Uint8Array): Promise<Answer> {
  const { chunk_size: chunkSize, ...links } = upload.header
  const path = upload.href.slice(ORIGIN.length)
  if (chunkSize === undefined) return world.call('PUT', path, { body: contents })
  const parts: { partNumber: number; etag: string }[] = []
  for (const [at, name] of Object.keys(links).toSorted().entries()) {
    const part = contents.subarray(at * Number(chunkSize), (at + 1) * Number(chunkSize))
    const { status, etag } = await world.bucket.put(links[name] ?? '', part)
    expect(status).toBe(200)
    parts.push({ partNumber: at + 1, etag })
  }
  return world.call('POST', path, { body: { oid: 'of the client', parts } })
}

function commit(files: { path: string; oid: string; size: number }[]): Promise<Answer> {
  const lines = [
    { key: 'header', value: { summary: 'first' } },
    ...files.map((value) => ({ key: 'lfsFile', value: { algo: 'sha256', ...value } })),
  ]
  return hub('POST', '/api/models/root/pocket/commit/main', lines.map((line) => JSON.stringify(line)).join('\n'))
}

const named = (body: Uint8Array) => ({ oid: oidOf(body), size: body.length })
/** A new repository has a `.gitattributes`. */
const stored = async () =>
  (await keysOf(world.registry.store, 'registry/blobs/')).filter((key) =>
    [LARGE, SMALL].some((body) => key.endsWith(oidOf(body))),
  )
const unverified = () => keysOf(world.registry.store, 'registry/uploads/')

describe('uploads straight to the bucket', () => {
  it('take large files in parts and small ones through the server, and both are committed', async () => {
    await open()
    const { transfer, objects } = await batch([named(LARGE), named(SMALL)])
    expect(transfer).toBe('multipart')
    const [large, small] = objects.map(({ actions }) => actions?.upload) as [Action, Action]
    expect(Object.keys(large.header).toSorted()).toEqual(['00001', 'chunk_size'])
    expect(large.header['00001']).toMatch(/^https:\/\/bucket\.test\/registry\/uploads\//)
    expect(small.header).toEqual({})
    const files = [
      { path: 'a.bin', ...named(LARGE) },
      { path: 'b.bin', ...named(SMALL) },
    ]
    expect((await commit(files)).status).toBe(400)
    expect([(await send(large, LARGE)).status, (await send(small, SMALL)).status]).toEqual([200, 200])
    const verify = objects[0]?.actions?.verify as Action
    const verified = await world.call('POST', verify.href.slice(ORIGIN.length), { headers, body: named(LARGE) })
    expect(verified.status).toBe(200)
    expect((await commit(files)).status).toBe(200)
    const got = await hub('GET', '/root/pocket/resolve/main/a.bin', undefined)
    expect(oidOf(Buffer.from(got.text, 'latin1'))).toBe(oidOf(LARGE))
    expect((await batch([named(LARGE)])).objects[0]?.actions).toBeUndefined()
    expect(await unverified()).toEqual([])
  })

  it('refuse other contents with the reason, and leave nothing', async () => {
    await open()
    const other = Buffer.from(LARGE)
    other[4 * MIB] = 0
    const { objects } = await batch([named(LARGE)])
    const upload = objects[0]?.actions?.upload as Action
    const refused = await send(upload, other)
    expect(refused.status).toBe(400)
    expect(refused.headers.get('x-error-message')).toContain(oidOf(other))
    expect([await stored(), await unverified()]).toEqual([[], []])
    // The link tells the store how many bytes to take.
    const again = await batch([named(LARGE)])
    const part = again.objects[0]?.actions?.upload.header['00001'] ?? ''
    expect((await world.bucket.put(part, SMALL)).status).toBe(403)
    const missing = await send({ ...(again.objects[0]?.actions?.upload as Action), header: { chunk_size: '1' } }, LARGE)
    expect(missing.status).toBe(400)
    expect((await commit([{ path: 'a.bin', ...named(LARGE) }])).status).toBe(400)
    expect([await stored(), await unverified()]).toEqual([[], []])
  })

  it('are completed only by the link that was made for them', async () => {
    await open()
    const { objects } = await batch([named(LARGE)])
    const href = new URL(objects[0]?.actions?.upload.href ?? '')
    const body = { parts: [{ partNumber: 1, etag: '"x"' }] }
    const post = (url: URL, parts: unknown = body) => world.call('POST', url.pathname + url.search, { body: parts })
    for (const [name, value] of [
      ['upload', 'another'],
      ['at', '01ARZ3NDEKTSV4RRFFQ69G5FAV'],
      ['exp', '99999999999'],
    ] as const) {
      const changed = new URL(href)
      changed.searchParams.set(name, value)
      expect((await post(changed)).status).toBe(403)
    }
    const other = new URL(href.href.replace(String(LARGE.length), '17'))
    expect((await post(other)).status).toBe(403)
    for (const wrong of [{}, { parts: [] }, { parts: [{ partNumber: 2, etag: 'x' }] }, { parts: [{ partNumber: 1 }] }])
      expect((await post(href, wrong)).status).toBe(400)
  })

  it('are for clients that know them alone', async () => {
    await open()
    const { transfer, objects } = await batch([named(LARGE)], ['basic'])
    expect(transfer).toBe('basic')
    expect((await send(objects[0]?.actions?.upload as Action, LARGE)).status).toBe(200)
    expect(await stored()).toHaveLength(1)
  })

  it('take more than what passes through a function, up to what it can read', async () => {
    const limits = { requestBytes: MIB, answerBytes: 8 * MIB, directBytes: 6 * MIB, remedy: 'use a server' }
    await open({ bodyLimits: limits })
    const preupload = (size: number, path = 'a.bin') =>
      hub('POST', '/api/models/root/pocket/preupload/main', { files: [{ path, size, sample: '' }] })
    expect((await preupload(LARGE.length)).body).toMatchObject({ files: [{ uploadMode: 'lfs' }] })
    const refused = await preupload(7 * MIB)
    expect(refused.status).toBe(413)
    expect(refused.headers.get('x-error-message')).toContain('use a server')
    const { objects } = await batch([named(LARGE)], ['basic', 'multipart', 'xet'])
    expect((await send(objects[0]?.actions?.upload as Action, LARGE)).status).toBe(200)
    const tooLarge = {
      operation: 'upload',
      transfers: ['basic', 'multipart'],
      objects: [{ oid: oidOf(SMALL), size: 7 * MIB }],
    }
    expect((await hub('POST', '/root/pocket.git/info/lfs/objects/batch', tooLarge)).status).toBe(413)
    // Without parts, it would have to pass through the function.
    const basic = { ...tooLarge, transfers: ['basic'], objects: [{ oid: oidOf(SMALL), size: 2 * MIB }] }
    expect((await hub('POST', '/root/pocket.git/info/lfs/objects/batch', basic)).status).toBe(413)
  })
})

describe('xorbs straight to the bucket', () => {
  const HASH = 'ab'.repeat(32)
  const xet = async (method: string, path: string, body?: unknown) => {
    const access = await hub('GET', '/api/models/root/pocket/xet-write-token/main', undefined)
    const token = (access.body as { accessToken: string }).accessToken
    return hub(method, `/xet${path}`, body, { authorization: `Bearer ${token}` })
  }
  const wanted = { length: SMALL.length, checksum: { algo: 'crc64nvme', value: '18446744073709551615' } }

  it('are put to a link with its headers, once', async () => {
    await open()
    const granted = await xet('POST', `/v1/xorb-grants/default/${HASH}`, wanted)
    expect(granted.status).toBe(201)
    const grant = granted.body as { id: string; method: string; url: string; headers: Record<string, string> }
    expect(grant).toMatchObject({ method: 'PUT', headers: { 'x-amz-checksum-crc64nvme': '//////////8=' } })
    const commitPath = `/v1/xorb-commits/default/${HASH}/grant/${grant.id}`
    expect((await xet('POST', commitPath)).status).toBe(404)
    expect((await world.bucket.put(grant.url, SMALL)).status).toBe(403)
    expect((await world.bucket.put(grant.url, LARGE, grant.headers)).status).toBe(403)
    expect((await world.bucket.put(grant.url, SMALL, grant.headers)).status).toBe(200)
    expect((await world.bucket.put(grant.url, SMALL, grant.headers)).status).toBe(412)
    expect((await xet('POST', commitPath)).status).toBe(200)
    expect((await xet('POST', `/v1/xorb-grants/default/${HASH}`, wanted)).status).toBe(200)
    expect((await xet('POST', commitPath.replace(/\d+$/, '7'))).status).toBe(400)
  })

  it('are not for whoever has no token, and not of any size', async () => {
    await open()
    const without = await hub('POST', `/xet/v1/xorb-grants/default/${HASH}`, wanted, {})
    expect(without.status).toBe(401)
    const wrong = [
      { ...wanted, length: 0 },
      { ...wanted, length: 80 * MIB },
      { ...wanted, checksum: { algo: 'md5', value: '1' } },
      { ...wanted, checksum: { algo: 'crc64nvme', value: '18446744073709551616' } },
      {},
    ]
    for (const body of wrong) expect((await xet('POST', `/v1/xorb-grants/default/${HASH}`, body)).status).toBe(400)
    expect((await xet('POST', '/v1/xorb-grants/default/nohash', wanted)).status).toBe(400)
  })

  it('go through a server whose bucket signs no links', async () => {
    world = await servedRegistry()
    headers = { authorization: (await world.logIn()).replace('bearer', 'Bearer') }
    await hub('POST', '/api/repos/create', { name: 'pocket' })
    expect((await xet('POST', `/v1/xorb-grants/default/${HASH}`, wanted)).status).toBe(404)
  })
})
