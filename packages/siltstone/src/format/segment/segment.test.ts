import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSegmentDescriptor } from './descriptor.ts'
import { verifySegment } from './verify-segment.ts'
import { SegmentReader, type TextColumn } from './reader.ts'
import { Bucket, MapCache, plainRows, rowsOf, segmentUlid, writeSegment } from './testing.ts'
import { type SegmentRow, SegmentWriter } from './writer.ts'

const COLUMNS = { ids: 'id', metadata: 'metadata', documents: 'document', uris: 'uri' } as const
const columns = Object.entries(COLUMNS) as [TextColumn, 'id' | 'metadata' | 'document' | 'uri'][]

async function expectRows(
  reader: SegmentReader,
  rows: readonly SegmentRow[],
  picked: readonly number[],
): Promise<void> {
  expect(reader.rows).toBe(rows.length)
  const all = await reader.rowRange(0, rows.length)
  expect([...all.ordinals]).toEqual(rows.map((row) => row.ordinal))
  expect([...all.versions]).toEqual(rows.map((row) => row.version))
  const some = picked.map((i) => rows[i] as SegmentRow)
  expect([...(await reader.rowNumbers(picked)).ordinals]).toEqual(some.map((row) => row.ordinal))
  expect(await reader.vectors(picked)).toEqual(some.map((row) => row.vector))
  expect(await reader.ids(picked)).toEqual(some.map((row) => row.id))
  for (const [column, field] of columns) {
    expect(await reader.column(column, picked)).toEqual(some.map((row) => row[field]))
    const scanned: (string | null)[] = []
    for await (const block of reader.scanColumn(column)) {
      expect(block.firstRow).toBe(scanned.length)
      for (let row = block.firstRow; row < block.firstRow + block.rows; row++) scanned.push(block.get(row))
    }
    expect(scanned).toEqual(rows.map((row) => row[field]))
  }
  const found = await reader.lookup([...some.map((row) => row.id), 'no such id', ''])
  expect([...found]).toEqual([...picked, -1, -1])
}

async function scanned(reader: SegmentReader, chunkBytes: number): Promise<Float32Array[]> {
  const out: Float32Array[] = []
  for await (const pages of reader.scanVectors({ chunkBytes })) {
    expect(pages.firstRow).toBe(out.length)
    for (let i = 0; i < pages.rowCount; i++) {
      const at = Math.floor(i / pages.rowsPerPage) * pages.pageFloats + (i % pages.rowsPerPage) * reader.dimension
      out.push(pages.data.subarray(at, at + reader.dimension))
    }
  }
  return out
}

