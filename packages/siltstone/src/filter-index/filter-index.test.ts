import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileFilter } from '../filter/evaluate.ts'
import type { Filter } from '../model/filter.ts'
import { verifySegment } from '../format/segment/verify-segment.ts'
import { SegmentReader } from '../format/segment/reader.ts'
import { Bucket } from '../format/segment/testing.ts'
import { SegmentWriter } from '../format/segment/writer.ts'
import { PAIR_BYTES } from './layout.ts'
import { memoryScratch } from '../ports/scratch.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import { FilterIndexBuilder } from './builder.ts'
import { type FilterIndex, filterIndexOf, nameOf } from './filter-index.ts'
import { type FilteredRow as Row, writeFiltered } from './testing.ts'
import { verifyFilterIndex } from './verify-filter-index.ts'

async function segmentOf(rows: readonly Row[], bucket = new Bucket()) {
  const descriptor = await writeFiltered(bucket, rows, (i) => `id-${i}`)
  const reader = new SegmentReader(descriptor, bucket.read)
  await verifySegment(reader)
  await verifyFilterIndex(reader)
  return { reader, descriptor, bucket }
}

async function indexOf(rows: readonly Row[]): Promise<FilterIndex> {
  return (await filterIndexOf((await segmentOf(rows)).reader)) as FilterIndex
}

/** Checks that the bounds hold. @returns whether they are exact */
async function hold(index: FilterIndex, rows: readonly Row[], filter: Filter): Promise<boolean> {
  const { certain, possible } = await index.bounds(filter)
  const test = compileFilter(filter)
  const right = rows.flatMap(({ metadata, document }, i) =>
    test({ id: `id-${i}`, metadata: metadata === null ? null : parseForFilter(metadata), document }) ? [i] : [],
  )
  expect(right.filter((row) => !possible.has(row))).toEqual([])
  const set = new Set(right)
  expect(certain.toArray().filter((row) => !set.has(row))).toEqual([])
  return certain.count() === possible.count()
}

describe('the name of a filter', () => {
  const scalar = fc.oneof(
    fc.bigInt({ min: -3n, max: 3n }),
    fc.constantFrom(0, -0, 1, 1.5, true, false, '', '1', '1n', 'true', '"', ',', '],['),
  )
  const filter: fc.Arbitrary<Filter> = fc.letrec<{ filter: Filter }>((tie) => ({
    filter: fc.oneof(
      { maxDepth: 2 },
      fc.record({
        kind: fc.constant('in' as const),
        key: fc.constantFrom('a', 'b'),
        negated: fc.boolean(),
        values: fc.array(scalar, { maxLength: 3 }),
      }) as fc.Arbitrary<Filter>,
      fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        clauses: fc.array(tie('filter'), { maxLength: 2 }),
      }),
    ),
  })).filter

  // Zeros of either sign compare equal in every filter, so they may share a name.
  const plain = (one: Filter): string =>
    JSON.stringify(one, (_, value: unknown) => (typeof value === 'bigint' ? { integer: String(value) } : value))

  it('is equal for equal filters only', () => {
    fc.assert(
      fc.property(filter, filter, (a, b) => {
        expect(nameOf(a) === nameOf(b)).toBe(plain(a) === plain(b))
      }),
      { numRuns: 500 },
    )
    const kinds = [1n, 1, '1', '1n', true, 'true'] as const
    const names = kinds.map((value) => nameOf({ kind: 'compare', key: 'a', op: 'eq', value }))
    expect(new Set(names).size).toBe(kinds.length)
  })
})

