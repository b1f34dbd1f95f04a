import { describe, expect } from 'vitest'
import type { BlobTests } from './blob-store-testing.contract.ts'
import type { ListBlobsOptions } from './blob-store.ts'
import { bytes, inByteOrder } from './store-testing.contract.ts'

/** Keys that no path could be made from, or that sort differently in UTF-16 and in UTF-8. */
export const ODD_KEYS = [
  'a',
  'a/b',
  'a/',
  'A',
  '..',
  '../up',
  './.',
  '/leading',
  'double//slash',
  'con',
  'trailing.',
  'spa ce+plus%2Fpercent',
  'quote"<&>\'',
  'tab\tnew\nline',
  'ünïcode/日本',
  '\u{1f600}',
  '\uffee',
  'x'.repeat(1_024),
  `${'y'.repeat(300)}/${'z'.repeat(300)}`,
]

export function testBlobLists({ test, store }: BlobTests): void {
  const fill = async (keys: readonly string[]) => {
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map((key) => store().put(key, bytes(key))))
  }
  const entries = async (options: ListBlobsOptions = {}) => {
    const found: string[] = []
    let continuation: string | undefined
    do {
      const page = await store().list({ ...options, ...(continuation !== undefined && { continuation }) })
      expect(page.blobs.length + page.prefixes.length).toBeLessThanOrEqual(options.limit ?? 1_000)
      found.push(...inByteOrder([...page.blobs.map(({ key }) => key), ...page.prefixes]))
      continuation = page.continuation
    } while (continuation !== undefined)
    return found
  }

  describe('list', () => {
    test('keeps any key beside any other, and lists them in byte order', async () => {
      await fill(ODD_KEYS)
      for (const key of ODD_KEYS) {
        const got = await store().head(key)
        expect(got).toMatchObject({ status: 'ok', blob: { key } })
      }
      expect(await entries()).toEqual(inByteOrder(ODD_KEYS))
      expect(await entries({ limit: 1 })).toEqual(inByteOrder(ODD_KEYS))
      expect(await entries({ limit: 3, delimiter: '/' })).toEqual(
        inByteOrder([
          ...new Set(ODD_KEYS.map((key) => (key.includes('/') ? key.slice(0, key.indexOf('/') + 1) : key))),
        ]),
      )
    })

    test('groups by a delimiter of any text', async () => {
      await fill(['p/a--1', 'p/a--2', 'p/b', 'q'])
      expect(await entries({ prefix: 'p/', delimiter: '--' })).toEqual(['p/a--', 'p/b'])
      expect(await entries({ prefix: 'p/a', delimiter: '/' })).toEqual(['p/a--1', 'p/a--2'])
      expect(await entries({ prefix: 'none' })).toEqual([])
    })

    test('starts after a key', async () => {
      await fill(['a', 'b', 'b/c', 'd'])
      expect(await entries({ startAfter: 'b' })).toEqual(['b/c', 'd'])
      expect(await entries({ startAfter: 'bb', limit: 1 })).toEqual(['d'])
      expect(await entries({ startAfter: 'zz' })).toEqual([])
    })

    test('never ends silently at a thousand', async () => {
      const keys = Array.from({ length: 1_005 }, (_, i) => `k${String(i).padStart(5, '0')}`)
      await fill(keys)
      const first = await store().list()
      expect(first.blobs).toHaveLength(1_000)
      expect(first.continuation).toBeDefined()
      expect(await entries()).toEqual(keys)
    })

    test('says size and ETag', async () => {
      await store().put('one', bytes('hello'))
      const head = await store().head('one')
      const { blobs } = await store().list()
      if (head.status !== 'ok') throw new Error(head.status)
      const { etag, lastModifiedMs } = head.blob
      expect(blobs[0]).toMatchObject({ key: 'one', sizeBytes: 5, etag })
      expect(Math.abs((blobs[0]?.lastModifiedMs ?? 0) - lastModifiedMs)).toBeLessThan(1_000)
    })
  })
}
