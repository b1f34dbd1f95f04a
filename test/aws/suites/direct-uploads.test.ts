/** Uploads that clients send to the bucket themselves, and copies within it, by servers of S3. */
import { openBucket, type TestBucket, targets } from '@siltstone/emulated-aws'
import { type DirectUploads, isSiltstoneError, type ObjectStore } from 'siltstone/internal'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const MIB = 1024 * 1024
const MINUTE_MS = 60_000
const FIRST = Buffer.alloc(5 * MIB, 'first')
const LAST = Buffer.from('the last part')

/** moto compares no signatures, and fails at an upload that it does not know. */
const exact = targets().filter(({ name }) => !name.startsWith('moto'))

const put = (url: string | undefined, body: Uint8Array, headers: Record<string, string> = {}) =>
  fetch(url ?? '', { method: 'PUT', body, headers })

describe.each(exact)('$name', (target) => {
  it('takes only the size that a link is for', async () => {
    const bucket = await openBucket(target)
    const store = bucket.store()
    const direct = store.direct as DirectUploads
    try {
      const { urls } = await direct.begin('a/size', { partSizesBytes: [LAST.length], expiresInMs: MINUTE_MS })
      expect((await put(urls[0], Buffer.from('the last part and more'))).status).toBe(403)
      expect((await put(urls[0], LAST)).status).toBe(200)
      expect(await direct.complete('a/size', 'there-is-no-such-upload', ['"x"'])).toBe(false)
      const { url, headers } = await direct.presignPut('a/size', { sizeBytes: LAST.length, expiresInMs: MINUTE_MS })
      expect((await put(url, LAST)).status).toBe(403)
      expect((await put(url, LAST.subarray(1), { ...headers })).status).toBe(403)
    } finally {
      await store.close()
      await bucket.dispose()
    }
  })
})

describe.each(targets())('$name', (target) => {
  let bucket: TestBucket
  let store: ObjectStore
  let direct: DirectUploads
  beforeAll(async () => {
    bucket = await openBucket(target)
    store = bucket.store()
    direct = store.direct as DirectUploads
  })
  afterAll(async () => {
    await store.close()
    await bucket.dispose()
  })

  async function send(key: string) {
    const partSizesBytes = [FIRST.length, LAST.length]
    const { uploadId, urls } = await direct.begin(key, { partSizesBytes, expiresInMs: MINUTE_MS })
    const etags: string[] = []
    for (const [at, part] of [FIRST, LAST].entries()) {
      const answer = await put(urls[at], part)
      expect(answer.status).toBe(200)
      etags.push(answer.headers.get('etag') ?? '')
    }
    return { uploadId, urls, etags }
  }

  it('an upload in parts is invisible until it is completed, and its links end with it', async () => {
    const { uploadId, urls, etags } = await send('a/parts')
    expect(await store.head('a/parts')).toBeUndefined()
    await expect(direct.complete('a/parts', uploadId, [etags[1] ?? '', etags[0] ?? ''])).rejects.toMatchObject({
      code: 'upload-part',
    })
    expect(await direct.complete('a/parts', uploadId, etags)).toBe(true)
    const got = await store.get('a/parts')
    expect(got.status === 'ok' && Buffer.from(got.body).equals(Buffer.concat([FIRST, LAST]))).toBe(true)
    expect((await put(urls[1], Buffer.from('THE LAST PART'))).ok).toBe(false)
    // A repetition may or may not be known to the server (moto fails at it); none changes the object.
    await direct.complete('a/parts', uploadId, etags).catch((error: unknown) => {
      if (!isSiltstoneError(error, 'unknown')) throw error
    })
    expect((await store.head('a/parts'))?.sizeBytes).toBe(FIRST.length + LAST.length)
  })

  it('a link for one request creates, and replaces nothing', async () => {
    const { url, headers } = await direct.presignPut('a/once', { sizeBytes: LAST.length, expiresInMs: MINUTE_MS })
    expect((await put(url, LAST, { ...headers })).status).toBe(200)
    expect((await put(url, LAST, { ...headers })).status).toBe(412)
  })

  it('a copy within the bucket replaces nothing', async () => {
    const { uploadId, etags } = await send('a/source')
    await direct.complete('a/source', uploadId, etags)
    const sizeBytes = FIRST.length + LAST.length
    expect(await direct.copyIfAbsent('a/source', 'a/copy', sizeBytes)).toBe('ok')
    const got = await store.get('a/copy')
    expect(got.status === 'ok' && Buffer.from(got.body).equals(Buffer.concat([FIRST, LAST]))).toBe(true)
    expect(await direct.copyIfAbsent('a/source', 'a/copy', sizeBytes)).toBe('exists')
    expect(await direct.copyIfAbsent('a/none', 'a/other', sizeBytes)).toBe('not-found')
    expect(await store.head('a/other')).toBeUndefined()
  })
})
