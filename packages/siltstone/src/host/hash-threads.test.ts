import { afterAll, describe, expect, it } from 'vitest'
import { CHECKSUM_ALGORITHMS } from '../ports/blob-store.ts'
import { BodyHash } from './blob-checksum.ts'
import { HashThreads } from './hash-threads.ts'

const threads = new HashThreads()
afterAll(() => threads.close())

function block(text: string): [SharedArrayBuffer, number] {
  const bytes = Buffer.from(text)
  const shared = new SharedArrayBuffer(bytes.length + 10)
  new Uint8Array(shared).set(bytes)
  return [shared, bytes.length]
}

function expected(texts: readonly string[], algorithm: (typeof CHECKSUM_ALGORITHMS)[number] | undefined) {
  const hash = new BodyHash(algorithm)
  for (const text of texts) hash.update(Buffer.from(text))
  const { md5, checksum } = hash.digest()
  return { md5: Uint8Array.from(md5), ...(checksum && { checksum: Uint8Array.from(checksum) }) }
}

describe('threads that hash', () => {
  it('give the hashes of bodies that come at the same time', async () => {
    const bodies = [undefined, ...CHECKSUM_ALGORITHMS].map((algorithm, n) => ({
      algorithm,
      texts: Array.from({ length: n }, (_, k) => `block ${k} of ${n}`),
    }))
    const hashes = await Promise.all(
      bodies.map(async ({ algorithm, texts }) => {
        const body = threads.open(algorithm)
        await Promise.all(texts.map((text) => body.update(...block(text))))
        const { md5, checksum } = await body.digest()
        return { md5: Uint8Array.from(md5), ...(checksum && { checksum: Uint8Array.from(checksum) }) }
      }),
    )
    expect(hashes).toEqual(bodies.map(({ algorithm, texts }) => expected(texts, algorithm)))
  })

  it('forget a body that is given up', async () => {
    const given = threads.open(undefined)
    const updated = given.update(...block('one'))
    given.close()
    given.close()
    await updated
    const other = threads.open(undefined)
    await other.update(...block('two'))
    expect(Uint8Array.from((await other.digest()).md5)).toEqual(expected(['two'], undefined).md5)
  })

  it('that end fail their bodies, and are started again by the next', async () => {
    const own = new HashThreads()
    const body = own.open('SHA256')
    await body.update(...block('one'))
    await own.close()
    await expect(body.digest()).rejects.toMatchObject({ code: 'hash-thread-ended' })
    const next = own.open('SHA256')
    await next.update(...block('two'))
    const { md5 } = await next.digest()
    expect(Uint8Array.from(md5)).toEqual(expected(['two'], 'SHA256').md5)
    await own.close()
  })

  it('that end without an answer fail the calls that wait for one', async () => {
    const silent = new HashThreads({ module: new URL('data:text/javascript,setInterval(() => {}, 1e6)') })
    const updated = silent.open(undefined).update(...block('one'))
    const [failed] = await Promise.allSettled([updated, silent.close()])
    expect(failed).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable', code: 'hash-thread-ended' } })
  })

  it('are not needed: without their module, the process hashes', async () => {
    const here = new HashThreads({ module: null }).open('CRC32')
    await here.update(...block('one'))
    const { md5, checksum = [] } = await here.digest()
    expect({ md5: Uint8Array.from(md5), checksum: Uint8Array.from(checksum) }).toEqual(expected(['one'], 'CRC32'))
  })
})
