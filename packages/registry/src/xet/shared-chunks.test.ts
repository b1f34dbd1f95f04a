import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ServedRegistry, servedRegistry } from '../testing/served-registry.ts'
import { fileOfRanges, type SentXorb, xorbOf } from '../testing/xet-client.ts'
import { XetUploads } from '../testing/xet-uploads.ts'
import { hashText, isShared, keyedHash, xetHashes } from './hashes.ts'

const bytesOf = (text: string) => Buffer.from(text)

/** As the format says: what an answer describes, by its own offsets. */
function described(shard: Uint8Array) {
  const view = Buffer.from(shard)
  const footer = view.length - Number(view.readBigUInt64LE(40))
  const hash = (at: number) => hashText(view.subarray(at, at + 32))
  const xorbs: { hash: string; sizeBytes: number; packedBytes: number; chunks: [string, number, number, number][] }[] =
    []
  let at = Number(view.readBigUInt64LE(footer + 16))
  for (; hash(at) !== 'f'.repeat(64); ) {
    const count = view.readUInt32LE(at + 36)
    const numbers = { sizeBytes: view.readUInt32LE(at + 40), packedBytes: view.readUInt32LE(at + 44) }
    const xorb = { hash: hash(at), ...numbers, chunks: [] as [string, number, number, number][] }
    for (let n = 0; n < count; n++) {
      at += 48
      xorb.chunks.push([hash(at), view.readUInt32LE(at + 32), view.readUInt32LE(at + 36), view.readUInt32LE(at + 40)])
    }
    at += 48
    xorbs.push(xorb)
  }
  return {
    tag: view.subarray(0, 14).toString(),
    versions: [view.readBigUInt64LE(32), view.readBigUInt64LE(footer)],
    files: hash(Number(view.readBigUInt64LE(footer + 8))),
    endsAt: at + 48,
    footer,
    lookups: [24, 32, 40, 48, 56, 64].map((offset) => Number(view.readBigUInt64LE(footer + offset))),
    key: view.subarray(footer + 72, footer + 104),
    times: [Number(view.readBigUInt64LE(footer + 104)), Number(view.readBigUInt64LE(footer + 112))],
    says: Number(view.readBigUInt64LE(footer + 192)),
    xorbs,
  }
}

/** A chunk that clients ask for, wherever it is in a file. */
async function sharedChunk(): Promise<Uint8Array> {
  const { chunk } = await xetHashes()
  for (let n = 0; ; n++) if (isShared(chunk(bytesOf(`chunk ${n}`)))) return bytesOf(`chunk ${n}`)
}

