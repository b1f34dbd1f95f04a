import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { isSiltstoneError } from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'
import { hashText, parseShard, type ShardFile } from './shard.ts'
import { chunksOf } from './xorb.ts'

const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 200) }
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** An LZ4 frame of one block without compression. */
function lz4Frame(bytes: Uint8Array): Uint8Array {
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
  const size = Buffer.alloc(4)
  size.writeUInt32LE((bytes.length | 0x80000000) >>> 0)
  return Buffer.concat([head, size, bytes, Buffer.alloc(4)])
}

function grouped(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([0, 1, 2, 3].flatMap((group) => [...bytes].filter((_, i) => i % 4 === group)))
}

function chunk(bytes: Uint8Array, scheme: number, says = bytes.length): Uint8Array {
  const packed = scheme === 0 ? bytes : lz4Frame(scheme === 2 ? grouped(bytes) : bytes)
  const head = Buffer.alloc(8)
  head.writeUIntLE(packed.length, 1, 3)
  head.writeUInt8(scheme, 4)
  head.writeUIntLE(says, 5, 3)
  return Buffer.concat([head, packed])
}

/** Hexadecimal text to the form in which shards have it. */
const swapped = (hex: string) =>
  Buffer.concat([0, 16, 32, 48].map((at) => Buffer.from(hex.slice(at, at + 16), 'hex').reverse()))

function shard(files: readonly ShardFile[], flags = 0xc0000000): Uint8Array {
  const entry = (hash: Uint8Array, ...numbers: number[]) => {
    const out = Buffer.alloc(48)
    out.set(hash)
    for (const [i, value] of numbers.entries()) out.writeUInt32LE(value >>> 0, 32 + 4 * i)
    return out
  }
  const parts: Uint8Array[] = [entry(Buffer.alloc(32, 1), 2)]
  for (const { sha256: digest, terms } of files) {
    parts.push(entry(Buffer.alloc(32, 7), flags, terms.length))
    for (const { xorb, sizeBytes, first, end } of terms) parts.push(entry(swapped(xorb), 0, sizeBytes, first, end))
    if ((flags & 0x80000000) !== 0) for (const _ of terms) parts.push(entry(Buffer.alloc(32, 9)))
    if ((flags & 0x40000000) !== 0) parts.push(entry(swapped(digest)))
  }
  return Buffer.concat([...parts, entry(Buffer.alloc(32, 255)), entry(Buffer.alloc(32, 255))])
}

describe('xorbs', () => {
  it('give back the chunks that were put in, packed in any way', () => {
    const part = fc.record({ bytes: fc.uint8Array({ maxLength: 50 }), scheme: fc.constantFrom(0, 1, 2) })
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), fc.nat(6), fc.nat(6), (parts, a, b) => {
        const [first, end] = [Math.min(a, b, parts.length), Math.min(Math.max(a, b), parts.length)]
        const xorb = Buffer.concat([...parts.map(({ bytes, scheme }) => chunk(bytes, scheme)), Buffer.from('a footer')])
        const read = [...chunksOf(xorb, first, end)].map((bytes) => [...bytes])
        expect(read).toEqual(parts.slice(first, end).map(({ bytes }) => [...bytes]))
      }),
      runs,
    )
  })

  it('that are damaged are refused, whatever the damage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(5), (bytes, end) => {
        try {
          for (const each of chunksOf(bytes, 0, end)) expect(each.length).toBeLessThanOrEqual(262_144)
        } catch (error) {
          expect(isSiltstoneError(error, 'invalid')).toBe(true)
        }
      }),
      runs,
    )
    const bad = (xorb: Uint8Array) => () => [...chunksOf(xorb, 0, 1)]
    expect(bad(chunk(Buffer.from('abc'), 0, 4))).toThrow('another size')
    expect(bad(chunk(Buffer.from('abc'), 1, 4))).toThrow('LZ4')
    expect(bad(chunk(Buffer.from('abc'), 3))).toThrow('compression 3')
    expect(bad(chunk(Buffer.from('abc'), 1, 0xffffff))).toThrow('has 16777215 bytes')
    expect(bad(chunk(Buffer.from('abc'), 0).subarray(0, 9))).toThrow('ends early')
    expect(() => [...chunksOf(chunk(Buffer.from('abc'), 0), 0, 2)]).toThrow('1 chunks, and 2 are named')
  })
})

describe('shards', () => {
  it('are read as they were written', () => {
    const hash = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: 64, maxLength: 64 })
    const number = fc.nat(1e6)
    const term = fc.record({ xorb: hash, first: number, more: number, sizeBytes: number })
    const file = fc.record({ sha256: hash, terms: fc.array(term, { maxLength: 4 }) })
    fc.assert(
      fc.property(fc.array(file, { maxLength: 4 }), fc.boolean(), (drawn, verified) => {
        const files = drawn.map(({ sha256: digest, terms }) => ({
          sha256: digest,
          terms: terms.map(({ xorb, first, more, sizeBytes }) => ({ xorb, first, end: first + more, sizeBytes })),
        }))
        expect(parseShard(shard(files, verified ? 0xc0000000 : 0x40000000))).toEqual(files)
      }),
      runs,
    )
    const bytes = swapped('0123456789abcdef'.repeat(4))
    expect(hashText(new DataView(bytes.buffer, bytes.byteOffset), 0)).toBe('0123456789abcdef'.repeat(4))
  })

  it('that are damaged are refused', () => {
    const whole = shard([{ sha256: 'a'.repeat(64), terms: [{ xorb: 'b'.repeat(64), first: 0, end: 1, sizeBytes: 1 }] }])
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, value) => {
        const broken = Uint8Array.from(whole.subarray(0, length))
        if (at < length) broken[at] = value
        try {
          parseShard(broken)
        } catch (error) {
          expect(error).toMatchObject({ code: 'shard-damaged' })
        }
      }),
      runs,
    )
    expect(() => parseShard(shard([{ sha256: 'a'.repeat(64), terms: [] }], 0))).toThrow('no SHA-256')
  })
})

