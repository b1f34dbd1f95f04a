import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SegmentReader } from '../format/segment/reader.ts'
import { Bucket } from '../format/segment/testing.ts'
import { contentOf, type MovedRow, movedRows } from '../format/testing/moved-rows.ts'
import { MAX_TERMS, METADATA_VALUES, TRIGRAMS } from './layout.ts'
import { writeFiltered } from './testing.ts'
import { verifyFilterIndex } from './verify-filter-index.ts'

/** Expects that merged indexes are those that are built from the rows, byte for byte. */
async function expectSame(segments: readonly (readonly MovedRow[])[], unused: readonly boolean[] = []): Promise<void> {
  const readers = await Promise.all(
    segments.map(async (rows) => {
      const bucket = new Bucket()
      return new SegmentReader(await writeFiltered(bucket, rows), bucket.read)
    }),
  )
  const { rows, old } = movedRows(segments, readers, unused)
  if (rows.length === 0) return
  const [merged, built] = [new Bucket(), new Bucket()]
  const descriptor = await writeFiltered(merged, rows, String, old)
  const expected = await writeFiltered(
    built,
    rows.map(({ metadata, document }) => ({ metadata, document })),
  )
  const types = [METADATA_VALUES.type, TRIGRAMS.type]
  expect(contentOf(merged, descriptor, types)).toEqual(contentOf(built, expected, types))
  await verifyFilterIndex(new SegmentReader(descriptor, merged.read))
}

/** @param different how many different strings there are */
function manyRows(count: number, seed: number, isWhole: boolean, different = 6): MovedRow[] {
  return Array.from({ length: count }, (_, k): MovedRow => {
    const i = seed + k
    const fields = [
      `"string":"value ${i % different}"`,
      `"number":${(i * 37) % 501}`,
      `"float":${i}.5`,
      ...(i % 3 === 0 ? [`"flag":${i % 2 === 0}`] : []),
      ...(i % 4 === 0 ? [`"mixed":${i % 8 === 0 ? '"text"' : 'true'}`] : []),
      `"tags":["t${i % 7}","t${i % 11}"],"numbers":[${i % 5},${i % 3},${i % 5}]`,
      `"key${i % 40}":1`,
    ]
    return {
      document: i % 7 === 6 ? null : `row ${i} of ${i % 13}`,
      metadata: i % 10 === 9 ? null : `{${fields.join(',')}}`,
      isTaken: isWhole || i % 6 !== 5,
      changed: isWhole || i % 17 !== 4 ? {} : { metadata: i % 2 === 0 ? null : '{"other":1.5,"string":"changed"}' },
      place: (i * 7_919) % 10_007,
    }
  })
}

/** Rows with other metadata. */
const only = (rows: readonly MovedRow[], metadata: (i: number) => string): MovedRow[] =>
  rows.map((row, i) => ({ ...row, metadata: metadata(i) }))

describe('merged indexes of metadata', () => {
  it('are those that are built from the rows: whole segments, parts of segments, and new rows', async () => {
    const segments = [manyRows(300, 0, true), manyRows(200, 5_000, false), manyRows(50, 9_000, true)]
    await expectSame(segments)
    await expectSame(segments, [false, false, true])
    await expectSame(segments, [true, true, true])
  })

  it('are those that are built, where strings become too many, or few again', async () => {
    const half = MAX_TERMS / 2 + 10
    const strings = (seed: number) =>
      only(manyRows(half, 0, true), (i) => `{"string":"value ${seed + i}"${i % 9 === 0 ? ',"flag":true' : ''}}`)
    const [first, second] = [strings(0), strings(5_000)]
    await expectSame([first, second])
    await expectSame([[...first, ...second].map((row, i) => ({ ...row, isTaken: i % 5 > 1 }))])
  })

  it('are those that are built from numbers that a double rounds, from sparse vectors, and from more keys than an index has', async () => {
    const rows = manyRows(60, 0, true)
    const big = only(rows, (i) => `{"big":${9_007_199_254_740_992n + BigInt(i % 4)}}`)
    const vectors = only(rows, (i) => `{"v":{"#type":"sparse_vector","indices":[${i}],"values":[1]},"n":${i}}`)
    const lost = (some: readonly MovedRow[]) => some.map((row, i) => ({ ...row, isTaken: i % 4 !== 0 }))
    await expectSame([big, vectors])
    await expectSame([lost(big), lost(vectors)])
    const keys = (from: number) =>
      only(rows.slice(0, 30), (i) => `{${Array.from({ length: 20 }, (_, k) => `"k${from + 20 * i + k}":1`).join()}}`)
    await expectSame([keys(0), keys(600)])
  })

  it('are those that are built from any rows', async () => {
    const scalar = fc.oneof(
      fc.constantFrom('"a"', '"b"', '""', 'true', 'false', '1', '-0.0', '0', '2.5', '1e300', '9007199254740993'),
    )
    const list = (values: readonly string[]) =>
      fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 3 }).map((some) => `[${some.join()}]`)
    const value = fc.oneof({ weight: 4, arbitrary: scalar }, list(['"a"', '"c"']), list(['1', '7']), list(['true']))
    const key = fc.constantFrom('x', 'y', '__proto__', 'zz')
    const metadata = fc.option(
      fc
        .uniqueArray(fc.tuple(key, value), { maxLength: 3, selector: ([name]) => name })
        .map((fields) => `{${fields.map(([name, text]) => `"${name}":${text}`).join()}}`),
    )
    const row = fc.record({
      document: fc.constant(null),
      metadata,
      isTaken: fc.nat(9).map((n) => n > 0),
      changed: fc.oneof(
        { weight: 6, arbitrary: fc.constant({}) },
        { weight: 1, arbitrary: fc.record({ metadata }, { requiredKeys: [] }) },
      ),
      place: fc.nat(100_000),
    })
    const segments = fc.array(fc.array(row, { minLength: 1, maxLength: 25 }), { minLength: 1, maxLength: 3 })
    await fc.assert(fc.asyncProperty(segments, fc.array(fc.boolean(), { maxLength: 3 }), expectSame), {
      numRuns: Number(process.env['PROPERTY_RUNS'] ?? 25),
    })
  })
})
