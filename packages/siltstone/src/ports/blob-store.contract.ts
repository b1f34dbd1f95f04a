/** What each blob store must do, as tests. A driver that deviates says where and why. Each test has an empty bucket. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testBlobLists } from './blob-store-list.contract.ts'
import { testBlobUploads } from './blob-store-upload.contract.ts'
import { testBlobVersions } from './blob-store-version.contract.ts'
import { blobOf, type BlobTests, streamOf } from './blob-store-testing.contract.ts'
import type { BlobBody, BlobStore, PutBlobResult } from './blob-store.ts'
import { blobText, bytes, pattern, type TestOf } from './store-testing.contract.ts'

export interface OpenBlobs {
  /** An existing, empty bucket. */
  store: BlobStore
  dispose(): Promise<void>
}

export interface BlobDeviation {
  /** The name of the test that the driver fails. */
  test: string
  reason: string
}

const SHA256_OF_HELLO = 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ='

export function describeBlobStore(
  name: string,
  open: () => Promise<OpenBlobs>,
  deviations: readonly BlobDeviation[] = [],
): void {
  describe(`blob store: ${name}`, () => {
    let now: OpenBlobs
    let store: BlobStore
    const test: TestOf = (title, run) => {
      const deviation = deviations.find((other) => other.test === title)
      // oxlint-disable-next-line vitest/expect-expect, vitest/no-conditional-tests, vitest/valid-title -- the tests are `run`
      if (deviation === undefined) it(title, run)
      // oxlint-disable-next-line vitest/no-conditional-tests -- a driver lists what it does otherwise
      else it.skip(`${title} (${deviation.reason})`, run)
    }
    beforeEach(async () => {
      now = await open()
      store = now.store
    })
    afterEach(() => now.dispose())
    const read = async (key: string, options = {}) => {
      const got = await store.get(key, options)
      return got.status === 'ok' ? blobText(got.body) : got.status
    }

    describe('put, get and head', () => {
      test('gives back bytes, content type, headers and metadata', async () => {
        const head = {
          contentType: 'text/plain; charset=utf-8',
          cacheControl: 'max-age=60',
          contentDisposition: 'inline',
          contentLanguage: 'en',
          metadata: { source: 'web upload', 'user-id': '17' },
        }
        const blob = blobOf(await store.put('a/b.txt', bytes('hello'), { head }))
        expect(blob.sizeBytes).toBe(5)
        expect(await read('a/b.txt')).toBe('hello')
        const found = await store.head('a/b.txt')
        expect(found).toMatchObject({ status: 'ok', blob: { key: 'a/b.txt', etag: blob.etag, sizeBytes: 5, head } })
        expect(await store.get('a/c.txt')).toEqual({ status: 'not-found' })
        expect(await store.head('a')).toEqual({ status: 'not-found' })
      })

      test('keeps empty objects and objects around the sizes at which drivers change their ways', async () => {
        for (const size of [0, 1, 16_383, 16_384, 16_385, 70_000, 524_288, 524_289, 3_000_001]) {
          const body = pattern(size)
          blobOf(await store.put(`of-${size}`, streamOf(body.subarray(0, size >> 1), body.subarray(size >> 1))))
          for (const reusesChunks of [false, true]) {
            const got = await store.get(`of-${size}`, { reusesChunks })
            if (got.status !== 'ok') throw new Error(got.status)
            const parts: Uint8Array[] = []
            for await (const chunk of got.body) parts.push(reusesChunks ? new Uint8Array(chunk) : chunk)
            expect(Buffer.concat(parts).equals(body)).toBe(true)
            expect(got.blob.sizeBytes).toBe(size)
          }
        }
      })

      test('replaces an object', async () => {
        await store.put('a', pattern(40_000))
        const { etag } = blobOf(await store.put('a', bytes('two')))
        expect(await read('a')).toBe('two')
        expect(await store.head('a')).toMatchObject({ blob: { etag } })
      })

      test('reads ranges', async () => {
        for (const size of [10, 50_000]) {
          const body = pattern(size)
          await store.put('r', body)
          const range = async (range: { offset: number; length?: number } | { lastBytes: number }) => {
            const got = await store.get('r', { range })
            if (got.status !== 'ok') return got
            return { start: got.start, end: got.end, text: await blobText(got.body) }
          }
          const part = (start: number, end: number) => ({
            start,
            end,
            text: Buffer.from(body.subarray(start, end)).toString('latin1'),
          })
          expect(await range({ offset: 2, length: 3 })).toEqual(part(2, 5))
          expect(await range({ offset: size - 2 })).toEqual(part(size - 2, size))
          expect(await range({ offset: size - 1, length: 100 })).toEqual(part(size - 1, size))
          expect(await range({ lastBytes: 4 })).toEqual(part(size - 4, size))
          expect(await range({ lastBytes: size + 4 })).toEqual(part(0, size))
          expect(await range({ offset: size, length: 1 })).toEqual({ status: 'bad-range', sizeBytes: size })
        }
      })

      test('reads under conditions', async () => {
        const { etag, lastModifiedMs } = blobOf(await store.put('c', bytes('one')))
        expect(await store.get('c', { ifMatch: '"other"' })).toEqual({ status: 'mismatch' })
        expect(await read('c', { ifMatch: etag })).toBe('one')
        expect(await read('c', { ifNoneMatch: etag })).toBe('not-modified')
        expect(await read('c', { ifNoneMatch: '"other"' })).toBe('one')
        expect(await read('c', { ifModifiedSinceMs: lastModifiedMs - 10_000 })).toBe('one')
        expect(await read('c', { ifUnmodifiedSinceMs: lastModifiedMs - 10_000 })).toBe('mismatch')
      })

      test('writes under conditions', async () => {
        const first = blobOf(await store.put('c', bytes('one'), { ifAbsent: true }))
        expect(await store.put('c', bytes('two'), { ifAbsent: true })).toEqual({ status: 'exists' })
        expect(await store.put('c', bytes('x'), { ifMatch: '"0"' })).toEqual({ status: 'mismatch' })
        expect(await store.put('none', bytes('x'), { ifMatch: first.etag })).toEqual({ status: 'not-found' })
        expect((await store.put('c', bytes('two'), { ifMatch: first.etag })).status).toBe('ok')
        expect(await store.put('c', bytes('three'), { ifMatch: first.etag })).toEqual({ status: 'mismatch' })
      })

      test('writes one of many at once under a condition', async () => {
        const race = await Promise.all(
          Array.from({ length: 8 }, (_, i) => store.put('race', bytes(String(i)), { ifAbsent: true })),
        )
        expect(race.filter(({ status }) => status === 'ok')).toHaveLength(1)
        const first = blobOf(race.find(({ status }) => status === 'ok') as PutBlobResult)
        const swaps = await Promise.all(
          Array.from({ length: 8 }, (_, i) => store.put('race', bytes(`next ${i}`), { ifMatch: first.etag })),
        )
        expect(swaps.filter(({ status }) => status === 'ok')).toHaveLength(1)
      })
    })

    describe('checks before anything is visible', () => {
      const failing = async (body: BlobBody, options: Parameters<BlobStore['put']>[2], code: string) => {
        await expect(store.put('bad', body, options)).rejects.toMatchObject({ code })
        expect(await store.head('bad')).toEqual({ status: 'not-found' })
      }
      test('refuses what is longer or shorter than announced', async () => {
        await failing(bytes('hello'), { sizeBytes: 4 }, 'incomplete-body')
        await failing(streamOf(pattern(40_000)), { sizeBytes: 40_001 }, 'incomplete-body')
      })

      test('refuses a wrong MD5 or checksum', async () => {
        await failing(bytes('hello'), { md5: 'AAAAAAAAAAAAAAAAAAAAAA==' }, 'bad-digest')
        await failing(bytes('hello'), { sha256: '0'.repeat(64) }, 'bad-sha256')
        await failing(streamOf(pattern(20_000), bytes('x')), { sha256: '0'.repeat(64) }, 'bad-sha256')
        const expected = () => 'AAAAAA=='
        for (const algorithm of ['CRC32', 'CRC32C'] as const)
          await failing(streamOf(pattern(20_000), bytes('x')), { checksum: { algorithm, expected } }, 'bad-digest')
      })

      test('keeps a checksum that was asked for', async () => {
        const checksum = { algorithm: 'SHA256' as const, expected: () => SHA256_OF_HELLO }
        await store.put('sum', bytes('hello'), { checksum })
        const kept = { algorithm: 'SHA256', value: SHA256_OF_HELLO, type: 'FULL_OBJECT' }
        expect(await store.head('sum')).toMatchObject({ blob: { checksum: kept } })
      })

      test('leaves the old object when the new body fails', async () => {
        await store.put('kept', bytes('old'))
        const broken = async function* (): AsyncGenerator<Uint8Array> {
          yield pattern(100_000)
          throw new Error('the client went away')
        }
        await expect(store.put('kept', broken())).rejects.toThrow('the client went away')
        expect(await read('kept')).toBe('old')
      })

      test('refuses keys, metadata and tags that cannot be kept', async () => {
        await expect(store.put('', bytes('x'))).rejects.toMatchObject({ code: 'bad-key' })
        await expect(store.put('é'.repeat(513), bytes('x'))).rejects.toMatchObject({ code: 'key-too-long' })
        const metadata = (one: Record<string, string>) => store.put('m', bytes('x'), { head: { metadata: one } })
        await expect(metadata({ name: 'größe' })).rejects.toMatchObject({ code: 'bad-metadata' })
        await expect(metadata({ name: 'x'.repeat(2_050) })).rejects.toMatchObject({ code: 'metadata-too-large' })
        const tags = Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`t${i}`, '']))
        await expect(store.put('m', bytes('x'), { tags })).rejects.toMatchObject({ code: 'bad-tags' })
        await expect(store.put('m', bytes('x'), { tags: { a: 'b&c' } })).rejects.toMatchObject({ code: 'bad-tags' })
      })
    })

    describe('delete, copy and tags', () => {
      test('deletes, also what is not there', async () => {
        await store.put('d', bytes('x'))
        expect(await store.delete('d')).toMatchObject({ status: 'ok' })
        expect(await store.head('d')).toEqual({ status: 'not-found' })
        expect(await store.delete('d')).toMatchObject({ status: 'ok' })
      })

      test('copies with the source’s head or another one', async () => {
        const head = { contentType: 'text/plain', metadata: { a: '1' } }
        for (const [size, body] of [
          ['small', bytes('hello')],
          ['large', pattern(50_000)],
        ] as const) {
          const { etag } = blobOf(await store.put(`${size}-source`, body, { head, tags: { t: 'v' } }))
          const same = blobOf(await store.copy({ key: `${size}-source` }, `${size}-same`))
          expect(same.etag).toBe(etag)
          await store.copy({ key: `${size}-source` }, `${size}-other`, { head: { contentType: 'text/html' }, tags: {} })
          await store.delete(`${size}-source`)
          expect(await store.head(`${size}-same`)).toMatchObject({ blob: { head, sizeBytes: body.length } })
          expect(await store.tags(`${size}-same`)).toEqual({ t: 'v' })
          const other = await store.head(`${size}-other`)
          expect(other).toMatchObject({ blob: { head: { contentType: 'text/html' } } })
          expect(await store.tags(`${size}-other`)).toEqual({})
          expect((await read(`${size}-same`)).length).toBeGreaterThan(0)
        }
      })

      test('copies an object to itself with another head', async () => {
        for (const body of [bytes('hello'), pattern(50_000)]) {
          await store.put('self', body)
          const copied = await store.copy({ key: 'self' }, 'self', { head: { contentType: 'text/html' } })
          expect(blobOf(copied)).toMatchObject({ sizeBytes: body.length, head: { contentType: 'text/html' } })
          expect((await read('self')).length).toBe(body.length)
        }
      })

      test('copies under conditions on the source', async () => {
        const { etag } = blobOf(await store.put('from', bytes('x')))
        expect(await store.copy({ key: 'none' }, 'to')).toEqual({ status: 'source-not-found' })
        expect(await store.copy({ key: 'from', ifMatch: '"other"' }, 'to')).toEqual({ status: 'source-mismatch' })
        expect(await store.copy({ key: 'from', ifMatch: etag }, 'to')).toMatchObject({ status: 'ok' })
      })

      test('keeps tags and changes them', async () => {
        await store.put('t', bytes('x'), { tags: { kind: 'talk' } })
        expect(await store.tags('t')).toEqual({ kind: 'talk' })
        await store.setTags('t', { kind: 'video', 'two words': 'a=b +c' })
        expect(await store.tags('t')).toEqual({ kind: 'video', 'two words': 'a=b +c' })
        await expect(store.tags('none')).rejects.toMatchObject({ code: 'no-such-blob' })
      })
    })

    const tests: BlobTests = { test, store: () => store }
    testBlobLists(tests)
    testBlobVersions(tests)
    testBlobUploads(tests)
  })
}