describe('an upload', () => {
  let world: ServedRegistry
  let admin: string
  let repo: string
  beforeAll(async () => {
    world = await servedRegistry()
    admin = await world.logIn()
    repo = (
      (await world.call('POST', '/hub/api/repos/create', { token: admin, body: { name: 'big' } })).body as {
        name: string
      }
    ).name
  })
  afterAll(() => world.close())

  const token = async () => {
    const { body } = await world.call('GET', `/hub/api/models/${repo}/xet-write-token/main`, { token: admin })
    return (body as { accessToken: string }).accessToken
  }
  const post = (path: string, body: Uint8Array, access: string) =>
    world.call('POST', `/hub/xet/v1/${path}`, { body, headers: { authorization: `Bearer ${access}` } })
  const XORB = 'c'.repeat(64)
  const content = Buffer.from('the first chunk, the second chunk')
  const terms = [
    { xorb: XORB, first: 0, end: 2, sizeBytes: content.length },
    { xorb: XORB, first: 0, end: 1, sizeBytes: 16 },
  ]
  const whole = Buffer.concat([content, content.subarray(0, 16)])
  const xorb = Buffer.concat([chunk(content.subarray(0, 16), 0), chunk(content.subarray(16), 2)])

  it('is put together from its chunks, and a commit can name it', async () => {
    const access = await token()
    const file = { sha256: sha256(whole), terms }
    expect((await post('shards', shard([file]), access)).status).toBe(404)
    expect((await post(`xorbs/default/${XORB}`, xorb, access)).body).toEqual({ was_inserted: true })
    expect((await post(`xorbs/default/${XORB}`, Buffer.from('other'), access)).body).toEqual({ was_inserted: false })
    expect((await post('shards', shard([file]), access)).body).toEqual({ result: 1 })
    expect((await post('shards', shard([file]), access)).body).toEqual({ result: 1 })
    const value = { path: 'big.bin', algo: 'sha256', oid: file.sha256, size: whole.length }
    const lines = [
      { key: 'header', value: { summary: 'x' } },
      { key: 'lfsFile', value },
    ].map((line) => JSON.stringify(line))
    const made = await world.call('POST', `/hub/api/models/${repo}/commit/main`, {
      token: admin,
      body: lines.join('\n'),
    })
    expect(made.status).toBe(200)
    const read = await world.call('GET', `/hub/${repo}/resolve/main/big.bin`, { token: admin })
    expect(read.text).toBe(whole.toString())
  })

  it('whose contents are others than named leaves nothing', async () => {
    const access = await token()
    await post(`xorbs/default/${XORB}`, xorb, access)
    const other = sha256(Buffer.from('something else'))
    expect((await post('shards', shard([{ sha256: other, terms }]), access)).status).toBe(400)
    const longer = [{ xorb: XORB, first: 0, end: 2, sizeBytes: content.length + 1 }]
    expect((await post('shards', shard([{ sha256: sha256(content), terms: longer }]), access)).status).toBe(400)
    expect(await world.registry.blobs.size(other)).toBeUndefined()
    expect(await world.registry.blobs.size(sha256(content))).toBeUndefined()
    expect((await post('shards', Buffer.from('no shard'), access)).status).toBe(400)
    expect((await post('xorbs/default/no-hash', xorb, access)).status).toBe(400)
  })

  it('needs the token of somebody who may write, and sees only the xorbs of that user', async () => {
    expect((await post(`xorbs/default/${XORB}`, xorb, 'x')).status).toBe(403)
    const secret = { password: 'a long password' }
    await world.call('POST', '/register', { token: admin, body: { user: { name: 'ben', is_admin: false }, secret } })
    const ben = await world.logIn('ben', secret.password)
    const refused = await world.call('GET', `/hub/api/models/${repo}/xet-write-token/main`, { token: ben })
    expect(refused.status).toBe(403)
    await world.call('POST', '/hub/api/repos/create', { token: ben, body: { name: 'own' } })
    const { body } = await world.call('GET', '/hub/api/models/ben/own/xet-write-token/main', { token: ben })
    const { accessToken } = body as { accessToken: string }
    const forged = Buffer.from(
      Buffer.from(accessToken, 'base64url').toString().replace('user=ben', 'user=root'),
    ).toString('base64url')
    expect((await post(`xorbs/default/${XORB}`, xorb, forged)).status).toBe(403)
    const part = { sha256: sha256(content), terms: [{ xorb: XORB, first: 0, end: 2, sizeBytes: content.length }] }
    expect((await post('shards', shard([part]), accessToken)).status).toBe(404)
  })
})
