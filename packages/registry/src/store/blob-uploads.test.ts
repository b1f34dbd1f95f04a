import { createHash } from 'node:crypto'
import { forwardingStore, type ObjectStore, systemIds } from 'siltstone/internal'
import { describe, expect, it } from 'vitest'
import { fakeBucket } from '../testing/fake-direct.ts'
import { bytes, keysOf, sha256, world } from '../testing/registry-world.ts'
import { BlobUploads, partBytesFor } from './blob-uploads.ts'
import { Blobs } from './blobs.ts'

const TEXT = 'weights of a model'
const PART_BYTES = 5
const MINUTE_MS = 60_000
const MIB = 1024 * 1024

function setUp(seen?: (store: ObjectStore) => ObjectStore) {
  const made = world()
  const bucket = fakeBucket(made.store)
  const over = (store: ObjectStore) =>
    new BlobUploads({
      store,
      direct: bucket.direct,
      blobs: new Blobs(store),
      ids: systemIds(made.clock, made.random),
    })
  const uploads = over(seen?.(made.store) ?? made.store)
  /** A client that names `named` and sends `text`. */
  const send = async (text = TEXT, named = TEXT, sizeBytes = text.length) => {
    const begun = await uploads.begin(sha256(named), sizeBytes, PART_BYTES, MINUTE_MS)
    const etags: string[] = []
    for (const [at, url] of begun.urls.entries()) {
      const part = bytes(text).subarray(at * PART_BYTES, (at + 1) * PART_BYTES)
      const { status, etag } = await bucket.put(url, part)
      expect(status).toBe(200)
      etags.push(etag)
    }
    return { sha256: sha256(named), sizeBytes, etags, ...begun }
  }
  const keys = () => keysOf(made.store, 'registry/')
  return { ...made, bucket, over, uploads, send, keys, blobs: new Blobs(made.store) }
}

const sha256Of = (body: Uint8Array) => createHash('sha256').update(body).digest('hex')
const BLOB = `registry/blobs/${sha256(TEXT)}`

describe('contents that a client sends to the bucket', () => {
  it('are there once they were verified, and not before', async () => {
    const { uploads, send, keys, blobs } = setUp()
    const sent = await send()
    expect(sent.urls).toHaveLength(4)
    expect(await keys()).toEqual([])
    await uploads.complete(sent)
    expect(await keys()).toEqual([BLOB])
    expect(await blobs.get(sha256(TEXT))).toEqual(bytes(TEXT))
    // An answer that was lost.
    await uploads.complete(sent)
    expect(await keys()).toEqual([BLOB])
  })

  it('that are other than named are refused, and leave nothing', async () => {
    const { uploads, send, keys, bucket } = setUp()
    const other = await send('weights of a mod3l', TEXT)
    await expect(uploads.complete(other)).rejects.toMatchObject({ code: 'blob-digest', kind: 'invalid' })
    expect(await keys()).toEqual([])
    await expect(uploads.complete(other)).rejects.toMatchObject({ code: 'upload-missing' })
    const honest = await send()
    await expect(uploads.complete({ ...honest, sizeBytes: 17 })).rejects.toMatchObject({ code: 'blob-size' })
    expect(await keys()).toEqual([])
    const partly = await send()
    await expect(uploads.complete({ ...partly, etags: ['"another"'] })).rejects.toMatchObject({ code: 'upload-part' })
    // A link is good for one size, and for nothing once the parts are joined.
    expect((await bucket.put(partly.urls[0] ?? '', bytes('six by'))).status).toBe(403)
    await uploads.complete(partly)
    expect((await bucket.put(partly.urls[0] ?? '', bytes('again'))).status).toBe(404)
    expect(await keys()).toEqual([BLOB])
  })

  it('are verified by whoever is asked first, also twice at the same time', async () => {
    const { uploads, send, keys } = setUp()
    const [one, two] = [await send(), await send()]
    await Promise.all([uploads.complete(one), uploads.complete(one), uploads.complete(two)])
    expect(await keys()).toEqual([BLOB])
  })

  it('and a process that ends before any request: nothing unverified is visible, and a repetition finishes', async () => {
    const killed = new Error('killed')
    for (const text of [TEXT, 'weights of a mod3l']) {
      for (let number = 0, goesOn = true; goesOn; number++) {
        let calls = 0
        const before = async () => {
          if (calls++ === number) throw killed
        }
        const { send, keys, uploads, over, store } = setUp((inner) =>
          forwardingStore(inner, {
            get: async (...args) => (await before(), inner.get(...args)),
            head: async (...args) => (await before(), inner.head(...args)),
            put: async (...args) => (await before(), inner.put(...args)),
            delete: async (...args) => (await before(), inner.delete(...args)),
          }),
        )
        const sent = await send(text, TEXT)
        const outcome = await uploads.complete(sent).catch((error: unknown) => error)
        goesOn = calls > number
        if (goesOn) expect(outcome).toBe(killed)
        if (text !== TEXT) expect(await keys()).not.toContain(BLOB)
        const again = over(store).complete(sent)
        if (text === TEXT) await again
        else await expect(again).rejects.toMatchObject({ code: expect.stringMatching(/blob-digest|upload-missing/) })
        expect(await keys()).toEqual(text === TEXT ? [BLOB] : [])
      }
    }
  })

  it('are verified in as many reads as they need', async () => {
    const { uploads, bucket, keys } = setUp()
    const large = Buffer.alloc(9 * MIB, 'weights')
    const digest = sha256Of(large)
    const begun = await uploads.begin(digest, large.length, 6 * MIB, MINUTE_MS)
    const etags: string[] = []
    for (const [at, url] of begun.urls.entries())
      etags.push((await bucket.put(url, large.subarray(at * 6 * MIB, (at + 1) * 6 * MIB))).etag)
    await uploads.complete({ sha256: digest, sizeBytes: large.length, etags, ...begun })
    expect(await keys()).toEqual([`registry/blobs/${digest}`])
  })
})

it('parts grow with the files, so that an answer has not many more than 1,000 links', () => {
  expect(partBytesFor([])).toBe(64 * MIB)
  expect(partBytesFor([10, 5 * MIB])).toBe(64 * MIB)
  const sizes = Array.from({ length: 256 }, () => 5e9)
  const parts = sizes.map((size) => Math.ceil(size / partBytesFor(sizes)))
  expect(parts.reduce((sum, count) => sum + count)).toBeLessThan(1_300)
  expect(Math.ceil(5e12 / partBytesFor([5e12, 5e12]))).toBeLessThan(10_000)
})
