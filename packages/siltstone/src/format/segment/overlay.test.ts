import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { flipBit } from '../testing.ts'
import {
  OVERLAY_COLUMNS,
  type OverlayDescriptor,
  OverlayReader,
  type OverlayRow,
  OverlayWriter,
  parseOverlayDescriptor,
} from './overlay.ts'
import { Bucket, MapCache, segmentUlid } from './testing.ts'

const KEY = 'overlay/data'

async function write(bucket: Bucket, rows: readonly OverlayRow[]): Promise<OverlayDescriptor> {
  const writer = new OverlayWriter({ id: segmentUlid, key: KEY, open: bucket.open })
  for (const row of rows) await writer.append(row)
  return parseOverlayDescriptor(JSON.parse(JSON.stringify(await writer.finish())))
}

const value = fc.option(fc.string({ unit: 'grapheme' }))
const changes = fc
  .array(
    fc.tuple(
      fc.integer({ min: 1, max: 1000 }),
      fc.record(
        { version: fc.maxSafeNat(), metadata: value, documents: value, uris: value },
        { requiredKeys: ['version'] },
      ),
    ),
    { minLength: 1, maxLength: 500, size: 'medium' },
  )
  .map((items) => {
    let row = -1
    return items.map(([step, rest]) => ({ row: (row += step), ...rest }) as OverlayRow)
  })

describe('overlays', () => {
  it('tell unchanged from changed to null', async () => {
    await fc.assert(
      fc.asyncProperty(changes, fc.boolean(), async (rows, cached) => {
        const bucket = new Bucket()
        const descriptor = await write(bucket, rows)
        const reader = new OverlayReader(descriptor, bucket.read, cached ? { cache: new MapCache() } : {})
        const asked = rows.flatMap(({ row }) => [row, row + 1]).reverse()
        const byRow = new Map(rows.map((row) => [row.row, row]))
        for (const name of OVERLAY_COLUMNS) {
          expect(await reader.column(name, asked)).toEqual(asked.map((row) => byRow.get(row)?.[name]))
        }
        expect([...(await reader.versionsOf(asked))]).toEqual(asked.map((row) => byRow.get(row)?.version ?? -1))
        expect(descriptor.columns).toEqual(
          OVERLAY_COLUMNS.filter((name) => rows.some((row) => row[name] !== undefined)),
        )
        await reader.verify()
      }),
      { numRuns: 60 },
    )
  })

  const sample: OverlayRow[] = Array.from({ length: 400 }, (_, i) => ({
    row: i * 3,
    version: i + 1,
    metadata: i % 4 === 0 ? null : `{"n":${i}}`,
    ...(i % 2 === 0 ? { documents: `document ${i}` } : {}),
  }))

  it('one lookup', async () => {
    const bucket = new Bucket()
    const reader = new OverlayReader(await write(bucket, sample), bucket.read)
    expect(await reader.lookup(3, 'metadata')).toBe('{"n":1}')
    expect(await reader.lookup(0, 'metadata')).toBeNull()
    expect(await reader.lookup(3, 'documents')).toBeUndefined()
    expect(await reader.lookup(4, 'metadata')).toBeUndefined()
    expect(await reader.lookup(3, 'uris')).toBeUndefined()
  })

  it('any damage is corrupt', async () => {
    const bucket = new Bucket()
    const descriptor = await write(bucket, sample)
    const original = bucket.objects.get(KEY) as Uint8Array
    await fc.assert(
      fc.asyncProperty(fc.nat(original.length * 8 - 1), async (bit) => {
        bucket.objects.set(KEY, flipBit(original, bit))
        const reader = new OverlayReader(descriptor, bucket.read)
        await expect(reader.verify()).rejects.toThrow(expect.objectContaining({ kind: 'corrupt', key: KEY }))
      }),
      { numRuns: 200 },
    )
    bucket.objects.set(KEY, original.slice(0, -1))
    await expect(new OverlayReader(descriptor, bucket.read).verify()).rejects.toThrow(
      expect.objectContaining({ kind: 'corrupt' }),
    )
  })

  it('refuses rows out of order, and none', async () => {
    await expect(write(new Bucket(), [...sample.slice(1, 2), ...sample.slice(0, 1)])).rejects.toThrow('row 0')
    await expect(write(new Bucket(), [])).rejects.toThrow('no rows')
    expect(() => parseOverlayDescriptor({ id: 'x' })).toThrow(expect.objectContaining({ kind: 'corrupt' }))
  })
})