const key = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'é')
const numbers = fc.constantFrom(
  '0',
  '-0.0',
  '1',
  '1.0',
  '-3',
  '2.5',
  '1e3',
  '9007199254740993',
  '-9007199254740992',
  '1e300',
)
const texts = fc.constantFrom('', 'x', 'yy', 'true', '1', '😀')
const scalarText = fc.oneof(
  numbers,
  texts.map((text) => JSON.stringify(text)),
  fc.constantFrom('true', 'false'),
)
const valueText = fc.oneof(
  { weight: 4, arbitrary: scalarText },
  { weight: 1, arbitrary: fc.array(numbers, { minLength: 1, maxLength: 3 }).map((all) => `[${all.join()}]`) },
  { weight: 1, arbitrary: fc.array(texts, { minLength: 1, maxLength: 3 }).map((all) => JSON.stringify(all)) },
)
const metadata = fc
  .uniqueArray(fc.tuple(key, valueText), { selector: ([name]) => name, maxLength: 4 })
  .map((entries) => `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`)
const document = fc
  .array(fc.constantFrom('abc', 'bcd', ' ', 'the quick', 'ab', '😀x', 'ABC'), { maxLength: 6 })
  .map((parts) => parts.join(''))
const row = fc.record({ metadata: fc.option(metadata), document: fc.option(document) })
const scalar = fc.oneof(
  fc.constantFrom(0, -0, 1, -3, 2.5, 1000, 1e300, 9007199254740992),
  fc.constantFrom(0n, 1n, 9007199254740993n, -9007199254740992n, 2n ** 63n - 1n),
  texts,
  fc.boolean(),
)
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constant('compare' as const),
    key,
    op: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte'),
    value: scalar,
  }),
  fc.record({
    kind: fc.constant('in' as const),
    key,
    negated: fc.boolean(),
    values: fc.array(scalar, { maxLength: 4 }),
  }),
  fc.record({ kind: fc.constant('contains' as const), key, negated: fc.boolean(), value: scalar }),
  fc.record({ kind: fc.constant('document-contains' as const), negated: fc.boolean(), text: document }),
  fc.record({
    kind: fc.constant('document-regex' as const),
    negated: fc.boolean(),
    pattern: fc.constantFrom(
      'abc+d?',
      'the.quick',
      '(abc|bcd)',
      '[a-c]bcd',
      'quick$',
      'ab{2}c',
      'abc\\sbcd',
      '(?i)abc',
      'ab\\.',
      '(?:abc|the )+quick',
      'x(abc|bcd)?ab',
    ),
  }),
  fc.record({
    kind: fc.constant('id' as const),
    negated: fc.boolean(),
    values: fc.constantFrom<string[]>(['id-0'], ['id-3', 'id-7'], ['no']),
  }),
)
const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      clauses: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }),
    }),
  ),
}))

