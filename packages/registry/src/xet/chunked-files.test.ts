import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkedFileKey, chunkTableKey, xorbKey } from '../store/keys.ts'
import { world } from '../testing/registry-world.ts'
import { fileOfRanges, inParts, packedChunk, type SentRange, type SentXorb, xorbOf } from '../testing/xet-client.ts'
import { encodeTable } from './chunk-table.ts'
import type { ChunkedFile } from './chunked-files.ts'

const runs = { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) }
const FOLDER = 'ada'
const bytesOf = (text: string) => Buffer.from(text)

async function collected(parts: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = []
  for await (const part of parts) all.push(part)
  return Buffer.concat(all).toString('latin1')
}

function setUp(seed = 1) {
  const made = world(seed)
  const one = made.process()
  const send = (xorb: SentXorb) => one.xorbs.take({ folder: FOLDER, hash: xorb.hash }, inParts(xorb.body, 7))
  const file = async (ranges: readonly SentRange[]) => {
    const { terms, ...sent } = await fileOfRanges(ranges)
    const chunked: ChunkedFile = {
      sizeBytes: sent.contents.length,
      xetHash: sent.xetHash,
      ranges: terms.map(({ xorb, ...term }) => ({ xorb: { folder: FOLDER, hash: xorb }, ...term })),
    }
    return { ...sent, chunked }
  }
  return { ...made, one, send, file }
}

describe('a chunked file', () => {
  it('is read from any byte to any other', async () => {
    const chunk = fc.uint8Array({ minLength: 1, maxLength: 9 })
    const xorb = fc.array(chunk, { minLength: 1, maxLength: 5 })
    const range = fc.record({ of: fc.nat(2), first: fc.nat(4), more: fc.nat(4) })
    await fc.assert(
      fc.asyncProperty(
        fc.array(xorb, { minLength: 1, maxLength: 3 }),
        fc.array(range, { maxLength: 5 }),
        fc.constantFrom(0, 1, 2),
        fc.nat(100),
        fc.nat(100),
        async (contents, drawn, scheme, from, more) => {
          const { one, send, file } = setUp()
          const xorbs = await Promise.all(contents.map((each) => xorbOf(each, scheme)))
          for (const each of xorbs) await send(each)
          const ranges = drawn.map(({ of, first, more: count }) => {
            const sent = xorbs[of % xorbs.length] as SentXorb
            const start = first % sent.chunks.length
            return { xorb: sent, first: start, end: Math.min(sent.chunks.length, start + 1 + count) }
          })
          const { contents: whole, sha256, chunked } = await file(ranges)
          await one.chunkedFiles.put(sha256, chunked)
          expect(await one.chunkedFiles.find(sha256)).toEqual(chunked)
          const offset = Math.min(from, whole.length)
          const length = Math.min(more, whole.length - offset)
          const expected = Buffer.from(whole.subarray(offset, offset + length)).toString('latin1')
          expect(await collected(one.blobs.stream(sha256, { offset, length }))).toBe(expected)
          expect(
            Buffer.from((await one.blobs.get(sha256, { offset, length: more })) ?? new Uint8Array()).toString('latin1'),
          ).toBe(expected)
          expect(Buffer.from((await one.blobs.get(sha256)) ?? new Uint8Array())).toEqual(Buffer.from(whole))
          expect(await one.blobs.size(sha256)).toBe(whole.length)
        },
      ),
      runs,
    )
  })

  it('is not there when a xorb of it is not', async () => {
    const { one, send, file, store } = setUp()
    const xorb = await xorbOf([bytesOf('one'), bytesOf('two')])
    await send(xorb)
    const { sha256, chunked } = await file([{ xorb, first: 0, end: 2 }])
    await one.chunkedFiles.put(sha256, chunked)
    expect(await one.blobs.problem(sha256, 6)).toBeUndefined()
    expect(await one.blobs.problem(sha256, 7)).toContain('6 bytes')
    const key = xorbKey(FOLDER, xorb.hash)
    await store.delete([key])
    expect(await one.blobs.size(sha256)).toBeUndefined()
    expect(await one.blobs.problem(sha256, 6)).toContain(key)
    await expect(one.blobs.get(sha256)).rejects.toMatchObject({ kind: 'corrupt', code: 'blob-missing' })
    // Sent again by somebody else, in another place.
    await one.xorbs.take({ folder: 'ben', hash: xorb.hash }, inParts(xorb.body, 100))
    const ranges = chunked.ranges.map((range) => ({ ...range, xorb: { folder: 'ben', hash: xorb.hash } }))
    await one.chunkedFiles.put(sha256, { ...chunked, ranges })
    expect(Buffer.from((await one.blobs.get(sha256)) ?? new Uint8Array()).toString()).toBe('onetwo')
  })

  it('has a stored form that stays readable', async () => {
    const { one, store } = setUp()
    const sha256 = 'd'.repeat(64)
    const ranges = [
      { xorb: { folder: 'f', hash: 'a'.repeat(64) }, first: 0, end: 2, sizeBytes: 5 },
      { xorb: { folder: 'f', hash: 'b'.repeat(64) }, first: 1, end: 2, sizeBytes: 3 },
      { xorb: { folder: 'f', hash: 'a'.repeat(64) }, first: 2, end: 3, sizeBytes: 1 },
    ]
    const golden = `{"sizeBytes":9,"xetHash":"${'c'.repeat(64)}","xorbs":["f/${'a'.repeat(64)}","f/${'b'.repeat(64)}"],"ranges":[[0,0,2,5],[1,1,2,3],[0,2,3,1]],"siltstone":{"format":"registry-chunked-file","v":1,"writes":[],"crc32":"00000000"}}`
    const { crcHex } = await import('siltstone/internal')
    const whole = golden.replace('"00000000"', `"${crcHex(bytesOf(golden))}"`)
    await store.put(chunkedFileKey(sha256), bytesOf(whole))
    const file = { sizeBytes: 9, xetHash: 'c'.repeat(64), ranges }
    expect(await one.chunkedFiles.find(sha256)).toEqual(file)
    await one.chunkedFiles.put('e'.repeat(64), file)
    const got = await store.get(chunkedFileKey('e'.repeat(64)))
    const text = got.status === 'ok' ? Buffer.from(got.body).toString() : ''
    expect(text.replace(/"writes".*/, '')).toBe(golden.replace(/"writes".*/, ''))
    await store.put(chunkedFileKey('f'.repeat(64)), bytesOf(whole.replace('[0,2,3,1]', '[0,2,3,2]')))
    await expect(one.chunkedFiles.find('f'.repeat(64))).rejects.toMatchObject({ kind: 'corrupt' })
  })
})

