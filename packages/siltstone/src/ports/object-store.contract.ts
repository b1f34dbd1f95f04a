/**
 * What each object store must do, as tests. A driver that deviates says where and why, and has a separate test for what
 * it does instead. Each test opens a new store.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytes, etagOf, keysOf, okOf, pattern, type TestOf, textOf } from './store-testing.contract.ts'
import { testList } from './object-store-list.contract.ts'
import type { ObjectStore } from './object-store.ts'

export interface OpenStore {
  store: ObjectStore
  /** Closes the store and removes its data. */
  dispose(): Promise<void>
}

export interface Deviation {
  /** The name of the test that the driver fails. */
  test: string
  reason: string
}

export function describeObjectStore(
  name: string,
  open: () => Promise<OpenStore>,
  deviations: readonly Deviation[] = [],
): void {
  describe(`object store: ${name}`, () => {
    let opened: OpenStore
    let store: ObjectStore
    const unused = new Set(deviations.map(({ test }) => test))
    const test: TestOf = (title, run) => {
      unused.delete(title)
      const deviation = deviations.find((other) => other.test === title)
      // oxlint-disable-next-line vitest/expect-expect, vitest/no-conditional-tests, vitest/valid-title -- the tests are `run`
      if (deviation === undefined) it(title, run)
      // oxlint-disable-next-line vitest/no-conditional-tests -- a driver lists what it does otherwise
      else it.skip(`${title} (${deviation.reason})`, run)
    }

    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.dispose())

    describe('get, head and put', () => {
      test('gives back what was put', async () => {
        const put = await store.put('a/b.bin', bytes('hello'))
        expect(put.status).toBe('ok')
        const got = okOf(await store.get('a/b.bin'))
        expect(textOf(got.body)).toBe('hello')
        expect(got.sizeBytes).toBe(5)
        expect(got.etag).toBe(etagOf(put))
        expect(await store.head('a/b.bin')).toEqual({
          key: 'a/b.bin',
          sizeBytes: 5,
          etag: etagOf(put),
          lastModifiedMs: got.lastModifiedMs,
        })
      })

      test('answers not-found for a missing key, also below or above an existing one', async () => {
        await store.put('a/b', bytes('x'))
        for (const key of ['a', 'a/b/c', 'a/bc', 'z']) {
          expect(await store.get(key)).toEqual({ status: 'not-found' })
          expect(await store.head(key)).toBeUndefined()
          expect(await store.get(key, { ifMatch: 'e' })).toEqual({ status: 'not-found' })
        }
      })

      test('keeps empty objects', async () => {
        await store.put('empty', bytes(''))
        expect(okOf(await store.get('empty'))).toMatchObject({ sizeBytes: 0, body: new Uint8Array(0) })
        expect((await store.head('empty'))?.sizeBytes).toBe(0)
        expect(okOf(await store.get('empty', { range: { offset: 0, length: 10 } })).body).toHaveLength(0)
      })

      test('keeps large objects exactly', async () => {
        const body = pattern(3_000_001)
        const put = await store.put('large', body)
        const got = okOf(await store.get('large'))
        expect(Buffer.compare(got.body, body)).toBe(0)
        expect(got.etag).toBe(etagOf(put))
        expect((await store.head('large'))?.etag).toBe(etagOf(put))
        expect(await store.get('large', { ifNoneMatch: etagOf(put) })).toEqual({ status: 'not-modified' })
      })

      test('replaces without a condition', async () => {
        const first = await store.put('k', bytes('one'))
        const second = await store.put('k', bytes('two'))
        expect(etagOf(second)).not.toBe(etagOf(first))
        expect(textOf(okOf(await store.get('k')).body)).toBe('two')
      })

      test('copies the body in and out', async () => {
        const body = Buffer.from('before')
        await store.put('k', body)
        body.fill('x')
        okOf(await store.get('k')).body.fill(0)
        expect(textOf(okOf(await store.get('k')).body)).toBe('before')
      })

      test('gives equal ETags to equal content', async () => {
        const first = etagOf(await store.put('one', bytes('same')))
        expect(etagOf(await store.put('two', bytes('same')))).toBe(first)
        expect(etagOf(await store.put('three', bytes('other')))).not.toBe(first)
      })

      test('tells when the object was last modified', async () => {
        const before = Date.now()
        await store.put('k', bytes('x'))
        const info = await store.head('k')
        expect(Number.isInteger(info?.lastModifiedMs)).toBe(true)
        expect(Math.abs((info?.lastModifiedMs ?? 0) - before)).toBeLessThan(60_000)
      })

      test('refuses keys that cannot be paths', async () => {
        const bad = ['', '/a', 'a/', 'a//b', '.', 'a/../b', './a', 'a\\b', 'a\nb', '\u007f', '\ud800', '.tmp/x']
        for (const key of [...bad, 'k'.repeat(1025), `a/${'k'.repeat(256)}`, 'é'.repeat(128)]) {
          await expect(store.put(key, bytes('x'))).rejects.toMatchObject({ kind: 'invalid', code: 'bad-key' })
          await expect(store.get(key)).rejects.toMatchObject({ kind: 'invalid', code: 'bad-key' })
        }
        for (const key of ['k'.repeat(255), '.a', 'a b', 'é/ü', '...']) {
          expect((await store.put(key, bytes('x'))).status).toBe('ok')
        }
      })

      test('can have an object and a folder of one name', async () => {
        await store.put('a', bytes('1'))
        await store.put('a/b', bytes('2'))
        expect(await keysOf(store, '')).toEqual(['a', 'a/b'])
      })
    })

    describe('ranges', () => {
      test('gives the bytes asked for, cut at the end, empty past it', async () => {
        await store.put('k', bytes('0123456789'))
        const read = async (offset: number, length: number) => {
          const got = okOf(await store.get('k', { range: { offset, length } }))
          expect(got.sizeBytes).toBe(10)
          return textOf(got.body)
        }
        expect(await read(0, 4)).toBe('0123')
        expect(await read(3, 3)).toBe('345')
        expect(await read(8, 100)).toBe('89')
        expect(await read(10, 1)).toBe('')
        expect(await read(500, 1)).toBe('')
        expect(await read(2, 0)).toBe('')
      })

      test('gives the same of an object that never changes, again and again', async () => {
        expect(await store.get('k', { range: { offset: 0, length: 1 }, immutable: true })).toEqual({
          status: 'not-found',
        })
        await store.put('k', bytes('0123456789'), { ifAbsent: true })
        for (const [offset, length, text] of [
          [2, 3, '234'],
          [8, 9, '89'],
          [20, 1, ''],
          [0, 10, '0123456789'],
        ] as const) {
          const got = okOf(await store.get('k', { range: { offset, length }, immutable: true }))
          expect([textOf(got.body), got.sizeBytes]).toEqual([text, 10])
        }
      })

      test('reads large ranges of large objects', async () => {
        const body = pattern(400_000)
        await store.put('k', body)
        const got = okOf(await store.get('k', { range: { offset: 100_003, length: 200_000 } }))
        expect(Buffer.compare(got.body, body.subarray(100_003, 300_003))).toBe(0)
      })

      test('gives the same where it may put the bytes into memory of the caller', async () => {
        const body = pattern(400_000)
        await store.put('k', body)
        const into = new Uint8Array(250_000)
        for (const [offset, length] of [
          [0, 250_000],
          [7, 100_000],
          [390_000, 50_000],
          [3, 10],
          [500_000, 10],
        ] as const) {
          const got = okOf(await store.get('k', { range: { offset, length }, into }))
          expect(Buffer.compare(got.body, body.subarray(offset, offset + length))).toBe(0)
        }
      })

      test('refuses negative and fractional ranges', async () => {
        await store.put('k', bytes('x'))
        for (const range of [
          { offset: -1, length: 1 },
          { offset: 0, length: -1 },
          { offset: 0.5, length: 1 },
          { offset: 0, length: Number.NaN },
        ]) {
          await expect(store.get('k', { range })).rejects.toMatchObject({ kind: 'invalid', code: 'bad-range' })
        }
      })

      test('tells the ETag with a range', async () => {
        const put = await store.put('k', bytes('0123'))
        expect(okOf(await store.get('k', { range: { offset: 1, length: 2 } })).etag).toBe(etagOf(put))
      })

      test('takes a range and a condition together', async () => {
        for (const size of [10, 200_000]) {
          const etag = etagOf(await store.put('k', pattern(size)))
          const range = { offset: 2, length: 3 }
          const got = okOf(await store.get('k', { range, ifMatch: etag }))
          expect([...got.body]).toEqual([...pattern(size).subarray(2, 5)])
          expect(got).toMatchObject({ etag, sizeBytes: size })
          expect(await store.get('k', { range, ifMatch: 'other' })).toEqual({ status: 'mismatch' })
        }
      })
    })

    describe('conditions', () => {
      test('get answers not-modified and mismatch', async () => {
        const etag = etagOf(await store.put('k', bytes('x')))
        expect(await store.get('k', { ifNoneMatch: etag })).toEqual({ status: 'not-modified' })
        expect(await store.get('k', { ifMatch: 'other' })).toEqual({ status: 'mismatch' })
        expect(okOf(await store.get('k', { ifNoneMatch: 'other' })).etag).toBe(etag)
        expect(okOf(await store.get('k', { ifMatch: etag })).etag).toBe(etag)
      })

      test('put ifAbsent creates once', async () => {
        expect((await store.put('d/k', bytes('one'), { ifAbsent: true })).status).toBe('ok')
        expect(await store.put('d/k', bytes('two'), { ifAbsent: true })).toEqual({ status: 'exists' })
        expect(textOf(okOf(await store.get('d/k')).body)).toBe('one')
        await store.delete(['d/k'])
        expect((await store.put('d/k', bytes('three'), { ifAbsent: true })).status).toBe('ok')
      })

      test('put ifMatch replaces that version only', async () => {
        expect(await store.put('k', bytes('x'), { ifMatch: 'none' })).toEqual({ status: 'not-found' })
        const first = etagOf(await store.put('k', bytes('one')))
        const second = etagOf(await store.put('k', bytes('two'), { ifMatch: first }))
        expect(await store.put('k', bytes('three'), { ifMatch: first })).toEqual({ status: 'mismatch' })
        expect(textOf(okOf(await store.get('k')).body)).toBe('two')
        expect(okOf(await store.get('k')).etag).toBe(second)
        expect(await store.get('k2')).toEqual({ status: 'not-found' })
      })

      test('of many that race to create, one wins', async () => {
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, at) => store.put('race/k', bytes(`${at}`), { ifAbsent: true })),
        )
        const winners = results.flatMap(({ status }, at) => (status === 'ok' ? [at] : []))
        expect(winners).toHaveLength(1)
        expect(results.filter(({ status }) => status === 'exists')).toHaveLength(19)
        expect(textOf(okOf(await store.get('race/k')).body)).toBe(`${winners[0]}`)
      })

      test('of many that race to replace, one wins', async () => {
        const etag = etagOf(await store.put('k', bytes('start')))
        const results = await Promise.all(
          Array.from({ length: 20 }, (_, at) => store.put('k', bytes(`${at}`), { ifMatch: etag })),
        )
        expect(results.filter(({ status }) => status === 'ok')).toHaveLength(1)
        expect(results.filter(({ status }) => status === 'mismatch')).toHaveLength(19)
      })
    })

    describe('list', () => {
      testList(test, () => store)
    })

    describe('delete', () => {
      test('removes, and counts absent keys as deleted', async () => {
        await store.put('a/b', bytes('x'))
        await store.put('a/c', bytes('x'))
        await store.put('large', pattern(2_000_000))
        expect(await store.delete(['a/b', 'nothing', 'a/b/c', 'large'])).toEqual({
          deleted: ['a/b', 'nothing', 'a/b/c', 'large'],
          failed: [],
        })
        expect(await keysOf(store, '')).toEqual(['a/c'])
        expect(await store.delete([])).toEqual({ deleted: [], failed: [] })
      })

      test('takes keys below which there are objects as absent', async () => {
        await store.put('a/b', bytes('x'))
        expect((await store.delete(['a'])).deleted).toEqual(['a'])
        expect(await keysOf(store, '')).toEqual(['a/b'])
      })

      test('a deleted key can be put again', async () => {
        for (let round = 0; round < 3; round++) {
          await store.put('x/y/z', bytes(`${round}`))
          expect(textOf(okOf(await store.get('x/y/z')).body)).toBe(`${round}`)
          await store.delete(['x/y/z'])
          expect(await store.get('x/y/z')).toEqual({ status: 'not-found' })
        }
      })

      test('writers and deleters in one folder do not disturb each other', async () => {
        const work = Array.from({ length: 40 }, async (_, at) => {
          expect((await store.put(`t/u/${at}`, bytes(`${at}`), { ifAbsent: true })).status).toBe('ok')
          if (at % 2 === 0) await store.delete([`t/u/${at}`])
        })
        await Promise.all(work)
        expect(await keysOf(store, 't/')).toHaveLength(20)
      })
    })

    describe('upload', () => {
      test('shows nothing until it is completed, then all', async () => {
        const upload = await store.upload('u/k')
        await upload.write(bytes('hello '))
        await upload.write(bytes(''))
        await upload.write(bytes('world'))
        expect(await store.get('u/k')).toEqual({ status: 'not-found' })
        expect(await keysOf(store, '')).toEqual([])
        const done = await upload.complete()
        const got = okOf(await store.get('u/k'))
        expect(textOf(got.body)).toBe('hello world')
        expect(got.etag).toBe(etagOf(done))
        await upload.abort()
        expect(textOf(okOf(await store.get('u/k')).body)).toBe('hello world')
      })

      test('takes large parts and none', async () => {
        const upload = await store.upload('large')
        const body = pattern(5_000_000)
        for (let at = 0; at < body.length; at += 1_700_000) await upload.write(body.subarray(at, at + 1_700_000))
        expect((await upload.complete()).status).toBe('ok')
        expect(Buffer.compare(okOf(await store.get('large')).body, body)).toBe(0)
        expect((await (await store.upload('empty')).complete()).status).toBe('ok')
        expect((await store.head('empty'))?.sizeBytes).toBe(0)
      })

      test('tests ifAbsent at the end', async () => {
        const upload = await store.upload('k', { ifAbsent: true })
        await upload.write(bytes('late'))
        await store.put('k', bytes('early'))
        expect(await upload.complete()).toEqual({ status: 'exists' })
        expect(textOf(okOf(await store.get('k')).body)).toBe('early')
        const second = await store.upload('k2', { ifAbsent: true })
        expect((await second.complete()).status).toBe('ok')
      })

      test('leaves nothing when it is aborted, and takes nothing more', async () => {
        const upload = await store.upload('k')
        await upload.write(bytes('x'))
        await upload.abort()
        await upload.abort()
        expect(await keysOf(store, '')).toEqual([])
        await expect(upload.write(bytes('y'))).rejects.toMatchObject({ code: 'upload-ended' })
        await expect(upload.complete()).rejects.toMatchObject({ code: 'upload-ended' })
      })
    })

    it('has a test for each deviation it names', () => {
      expect([...unused]).toEqual([])
    })
  })
}