describe('filter indexes', () => {
  it('never miss a row, and never promise one that does not match', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 50 }),
        fc.array(filter, { minLength: 1, maxLength: 8 }),
        async (rows, filters) => {
          const index = await indexOf(rows)
          for (const one of filters) await hold(index, rows, one)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('are exact for strings, booleans, numbers and members', async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, i): Row => ({
        metadata: JSON.stringify({
          s: `section ${i % 58}`,
          n: (i * 7) % 5_003,
          f: i / 8,
          b: i % 3 === 0,
          t: [`t${i % 4}`, `u${i % 9}`],
        }),
        document: null,
      }),
    )
    const index = await indexOf(rows)
    const filters: Filter[] = [
      { kind: 'compare', key: 's', op: 'eq', value: 'section 7' },
      { kind: 'compare', key: 's', op: 'ne', value: 'section 7' },
      { kind: 'in', key: 's', negated: false, values: ['section 1', 'section 2', 'none'] },
      { kind: 'compare', key: 'n', op: 'gte', value: 4_000n },
      { kind: 'compare', key: 'n', op: 'eq', value: 77 },
      { kind: 'compare', key: 'f', op: 'lt', value: 1_000.25 },
      { kind: 'compare', key: 'b', op: 'eq', value: true },
      { kind: 'contains', key: 't', negated: true, value: 't3' },
      { kind: 'compare', key: 'absent', op: 'eq', value: 'x' },
    ]
    for (const one of filters) expect(await hold(index, rows, one)).toBe(true)
    expect(await hold(index, rows, { kind: 'and', clauses: filters })).toBe(true)
  })

  it('are the same bytes when their pairs were spilled', async () => {
    let files = 0
    const create = () => {
      files++
      return memoryScratch.create()
    }
    const build = async (pairs?: number) => {
      const memoryBytes = pairs === undefined ? undefined : pairs * PAIR_BYTES
      const builder = new FilterIndexBuilder({ scratch: { create }, memoryBytes })
      for (let i = 0; i < 12_000; i++)
        await builder.add(
          i,
          parseForFilter(
            `{"n":${(i * 7) % 501},"f":${Math.sin(i)},"id":"row-${i}","few":${i % 4000 === 0 ? i : '"x"'}}`,
          ),
          null,
        )
      const written: Buffer[] = []
      const addSection: SegmentWriter['addSection'] = async (_, write) => {
        await write({
          get position() {
            return written.reduce((sum, { length }) => sum + length, 0)
          },
          write: (bytes) => void written.push(Buffer.from(bytes)),
        })
      }
      await builder.sections({ rows: 12_000, addSection } as SegmentWriter)
      await builder.close()
      return Buffer.concat(written)
    }
    const whole = await build()
    expect(files).toBe(0)
    expect((await build(5_000)).equals(whole)).toBe(true)
    expect((await build(20_000)).equals(whole)).toBe(true)
    expect(files).toBe(2)
  })

  it('narrow one of many strings to about one row, and a text in documents to some', async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, i): Row => ({
        metadata: JSON.stringify({ url: `https://example.org/${i}` }),
        document: `row ${i} tells of ${['granite', 'basalt', 'slate', 'marble'][i % 4]} and of number ${(i * 7919) % 100_003}`,
      }),
    )
    const index = await indexOf(rows)
    const url: Filter = { kind: 'compare', key: 'url', op: 'eq', value: 'https://example.org/777' }
    await hold(index, rows, url)
    expect((await index.bounds(url)).possible.count()).toBe(1)
    const text: Filter = { kind: 'document-contains', negated: false, text: `number ${(4_321 * 7919) % 100_003}` }
    await hold(index, rows, text)
    expect((await index.bounds(text)).possible.count()).toBeLessThan(10)
  })

  it('report damage as corrupt and never give a wrong answer', async () => {
    const rows = Array.from(
      { length: 3_000 },
      (_, i): Row => ({ metadata: `{"n":${i % 500},"s":"v${i % 9}"}`, document: `text ${i % 77} of it` }),
    )
    const { descriptor, bucket } = await segmentOf(rows)
    const key = descriptor.files[0]?.key ?? ''
    const whole = bucket.objects.get(key) as Uint8Array
    const filters: Filter[] = [
      { kind: 'compare', key: 'n', op: 'gte', value: 100 },
      { kind: 'compare', key: 's', op: 'eq', value: 'v3' },
      { kind: 'document-contains', negated: false, text: 'text 33' },
    ]
    let found = 0
    for (const name of ['metadata-values', 'trigrams']) {
      const section = descriptor.sections.find((it) => it.name === name)
      const { offset = 0, length = 0 } = section ?? {}
      for (let round = 0; round < 60; round++) {
        const damaged = Uint8Array.from(whole)
        const at = offset + Math.floor((round * length) / 60)
        damaged[at] = (damaged[at] as number) ^ 0x11
        bucket.objects.set(key, damaged)
        const reader = new SegmentReader(descriptor, bucket.read)
        await expect(verifyFilterIndex(reader)).rejects.toMatchObject({ kind: 'corrupt' })
        try {
          const index = (await filterIndexOf(reader)) as FilterIndex
          for (const one of filters) await hold(index, rows, one)
        } catch (error) {
          expect(error).toMatchObject({ kind: 'corrupt', message: expect.stringContaining(name) })
          found++
        }
      }
    }
    expect(found).toBeGreaterThan(20)
  })
})
