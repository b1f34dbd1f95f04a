import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SegmentReader } from '../format/segment/reader.ts'
import { Bucket } from '../format/segment/testing.ts'
import { contentOf, type MovedRow, movedRows } from '../format/testing/moved-rows.ts'
import { Analyzer } from '../text/analyzer.ts'
import type { BuilderOptions } from './builder.ts'
import { writeIndexed } from './testing.ts'
import { verifyWordIndexes } from './verify-word-index.ts'
import { documentSource, type TextSource } from './word-source.ts'

const title: TextSource = { kind: 'text', key: 'title', analyzer: Analyzer.of('none') }
const wanted = { texts: [documentSource, title], sparseKeys: ['s', 't'] }
const TYPES = ['postings', 'front-coded-words']

/**
 * Expects that merged indexes are those that are built from the texts of the rows, byte for byte.
 * @returns how the weights under `s` are stored
 */
async function expectSame(
  segments: readonly (readonly MovedRow[])[],
  options: BuilderOptions = {},
  unused: readonly boolean[] = [],
): Promise<unknown> {
  const only = options.mostWeights === undefined ? {} : { mostWeights: options.mostWeights }
  const readers = await Promise.all(
    segments.map(async (rows) => {
      const bucket = new Bucket()
      return new SegmentReader(await writeIndexed(bucket, rows, wanted, only), bucket.read)
    }),
  )
  const { rows, old } = movedRows(segments, readers, unused)
  if (rows.length === 0) return undefined
  const [merged, built] = [new Bucket(), new Bucket()]
  const descriptor = await writeIndexed(merged, rows, wanted, { ...options, old })
  const expected = await writeIndexed(
    built,
    rows.map(({ metadata, document }) => ({ metadata, document })),
    wanted,
    only,
  )
  expect(contentOf(merged, descriptor, TYPES)).toEqual(contentOf(built, expected, TYPES))
  expect(contentOf(merged, descriptor, TYPES)).toHaveLength(6)
  await verifyWordIndexes(new SegmentReader(descriptor, merged.read))
  return descriptor.sections.find(({ name }) => name === 'sparse-0')?.params['kind']
}

const sparse = (indices: readonly number[], values: readonly number[]) => ({
  '#type': 'sparse_vector',
  indices,
  values,
})

/** @param isWhole all rows stay as they are @param weightOf of the sparse vectors */
function manyRows(
  count: number,
  seed: number,
  isWhole: boolean,
  weightOf: (i: number) => number = (i) => ((i * 7) % 13) / 4 - 1,
): MovedRow[] {
  return Array.from({ length: count }, (_, k): MovedRow => {
    const i = seed + k
    const powers = Array.from({ length: 8 }, (_, p) => (i % 2 ** p === 0 ? `power${p} `.repeat(1 + (i % 3)) : ''))
    const dimensions = [i % 3, 5 + (i % 40), 1_000 + (i % 700)]
    const metadata = JSON.stringify({
      ...(i % 3 > 0 && { title: `Title ${i % 50} of ${i % 7}` }),
      ...(i % 4 > 0 && {
        s: sparse(i % 9 === 1 ? [] : dimensions, i % 9 === 1 ? [] : dimensions.map((_, d) => weightOf(3 * i + d))),
      }),
      ...(i % 5 > 0 && { t: sparse([7, 8 + (i % 5)], [weightOf(i), 0.5]) }),
    })
    return {
      document: i % 10 === 9 ? null : `${powers.join('')}row${i}`,
      metadata: i % 11 === 0 ? null : metadata,
      isTaken: isWhole || i % 6 !== 5,
      changed: {
        ...(!isWhole && i % 13 === 4 && { document: i % 2 === 0 ? null : `changed power1 ${i}` }),
        ...(!isWhole && i % 17 === 4 && { metadata: i % 2 === 0 ? null : `{"title":"changed ${i}"}` }),
      },
      place: (i * 7_919) % 10_007,
    }
  })
}

describe('merged word indexes', () => {
  it('are those that are built from the texts: whole segments, parts of segments, and new rows', async () => {
    const segments = [manyRows(300, 0, true), manyRows(200, 5_000, false), manyRows(60, 9_000, true)]
    await expectSame(segments, { maxPostings: 300, maxWords: 80 })
    await expectSame(segments, {}, [false, false, true])
    await expectSame(segments, {}, [true, true, true])
  })

  it('are those that are built, where weights do not fit into a table any more, or fit again', async () => {
    const different = (i: number) => Math.sin(i) * 100
    const many = (seed: number) => manyRows(60, seed, true, different)
    const [half, other] = [many(0), many(10_000)]
    const all = [...half, ...other]
    const mostWeights = 150
    expect(await expectSame([half], { mostWeights })).toBe('table')
    expect(await expectSame([half, other], { mostWeights })).toBe('floats')
    expect(await expectSame([all, manyRows(50, 20_000, true)], { mostWeights })).toBe('floats')
    expect(await expectSame([all.map((row, i) => ({ ...row, isTaken: i % 2 === 0 }))], { mostWeights })).toBe('table')
  })

  it('are those that are built from any rows', async () => {
    const word = fc.constantFrom('a', 'b', 'B', 'running', 'ran', 'ß', '山石', 'x1', '\ud800')
    const text = fc.option(fc.array(word, { maxLength: 12 }).map((words) => words.join(' ')))
    const weight = fc.constantFrom(1, -2, 0, 0.5, 3.25)
    const vector = fc.uniqueArray(fc.nat(5), { maxLength: 4 }).chain((indices) =>
      fc.array(weight, { minLength: indices.length, maxLength: indices.length }).map((values) =>
        sparse(
          indices.sort((a, b) => a - b),
          values,
        ),
      ),
    )
    const metadata = fc
      .option(
        fc.record(
          {
            title: fc.oneof(
              text.filter((it) => it !== null),
              fc.constant(['a', 'b a']),
            ),
            s: vector,
            t: fc.oneof(vector, fc.constant(5)),
          },
          { requiredKeys: [] },
        ),
      )
      .map((value) => value && JSON.stringify(value))
    const row = fc.record({
      document: text,
      metadata,
      isTaken: fc.nat(9).map((n) => n > 0),
      changed: fc.oneof(
        { weight: 6, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.record({ document: text, metadata }, { requiredKeys: [] }) },
      ),
      place: fc.nat(100_000),
    })
    const segments = fc.array(fc.array(row, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 })
    await fc.assert(
      fc.asyncProperty(segments, fc.array(fc.boolean(), { maxLength: 3 }), async (some, unused) => {
        await expectSame(some, { maxPostings: 30, maxWords: 10 }, unused)
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 25) },
    )
  })
})