describe('segments', () => {
  it('agree with plain arrays', async () => {
    await fc.assert(
      fc.asyncProperty(
        rowsOf(3),
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.nat()),
        async (rows, singleFile, cached, picks) => {
          const bucket = new Bucket()
          const descriptor = parseSegmentDescriptor(await writeSegment(bucket, rows, { dimension: 3, singleFile }))
          expect(descriptor.files.length).toBe(singleFile ? 1 : descriptor.sections.length)
          const options = cached ? { cache: new MapCache() } : {}
          const reader = new SegmentReader(descriptor, bucket.read, options)
          const picked = picks.map((pick) => pick % rows.length)
          await expectRows(reader, rows, picked)
          if (cached) await expectRows(reader, rows, picked)
          expect(await scanned(reader, 100)).toEqual(rows.map((row) => row.vector))
          await verifySegment(reader)
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each([
    [1, 5000],
    [384, 3000],
    [1536, 40],
  ])('of dimension %i with many pages and blocks', async (dimension, count) => {
    const rows = plainRows(count, dimension)
    for (const singleFile of [true, false]) {
      const bucket = new Bucket()
      const descriptor = parseSegmentDescriptor(await writeSegment(bucket, rows, { dimension, singleFile }))
      const reader = new SegmentReader(descriptor, bucket.read, { cache: new MapCache() })
      await expectRows(reader, rows, [count - 1, 0, 17, 17, 3, count >> 1])
      expect(await scanned(reader, 64 * 1024)).toEqual(rows.map((row) => row.vector))
      await verifySegment(reader)
      for (const [key, object] of bucket.objects) {
        expect(descriptor.files.find((file) => file.key === key)?.sizeBytes).toBe(object.length)
      }
    }
  })

  it('gives an empty section no file of its own, and every other one its file', async () => {
    for (const singleFile of [true, false]) {
      const bucket = new Bucket()
      const options = { id: segmentUlid, dimension: 3, fileKey: (name: string) => name, open: bucket.open, singleFile }
      const writer = new SegmentWriter(options)
      for (const row of plainRows(10, 3)) await writer.append(row)
      // The dictionary of documents without words.
      await writer.addSection('none', async (sink) => {
        await sink.write(new Uint8Array(0))
        return { type: 'none', directory: { offset: 0, length: 0, crc32: '00000000' } }
      })
      await writer.addSection('some', async (sink) => {
        await sink.write(Uint8Array.of(1, 2, 3))
        return { type: 'some' }
      })
      const descriptor = parseSegmentDescriptor(JSON.parse(JSON.stringify(await writer.finish())))
      for (const { key, sizeBytes } of descriptor.files) expect(bucket.objects.get(key)?.length).toBe(sizeBytes)
      await verifySegment(new SegmentReader(descriptor, bucket.read))
      expect(descriptor.sections.find(({ name }) => name === 'none')?.length).toBe(0)
    }
  })

  it('finds every id, and only those', async () => {
    const rows = plainRows(20_000, 2)
    const bucket = new Bucket()
    const reader = new SegmentReader(await writeSegment(bucket, rows, { dimension: 2 }), bucket.read)
    const found = await reader.lookup(rows.map((row) => row.id))
    expect([...found]).toEqual(rows.map((_, i) => i))
    bucket.reads = []
    const missing = await reader.lookup(Array.from({ length: 5000 }, (_, i) => `absent-${i}`))
    expect(missing.every((row) => row === -1)).toBe(true)
  })

  it('omits a column without values and keeps leading nulls', async () => {
    const rows = plainRows(9000, 1).map((row, i) => ({ ...row, document: null, metadata: i < 8999 ? null : '{"z":1}' }))
    const bucket = new Bucket()
    const descriptor = await writeSegment(bucket, rows, { dimension: 1 })
    expect(descriptor.sections.map((section) => section.name)).not.toContain('documents')
    const reader = new SegmentReader(descriptor, bucket.read)
    await expectRows(reader, rows, [0, 8192, 8998, 8999])
  })

  it('reads few bytes for few rows, and none twice with a cache', async () => {
    const rows = plainRows(4000, 64)
    const bucket = new Bucket()
    const reader = new SegmentReader(await writeSegment(bucket, rows, { dimension: 64 }), bucket.read, {
      cache: new MapCache(),
    })
    await reader.vectors([10, 11, 3999])
    expect(bucket.reads.length).toBe(2)
    expect(bucket.reads.reduce((sum, read) => sum + read.length, 0)).toBeLessThan(3 * 4096)
    bucket.reads = []
    await reader.vectors([11, 10, 3999, 12])
    expect(bucket.reads).toEqual([])
  })

  it('gives places of vectors at once when all their pages are in memory', async () => {
    const rows = plainRows(4000, 64)
    const bucket = new Bucket()
    const options = { cache: new MapCache() }
    const reader = new SegmentReader(await writeSegment(bucket, rows, { dimension: 64 }), bucket.read, options)
    expect(reader.knownVectorPlaces([10, 3999])).toBeUndefined()
    await reader.vectorPlaces([10, 3999])
    const { blocks, starts } = reader.knownVectorPlaces([3999, 10]) ?? { blocks: [], starts: [] }
    const found = blocks.map((block, i) => block.slice(starts[i], (starts[i] as number) + 64))
    expect(found).toEqual([rows[3999]?.vector, rows[10]?.vector])
    expect(reader.knownVectorPlaces([10, 2000])).toBeUndefined()
    expect(() => reader.knownVectorPlaces([4000])).toThrow(RangeError)
  })

  it('writes large chunks and opens each file once', async () => {
    const bucket = new Bucket()
    const opened: string[] = []
    const { open } = bucket
    bucket.open = async (key) => {
      opened.push(key)
      return open(key)
    }
    await writeSegment(bucket, plainRows(6000, 256), { dimension: 256, singleFile: false })
    expect(new Set(opened).size).toBe(opened.length)
    expect(bucket.chunks.filter((size) => size < 256 * 1024).length).toBeLessThanOrEqual(opened.length)
  })

  it('keeps the order of clusters', async () => {
    const rows = plainRows(50, 2).reverse()
    const bucket = new Bucket()
    const reader = new SegmentReader(await writeSegment(bucket, rows, { dimension: 2, order: 'cluster' }), bucket.read)
    await expectRows(reader, rows, [3, 1])
    await verifySegment(reader)
  })

  it('refuses bad rows', async () => {
    const [row] = plainRows(1, 2) as [SegmentRow]
    const write = (change: Partial<SegmentRow>): Promise<unknown> =>
      writeSegment(new Bucket(), [{ ...row, ...change }], { dimension: 2 })
    await expect(write({ id: '' })).rejects.toThrow('id is empty')
    await expect(write({ vector: Float32Array.of(1) })).rejects.toThrow('1 values')
    await expect(write({ ordinal: -1 })).rejects.toThrow('ordinal')
    await expect(write({ version: 0.5 })).rejects.toThrow('version')
    await expect(writeSegment(new Bucket(), [], { dimension: 2 })).rejects.toThrow('no rows')
    await expect(writeSegment(new Bucket(), [row, row], { dimension: 2 })).rejects.toThrow('not ascending')
  })

  it('verify finds an id that is there twice', async () => {
    const [a, b] = plainRows(2, 1) as [SegmentRow, SegmentRow]
    const bucket = new Bucket()
    const reader = new SegmentReader(await writeSegment(bucket, [a, { ...b, id: a.id }], { dimension: 1 }), bucket.read)
    await expect(verifySegment(reader)).rejects.toThrow('the same id')
  })
})