describe('deduplication among machines', () => {
  let world: ServedRegistry
  let uploads: XetUploads
  let [ada, ben]: string[] = []
  let [first, second]: SentXorb[] = []
  beforeAll(async () => {
    world = await servedRegistry()
    uploads = new XetUploads(world)
    ada = await uploads.user('ada')
    ben = await uploads.user('ben')
    for (const token of [ada, ben]) await uploads.createRepository(token, 'own')
    await uploads.createRepository(ada, 'secret', true)
    first = await xorbOf([bytesOf('one'), bytesOf('three'), await sharedChunk()])
    second = await xorbOf([bytesOf('more')], 1)
  })
  afterAll(() => world.close())

  const ask = (chunk: string, access: string, service = world.service) =>
    service.fetch(
      new Request(`http://registry.test:8080/hub/xet/v1/chunks/default-merkledb/${chunk}`, {
        headers: { authorization: `Bearer ${access}` },
      }),
      '192.0.2.1',
    )
  const answered = async (response: Response) => described(new Uint8Array(await response.arrayBuffer()))
  const xorb = (which: SentXorb | undefined) => which as SentXorb
  const chunkOf = (which: SentXorb | undefined, index: number) =>
    hashText((xorb(which).chunks[index] as { hash: Uint8Array }).hash)

  it('describes all xorbs of a file that has the chunk, by keyed hashes', async () => {
    const access = await uploads.access(ada ?? '', 'ada/secret')
    expect((await ask(chunkOf(first, 0), access)).status).toBe(404)
    for (const each of [first, second]) await uploads.xorb(xorb(each), access)
    const file = await fileOfRanges([
      { xorb: xorb(second), first: 0, end: 1 },
      { xorb: xorb(first), first: 1, end: 3 },
    ])
    await uploads.shard([file], access)
    // The file's first chunk, and one that is asked for wherever it is; not one that is neither.
    expect((await ask(chunkOf(first, 1), access)).status).toBe(404)
    expect((await ask('no hash', access)).status).toBe(400)
    for (const chunk of [chunkOf(second, 0), chunkOf(first, 2)]) {
      const response = await ask(chunk, access)
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
      const answer = await answered(response)
      expect(answer).toMatchObject({ tag: 'HFRepoMetaData', versions: [2n, 1n], files: 'f'.repeat(64) })
      expect([answer.endsAt, answer.says]).toEqual([answer.footer, answer.footer])
      expect(answer.lookups).toEqual([answer.footer, 0, answer.footer, 0, answer.footer, 0])
      expect((answer.times[1] ?? 0) - (answer.times[0] ?? 0)).toBeGreaterThan(6 * 86_400)
      const keyed = await keyedHash(answer.key)
      const expected = [second, first].map((each) => {
        let at = 0
        const chunks = xorb(each).chunks.map(({ hash, sizeBytes }) => {
          at += sizeBytes
          return [hashText(keyed(hash)), at - sizeBytes, sizeBytes, isShared(hash) ? 0x80000000 : 0]
        })
        return { hash: xorb(each).hash, sizeBytes: at, packedBytes: xorb(each).body.length, chunks }
      })
      // The xorb with the chunk comes first.
      expect(answer.xorbs).toEqual(chunk === chunkOf(second, 0) ? expected : expected.toReversed())
      expect(answer.xorbs.flatMap(({ chunks }) => chunks.map(([hash]) => hash))).not.toContain(chunk)
    }
  })

  it('tells nobody of chunks in repositories that he may not read, and lets him name none of their xorbs', async () => {
    const [adas, bens] = [await uploads.access(ada ?? '', 'ada/secret'), await uploads.access(ben ?? '', 'ben/own')]
    const whole = await fileOfRanges([{ xorb: xorb(first), first: 0, end: 3 }])
    await uploads.shard([whole], adas)
    expect((await uploads.commit(ada ?? '', 'ada/secret', whole)).status).toBe(200)
    const part = await fileOfRanges([{ xorb: xorb(first), first: 0, end: 2 }])
    expect((await ask(chunkOf(first, 0), adas)).status).toBe(200)
    const refused = async () => {
      expect((await ask(chunkOf(first, 0), bens)).status).toBe(404)
      expect((await uploads.shard([part], bens)).status).toBe(404)
    }
    await refused()
    // A version of a public repository has them: everybody may know.
    expect((await uploads.commit(ada ?? '', 'ada/own', whole)).status).toBe(200)
    const answer = await answered(await ask(chunkOf(first, 0), bens))
    expect(answer.xorbs.map(({ hash }) => hash)).toEqual([xorb(first).hash])
    const own = await answered(await ask(chunkOf(first, 0), adas))
    expect(own.key.equals(answer.key)).toBe(false)
    // Private again.
    const settings = (isPrivate: boolean) =>
      world.call('PUT', '/hub/api/models/ada/own/settings', { token: ada, body: { private: isPrivate } })
    expect((await settings(true)).status).toBe(200)
    await refused()
    await settings(false)
    expect((await uploads.shard([part], bens)).status).toBe(200)
    expect((await uploads.commit(ben ?? '', 'ben/own', part)).status).toBe(200)
    const read = await world.call('GET', '/hub/ben/own/resolve/main/big.bin', { token: ben })
    expect(read.text).toBe('onethree')
    const stored = await world.registry.store.list('registry/xorbs/')
    expect(stored.objects).toHaveLength(2)
  })

  it('answers the same in another process', async () => {
    const access = await uploads.access(ada ?? '', 'ada/own')
    const [here, there] = [
      await ask(chunkOf(first, 0), access),
      await ask(chunkOf(first, 0), access, await world.otherService()),
    ]
    const [one, other] = [await answered(here), await answered(there)]
    expect({ ...other, times: [] }).toEqual({ ...one, times: [] })
  })

  it('forgets a file that is gone', async () => {
    const access = await uploads.access(ada ?? '', 'ada/own')
    for (const name of ['ada/own', 'ada/secret'])
      await world.call('DELETE', '/hub/api/repos/delete', { token: ada, body: { name } })
    await world.call('DELETE', '/hub/api/repos/delete', { token: ben, body: { name: 'ben/own' } })
    const keys = async (prefix: string) => (await world.registry.store.list(prefix)).objects.map(({ key }) => key)
    const done = await world.registry.collector.collect({ graceMs: -1_000, xorbAgeMs: -1_000 })
    expect(done).toMatchObject({ xorbs: 2 })
    for (const prefix of ['chunked-files', 'xorbs', 'chunk-tables', 'shared-chunks', 'xorb-uses'])
      expect(await keys(`registry/${prefix}/`)).toEqual([])
    expect((await ask(chunkOf(first, 0), access)).status).toBe(404)
  })
})
