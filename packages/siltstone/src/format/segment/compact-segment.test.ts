import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readVarint, varint } from '../../codec/varint.ts'
import { encodeFragments, FragmentBlock, FRAGMENT_COLUMNS, type FragmentRow } from './fragments.ts'
import { PUBLISHED_LAYOUT } from './layout.ts'
import { SegmentReader, type TextColumn } from './reader.ts'
import { Bucket, MapCache, plainRows, rowsOf, writeSegment } from './testing.ts'
import { verifySegment } from './verify-segment.ts'
import type { SegmentRow } from './writer.ts'

const FIELDS = { ids: 'id', metadata: 'metadata', documents: 'document', uris: 'uri' } as const
const compact = (bucket: Bucket, rows: readonly SegmentRow[], dimension: number) =>
  writeSegment(bucket, rows, { dimension, layout: PUBLISHED_LAYOUT, order: 'cluster' })

describe('compact segments', () => {
  it('give back texts, ordinals and versions, and vectors nearly', async () => {
    await fc.assert(
      fc.asyncProperty(rowsOf(3), fc.array(fc.nat()), fc.boolean(), async (given, picks, cached) => {
        const rows = given.map((row, i) => ({ ...row, ordinal: given.length - i, version: 7 }))
        const bucket = new Bucket()
        const descriptor = await compact(bucket, rows, 3)
        const reader = new SegmentReader(descriptor, bucket.read, cached ? { cache: new MapCache() } : {})
        await verifySegment(reader)
        const picked = [...new Set(picks.map((pick) => pick % rows.length))]
        const some = picked.map((i) => rows[i] as SegmentRow)
        const columns = Object.keys(FIELDS) as TextColumn[]
        const values = await Promise.all(columns.map((column) => reader.column(column, picked)))
        expect(values).toEqual(columns.map((column) => some.map((row) => row[FIELDS[column]])))
        for (const column of columns) {
          const scanned: (string | null)[] = []
          for await (const block of reader.scanColumn(column))
            for (let row = block.firstRow; row < block.firstRow + block.rows; row++) scanned.push(block.get(row))
          expect(scanned).toEqual(rows.map((row) => row[FIELDS[column]]))
        }
        expect(await reader.rowNumbers(picked)).toEqual({
          ordinals: Float64Array.from(some, ({ ordinal }) => ordinal),
          versions: Float64Array.from(some, () => 7),
        })
        expect([...(await reader.rowRange(0, rows.length)).ordinals]).toEqual(rows.map(({ ordinal }) => ordinal))
        expect([...(await reader.lookup(some.map(({ id }) => id)))]).toEqual(picked)
      }),
    )
  })

  it('read a block once for all columns that are asked for together', async () => {
    const bucket = new Bucket()
    const rows = plainRows(400, 2).map((row) => ({ ...row, version: 1 }))
    const reader = new SegmentReader(await compact(bucket, rows, 2), bucket.read, {
      cache: new MapCache(),
      gapBytes: 0,
    })
    await reader.prepare(['ids'])
    bucket.reads = []
    await reader.prepareRows([7, 200])
    // Where few blocks lie is known from the beginning.
    expect(bucket.reads).toEqual([])
    await Promise.all([reader.ids([7, 200]), reader.column('documents', [7, 200]), reader.column('metadata', [200])])
    expect(bucket.reads).toHaveLength(2)
    bucket.reads = []
    expect(await reader.column('uris', [7])).toEqual([null])
    expect(bucket.reads).toEqual([])
  })

  it('refuse rows of several versions, and ordinals that do not fit', async () => {
    const [a, b] = plainRows(2, 2) as [SegmentRow, SegmentRow]
    const refused = { kind: 'invalid', code: 'bad-row' }
    await expect(compact(new Bucket(), [a, { ...b, version: a.version + 1 }], 2)).rejects.toMatchObject(refused)
    await expect(compact(new Bucket(), [{ ...a, ordinal: 2 ** 32 }], 2)).rejects.toMatchObject(refused)
  })

  it('notice every changed byte', async () => {
    const bucket = new Bucket()
    const rows = plainRows(60, 2).map((row) => ({ ...row, version: 1 }))
    const descriptor = await compact(bucket, rows, 2)
    const [key, bytes] = [...bucket.objects][0] as [string, Uint8Array]
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        bucket.objects.set(
          key,
          bytes.map((byte, i) => (i === at ? byte ^ change : byte)),
        )
        const reader = new SegmentReader(descriptor, bucket.read)
        await expect(verifySegment(reader)).rejects.toMatchObject({ kind: 'corrupt' })
      }),
    )
  })
})

describe('fragments', () => {
  it('refuse bytes that are none, whatever they are', () => {
    const row = fc.record(
      Object.fromEntries(FRAGMENT_COLUMNS.map((name) => [name, fc.option(fc.string({ unit: 'grapheme' }))])),
    ) as fc.Arbitrary<FragmentRow>
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), fc.nat(9), (rows, others) => {
        const block = encodeFragments(rows)
        const parse = (bytes: Uint8Array, count: number) => FragmentBlock.parse(bytes, 10, count, 'block 0', 'key')
        const parsed = parse(block, rows.length)
        for (const name of FRAGMENT_COLUMNS)
          expect(rows.map((_, i) => parsed.get(name, 10 + i))).toEqual(rows.map((one) => one[name]))
        const damaged = expect.objectContaining({ kind: 'corrupt', code: 'block-damaged' })
        if (others !== rows.length) expect(() => parse(block, others)).toThrow(damaged)
        expect(() => parse(block.subarray(0, -1), rows.length)).toThrow(damaged)
      }),
    )
  })
})

it('varints give numbers back, and refuse bytes that end too early', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.uint8Array({ maxLength: 3 }), (number, before) => {
      const bytes = Uint8Array.from([...before, ...varint(number)])
      expect(readVarint(bytes, before.length)).toEqual({ value: number, end: bytes.length })
      expect(readVarint(bytes.subarray(0, -1), before.length)).toBeUndefined()
    }),
  )
})
