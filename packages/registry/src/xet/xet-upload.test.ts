import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'
import { fileOfRanges, type SentFile, xorbOf } from '../testing/xet-client.ts'
import { XetUploads } from '../testing/xet-uploads.ts'

const bytesOf = (text: string) => Buffer.from(text)

describe('an upload', () => {
  let world: ServedRegistry
  let uploads: XetUploads
  let root: string
  beforeAll(async () => {
    world = await servedRegistry()
    uploads = new XetUploads(world)
    root = await world.logIn()
    await uploads.createRepository(root, 'big')
  })
  afterAll(() => world.close())

  const setUp = async (text = 'the second chunk') => {
    const xorb = await xorbOf([bytesOf('the first chunk, '), bytesOf(text)], 2)
    const file = await fileOfRanges([
      { xorb, first: 0, end: 2 },
      { xorb, first: 0, end: 1 },
    ])
    return { xorb, file }
  }

  it('is put together from its chunks, and a commit can name it', async () => {
    const access = await uploads.access(root, 'root/big')
    const { xorb, file } = await setUp()
    expect((await uploads.shard([file], access)).status).toBe(404)
    expect((await uploads.xorb(xorb, access)).body).toEqual({ was_inserted: true })
    expect((await uploads.xorb(xorb, access)).body).toEqual({ was_inserted: false })
    expect((await uploads.shard([file], access)).body).toEqual({ result: 1 })
    expect((await uploads.shard([file], access)).body).toEqual({ result: 1 })
    expect((await uploads.commit(root, 'root/big', file)).status).toBe(200)
    const read = await world.call('GET', '/hub/root/big/resolve/main/big.bin', { token: root })
    expect(read.text).toBe(Buffer.from(file.contents).toString())
    const headers = { range: 'bytes=12-20' }
    const part = await world.call('GET', '/hub/root/big/resolve/main/big.bin', { token: root, headers })
    expect([part.status, part.text]).toEqual([206, Buffer.from(file.contents.subarray(12, 21)).toString()])
    // What is stored is the chunks, once.
    expect((await world.registry.store.list('registry/blobs/')).objects).toHaveLength(1)
    expect((await world.registry.verify()).findings).toEqual([])
  })

  it('whose contents are others than named leaves nothing', async () => {
    const access = await uploads.access(root, 'root/big')
    const { xorb, file } = await setUp('another second chunk')
    await uploads.xorb(xorb, access)
    const [first] = file.terms as [SentFile['terms'][number]]
    const wrong: Partial<SentFile>[] = [
      { sha256: 'a'.repeat(64) },
      { xetHash: 'b'.repeat(64) },
      { terms: [{ ...first, sizeBytes: first.sizeBytes + 1 }, ...file.terms.slice(1)] },
      { terms: [{ ...first, end: 3 }, ...file.terms.slice(1)] },
    ]
    for (const each of wrong) {
      const refused = await uploads.shard([{ ...file, ...each }], access)
      expect(refused.status).toBe(400)
      expect(await world.registry.blobs.size(each.sha256 ?? file.sha256)).toBeUndefined()
    }
    expect((await uploads.post('shards', bytesOf('no shard'), access)).status).toBe(400)
    expect((await uploads.post('xorbs/default/no-hash', xorb.body, access)).status).toBe(400)
    const other = await xorbOf([bytesOf('others')])
    expect((await uploads.post(`xorbs/default/${other.hash}`, xorb.body, access)).status).toBe(400)
    expect((await uploads.shard([file], access)).status).toBe(200)
  })

  it('needs the token of somebody who may write', async () => {
    const { xorb } = await setUp()
    expect((await uploads.xorb(xorb, 'x')).status).toBe(403)
    const ben = await uploads.user('ben')
    const refused = await world.call('GET', '/hub/api/models/root/big/xet-write-token/main', { token: ben })
    expect(refused.status).toBe(403)
    await uploads.createRepository(ben, 'own')
    const access = await uploads.access(ben, 'ben/own')
    const text = Buffer.from(access, 'base64url').toString()
    const forged = Buffer.from(text.replace('user=ben', 'user=root')).toString('base64url')
    expect((await uploads.xorb(xorb, forged)).status).toBe(403)
  })
})

it('behind a limit for answers a file is stored whole, too', async () => {
  const bodyLimits = { requestBytes: 1e6, answerBytes: 10_000, directBytes: 1e6, remedy: 'use a server' }
  const world = await servedRegistry({ bodyLimits })
  try {
    const uploads = new XetUploads(world)
    const root = await world.logIn()
    await uploads.createRepository(root, 'big')
    const access = await uploads.access(root, 'root/big')
    const xorb = await xorbOf([bytesOf('a chunk, '), bytesOf('another chunk, ')])
    const file = await fileOfRanges([{ xorb, first: 0, end: 2 }])
    await uploads.xorb(xorb, access)
    expect((await uploads.shard([file], access)).status).toBe(200)
    const stored = await world.registry.store.get(`registry/blobs/${file.sha256}`)
    expect(stored.status === 'ok' ? Buffer.from(stored.body).toString() : '').toBe('a chunk, another chunk, ')
  } finally {
    await world.close()
  }
})

it('a file that is stored in chunks is put together for who can only give links', async () => {
  const world = await servedRegistry()
  try {
    const uploads = new XetUploads(world)
    const root = await world.logIn()
    await uploads.createRepository(root, 'big')
    const access = await uploads.access(root, 'root/big')
    const xorb = await xorbOf([bytesOf('a chunk, '), bytesOf('another chunk, ')])
    const file = await fileOfRanges([{ xorb, first: 0, end: 2 }])
    await uploads.xorb(xorb, access)
    await uploads.shard([file], access)
    const presignGet = (key: string) => Promise.resolve(`https://bucket.test/${key}`)
    Object.assign(world.registry.store, { presignGet })
    const { blobs } = await world.other({ directDownloads: true })
    expect(await blobs.link(file.sha256)).toBeUndefined()
    const link = await blobs.link(file.sha256, { putTogether: true })
    expect(link).toBe(`https://bucket.test/registry/blobs/${file.sha256}`)
    expect((await world.registry.store.head(`registry/blobs/${file.sha256}`))?.sizeBytes).toBe(file.contents.length)
  } finally {
    await world.close()
  }
})
