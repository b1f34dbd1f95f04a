import { afterAll, describe, expect, it } from 'vitest'
import { CHECKSUM_ALGORITHMS } from '../ports/blob-store.ts'
import { BodyHash, type BodyHashes, type WantedHashes } from './blob-checksum.ts'
import { HashThreads } from './hash-threads.ts'

const threads = new HashThreads()
afterAll(() => threads.close())

function block(text: string): [SharedArrayBuffer, number] {
  const bytes = Buffer.from(text)
  const shared = new SharedArrayBuffer(bytes.length + 10)
  new Uint8Array(shared).set(bytes)
  return [shared, bytes.length]
}

const plain = (hashes: BodyHashes) =>
  Object.fromEntries(
    Object.entries(hashes).map(([name, bytes]) => [name, Buffer.from(bytes as Uint8Array).toString('hex')]),
  )

function expected(texts: readonly string[], wanted: WantedHashes = {}) {
  const hash = new BodyHash(wanted)
  for (const text of texts) hash.update(Buffer.from(text))
  return plain(hash.digest())
}

describe('threads that hash', () => {
  it('give the hashes of bodies that come at the same time', async () => {
    const wanted: WantedHashes[] = [
      {},
      { sha256: true },
      ...CHECKSUM_ALGORITHMS.map((checksum) => ({ checksum, sha256: true })),
    ]
    const bodies = wanted.map((wants, n) => ({
      wants,
      texts: Array.from({ length: n }, (_, k) => `block ${k} of ${n}`),
    }))
    const hashes = await Promise.all(
      bodies.map(async ({ wants, texts }) => {
        const body = threads.open(wants)
        await Promise.all(texts.map((text) => body.update(...block(text))))
        return plain(await body.digest())
      }),
    )
    expect(hashes).toEqual(bodies.map(({ wants, texts }) => expected(texts, wants)))
  })

  it('forget a body that is given up', async () => {
    const given = threads.open()
    const updated = given.update(...block('one'))
    given.close()
    given.close()
    await updated
    const other = threads.open()
    await other.update(...block('two'))
    expect(plain(await other.digest())).toEqual(expected(['two']))
  })

  it('that end fail their bodies, and are started again by the next', async () => {
    const own = new HashThreads()
    const body = own.open({ checksum: 'SHA256' })
    await body.update(...block('one'))
    await own.close()
    await expect(body.digest()).rejects.toMatchObject({ code: 'hash-thread-ended' })
    const next = own.open({ checksum: 'SHA256' })
    await next.update(...block('two'))
    expect(plain(await next.digest())).toEqual(expected(['two'], { checksum: 'SHA256' }))
    await own.close()
  })

  it('that end without an answer fail the calls that wait for one', async () => {
    const silent = new HashThreads({ module: new URL('data:text/javascript,setInterval(() => {}, 1e6)') })
    const updated = silent.open().update(...block('one'))
    const [failed] = await Promise.allSettled([updated, silent.close()])
    expect(failed).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable', code: 'hash-thread-ended' } })
  })

  it('are not needed: without their module, the process hashes', async () => {
    const here = new HashThreads({ module: null }).open({ checksum: 'CRC32' })
    await here.update(...block('one'))
    expect(plain(await here.digest())).toEqual(expected(['one'], { checksum: 'CRC32' }))
  })
})
