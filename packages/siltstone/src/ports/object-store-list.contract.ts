import * as fc from 'fast-check'
import { expect } from 'vitest'
import {
  bytes,
  entriesOf,
  etagOf,
  groupsOf,
  inByteOrder,
  keysOf,
  pattern,
  type TestOf,
} from './store-testing.contract.ts'
import type { ListOptions, ObjectStore } from './object-store.ts'

/** The part of the object-store contract that concerns `list`. */
export function testList(test: TestOf, open: () => ObjectStore): void {
  test('answers in byte order of the whole key', async () => {
    const keys = ['a/b', 'a-b', 'a', 'a0', 'b/', 'B', 'a/b/c', 'é', 'z', '\u{1f600}', '\uffee'].filter(
      (key) => !key.endsWith('/') && key !== 'a' && key !== 'a/b',
    )
    for (const key of keys) await open().put(key, bytes(key))
    expect(await keysOf(open(), '')).toEqual(inByteOrder(keys))
  })

  test('tells size and time, and ETags when asked', async () => {
    const small = etagOf(await open().put('l/small', bytes('abc')))
    const large = etagOf(await open().put('l/large', pattern(100_000)))
    const page = await open().list('l/', { etags: true })
    expect(page.objects.map(({ key, sizeBytes, etag }) => [key, sizeBytes, etag])).toEqual([
      ['l/large', 100_000, large],
      ['l/small', 3, small],
    ])
    expect(page.objects.every(({ lastModifiedMs }) => lastModifiedMs > 0)).toBe(true)
    expect((await open().list('l/', { etags: true })).objects[0]?.etag).toBe(large)
    expect((await open().list('l/')).objects.map(({ sizeBytes }) => sizeBytes)).toEqual([100_000, 3])
  })

  test('takes any prefix', async () => {
    for (const key of ['ab/c1', 'ab/c2', 'ab/d', 'abc', 'b']) await open().put(key, bytes('x'))
    expect(await keysOf(open(), 'ab')).toEqual(['ab/c1', 'ab/c2', 'ab/d', 'abc'])
    expect(await keysOf(open(), 'ab/')).toEqual(['ab/c1', 'ab/c2', 'ab/d'])
    expect(await keysOf(open(), 'ab/c')).toEqual(['ab/c1', 'ab/c2'])
    expect(await keysOf(open(), 'ab/c2')).toEqual(['ab/c2'])
    expect(await keysOf(open(), 'ab/c2/')).toEqual([])
    expect(await keysOf(open(), 'nothing/here')).toEqual([])
    await expect(open().list('../a')).rejects.toMatchObject({ kind: 'invalid', code: 'bad-prefix' })
  })

  test('groups by the delimiter', async () => {
    for (const key of ['d/1', 'd/i/x', 'd/i/y', 'd/j/k/l', 'd-e', 'f']) await open().put(key, bytes('x'))
    expect(await groupsOf(open(), '')).toEqual([['d-e', 'f'], ['d/']])
    expect(await groupsOf(open(), 'd/')).toEqual([['d/1'], ['d/i/', 'd/j/']])
    expect(await groupsOf(open(), 'd')).toEqual([['d-e'], ['d/']])
    expect(await groupsOf(open(), 'd/i')).toEqual([[], ['d/i/']])
  })

  test('shows no group whose last object was deleted', async () => {
    await open().put('d/e/f/g', bytes('x'))
    await open().put('d/h', bytes('x'))
    await open().delete(['d/e/f/g'])
    expect(await groupsOf(open(), 'd/')).toEqual([['d/h'], []])
    await open().delete(['d/h'])
    expect(await groupsOf(open(), '')).toEqual([[], []])
  })

  test('starts after a key, whether it exists or not', async () => {
    for (const key of ['l/001', 'l/002', 'l/004', 'l/inbox/a', 'l/inbox/b']) await open().put(key, bytes('x'))
    const after = async (startAfter: string) => (await open().list('l/', { startAfter })).objects.map(({ key }) => key)
    expect(await after('l/002')).toEqual(['l/004', 'l/inbox/a', 'l/inbox/b'])
    expect(await after('l/003')).toEqual(['l/004', 'l/inbox/a', 'l/inbox/b'])
    expect(await after('l/inbox/a')).toEqual(['l/inbox/b'])
    expect(await after('l/inbox/b')).toEqual([])
    expect(await after('k')).toHaveLength(5)
    expect(await after('m')).toEqual([])
    const grouped = await open().list('l/', { startAfter: 'l/002', delimiter: '/' })
    expect([grouped.objects.map(({ key }) => key), grouped.prefixes]).toEqual([['l/004'], ['l/inbox/']])
  })

  test('shows a group whose keys go on after startAfter', async () => {
    for (const key of ['g/a/1', 'g/a/2', 'g/b/1', 'g/c']) await open().put(key, bytes('x'))
    const after = async (startAfter: string) => {
      const { objects, prefixes } = await open().list('g/', { startAfter, delimiter: '/' })
      return [objects.map(({ key }) => key), prefixes]
    }
    expect(await after('g/a/1')).toEqual([['g/c'], ['g/a/', 'g/b/']])
    expect(await after('g/a/2')).toEqual([['g/c'], ['g/b/']])
  })

  test('gives pages of the limit and a continuation', async () => {
    const keys = Array.from({ length: 7 }, (_, at) => `p/${at}`)
    for (const key of keys) await open().put(key, bytes('x'))
    const first = await open().list('p/', { limit: 3 })
    expect(first.objects.map(({ key }) => key)).toEqual(keys.slice(0, 3))
    const second = await open().list('p/', { limit: 3, continuation: first.continuation ?? '' })
    const third = await open().list('p/', { limit: 3, continuation: second.continuation ?? '' })
    expect(third.objects.map(({ key }) => key)).toEqual(['p/6'])
    expect(third.continuation).toBeUndefined()
    expect((await open().list('p/', { limit: 7 })).continuation).toBeUndefined()
    for (const limit of [0, -1, 1001, 1.5]) {
      await expect(open().list('', { limit })).rejects.toMatchObject({ code: 'bad-limit' })
    }
  })

  test('gives 1,000 keys a page', async () => {
    const keys = Array.from({ length: 1003 }, (_, at) => `n/${at}`)
    for (let at = 0; at < keys.length; at += 100) {
      await Promise.all(keys.slice(at, at + 100).map((key) => open().put(key, bytes('x'))))
    }
    const page = await open().list('n/')
    expect(page.objects).toHaveLength(1000)
    expect(page.continuation).toBeDefined()
    expect(await keysOf(open(), 'n/')).toEqual(inByteOrder(keys))
  })

  test('agrees with sorting and grouping all keys by hand', async () => {
    const part = fc.string({
      unit: fc.constantFrom('a', 'b', '-', '.', '0', 'é', '\u{1f600}'),
      minLength: 1,
      maxLength: 3,
    })
    const key = fc
      .array(
        part.filter((text) => text !== '.' && text !== '..'),
        { minLength: 1, maxLength: 3 },
      )
      // Folders and objects have different names, because some drivers cannot store both under one name.
      .map((parts) => parts.map((text, at) => (at === parts.length - 1 ? `${text}.o` : `${text}f`)).join('/'))
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(key, { maxLength: 12 }),
        fc.record({
          prefixCut: fc.nat({ max: 6 }),
          startAfter: fc.option(key, { nil: undefined }),
          isDelimited: fc.boolean(),
          limit: fc.integer({ min: 1, max: 4 }),
        }),
        async (keys, { prefixCut, startAfter, isDelimited, limit }) => {
          const prefix = Array.from(keys[0] ?? '')
            .slice(0, prefixCut)
            .join('')
          const options: ListOptions = {
            limit,
            ...(isDelimited ? { delimiter: '/' as const } : {}),
            ...(startAfter === undefined ? {} : { startAfter }),
          }
          fc.pre(!beginsWithinGroup(keys, prefix, options))
          for (const each of keys) await open().put(each, bytes('x'))
          try {
            expect(await entriesOf(open(), prefix, options)).toEqual(byHand(keys, prefix, options))
          } finally {
            await open().delete(keys)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
}

/** Not every server of the S3 protocol can answer this, so it is a separate test. */
function beginsWithinGroup(keys: readonly string[], prefix: string, options: ListOptions): boolean {
  const { startAfter = '', delimiter } = options
  if (delimiter === undefined) return false
  const groups = byHand(keys, prefix, { delimiter }).filter((shown) => shown.endsWith('/'))
  return groups.some((group) => startAfter.startsWith(group))
}

function byHand(keys: readonly string[], prefix: string, { startAfter, delimiter }: ListOptions): string[] {
  const matching = inByteOrder(keys).filter(
    (key) =>
      key.startsWith(prefix) &&
      (startAfter === undefined || Buffer.compare(Buffer.from(key), Buffer.from(startAfter)) > 0),
  )
  const shown = matching.map((key) => {
    const slash = delimiter === undefined ? -1 : key.indexOf('/', prefix.length)
    return slash === -1 ? key : key.slice(0, slash + 1)
  })
  return [...new Set(shown)]
}