describe('a xorb', () => {
  it('with other chunks than its name says is refused, and visible to nobody', async () => {
    const { one, store } = setUp()
    const [xorb, other] = [await xorbOf([bytesOf('one')]), await xorbOf([bytesOf('two')])]
    const name = { folder: FOLDER, hash: xorb.hash }
    await expect(one.xorbs.take(name, inParts(other.body, 9))).rejects.toMatchObject({ code: 'xorb-damaged' })
    await expect(one.xorbs.take(name, inParts(new Uint8Array(), 9))).rejects.toThrow('no chunks')
    expect(await one.xorbs.has(name)).toBe(false)
    // Put into the bucket by its client.
    await store.put(xorbKey(name.folder, name.hash), other.body)
    await expect(one.xorbs.verified(name)).rejects.toMatchObject({ kind: 'invalid', code: 'xorb-damaged' })
    expect(await one.xorbs.has(name)).toBe(false)
    await store.put(xorbKey(name.folder, name.hash), xorb.body)
    expect((await one.xorbs.verified(name)).length).toBe(1)
    expect((await store.get(chunkTableKey(name.folder, name.hash))).status).toBe('ok')
  })

  it('that was sent again, packed in another way, is read with a new table', async () => {
    const { one, store, over } = setUp()
    const contents = ['one', 'three', 'five'].map(bytesOf)
    const [plain, packed] = [await xorbOf(contents), await xorbOf(contents, 1)]
    const name = { folder: FOLDER, hash: plain.hash }
    await one.xorbs.take(name, inParts(plain.body, 9))
    expect(await one.xorbs.take(name, inParts(packed.body, 9))).toBe(false)
    await store.delete([xorbKey(name.folder, name.hash)])
    await store.put(xorbKey(name.folder, name.hash), packed.body)
    for (const process of [one, over(store)]) expect(await collected(process.xorbs.read(name, 1, 3))).toBe('threefive')
    await store.delete([xorbKey(name.folder, name.hash)])
    await store.put(xorbKey(name.folder, name.hash), packedChunk(bytesOf('none'), 0))
    await expect(collected(one.xorbs.read(name, 1, 3))).rejects.toMatchObject({ kind: 'corrupt', code: 'xorb-damaged' })
    expect(await one.xorbs.has(name)).toBe(true)
  })

  it('has a table whose stored form stays readable', async () => {
    const { chunks } = await xorbOf([bytesOf('one'), bytesOf('three')])
    const stored = encodeTable(chunks.map((each) => ({ ...each, packedBytes: each.sizeBytes + 8 })))
    expect(Buffer.from(stored).toString('hex')).toBe(GOLDEN_TABLE)
  })
})

const GOLDEN_TABLE =
  '7374637401000000020000008cc0278f56e54651e78539c09a4abf0bd32c7a5a7a86bc61c2cddc05b81288370b00000003000000' +
  '06a546233fd0bf08fac54f458cff2bcaca1a33236ae98072dbb14807df43ff1918000000080000004c1a6e93'
