/** A bucket in memory and arbitrary rows, for this folder's tests. */
import * as fc from 'fast-check'
import type { SegmentDescriptor } from './descriptor.ts'
import type { SegmentLayout } from './layout.ts'
import type { OpenFile } from './sink.ts'
import type { BlockCache, BlockShelf, ReadRange } from './source.ts'
import { type SegmentRow, SegmentWriter } from './writer.ts'

export class Bucket {
  readonly objects = new Map<string, Uint8Array>()
  reads: { key: string; offset: number; length: number }[] = []
  chunks: number[] = []

  open: OpenFile = async (key) => {
    this.objects.set(key, new Uint8Array(0))
    return {
      write: async (chunk) => {
        this.chunks.push(chunk.length)
        this.objects.set(key, Buffer.concat([this.objects.get(key) ?? new Uint8Array(0), chunk]))
      },
    }
  }

  /** A copy at an odd address, as some stores hand out. */
  read: ReadRange = async (key, offset, length) => {
    this.reads.push({ key, offset, length })
    const part = (this.objects.get(key) ?? new Uint8Array(0)).subarray(offset, offset + length)
    const odd = Buffer.alloc(part.length + 1).subarray(1)
    odd.set(part)
    return odd
  }
}

export class MapCache implements BlockCache {
  readonly entries = new Map<string, unknown>()
  shelf(name: string): BlockShelf {
    return {
      get: (number) => this.entries.get(`${name}/${number}`),
      set: (number, value) => {
        this.entries.set(`${name}/${number}`, value)
      },
    }
  }
}

export const segmentUlid = '01ARZ3NDEKTSV4RRFFQ69G5FAV'

export async function writeSegment(
  bucket: Bucket,
  rows: readonly SegmentRow[],
  options: { dimension: number; singleFile?: boolean; order?: 'ordinal' | 'cluster'; layout?: SegmentLayout },
): Promise<SegmentDescriptor> {
  const writer = new SegmentWriter({
    id: segmentUlid,
    fileKey: (name) => `segment/${name}`,
    open: bucket.open,
    singleFile: true,
    ...options,
  })
  for (const row of rows) await writer.append(row)
  return JSON.parse(JSON.stringify(await writer.finish())) as SegmentDescriptor
}

const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
  { weight: 1, arbitrary: fc.constantFrom('', 'long '.repeat(20_000)) },
)

/** Rows with different ids and ascending ordinals. */
export function rowsOf(dimension: number, maxLength = 60): fc.Arbitrary<SegmentRow[]> {
  return fc
    .uniqueArray(
      fc.record({
        id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
        step: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(2 ** 33)),
        version: fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER)),
        vector: fc
          .array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: dimension, maxLength: dimension })
          .map((values) => Float32Array.from(values)),
        document: fc.option(text),
        metadata: fc.option(text),
        uri: fc.option(text, { freq: 1 }),
      }),
      { selector: (row) => row.id, minLength: 1, maxLength, size: 'max' },
    )
    .map((rows) => {
      let ordinal = 0
      return rows.map(({ step, ...row }) => ({ ...row, ordinal: (ordinal += step) }))
    })
}

/** Many plain rows, so that sections have several pages and blocks. */
export function plainRows(count: number, dimension: number): SegmentRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `record-${i}`,
    ordinal: i + 10,
    version: 1 + (i % 7),
    vector: Float32Array.from({ length: dimension }, (_, d) => Math.sin(i * 31 + d)),
    document: i % 5 === 0 ? null : `document ${i} ${'words '.repeat(i % 50)}`,
    metadata: i % 3 === 0 ? null : `{"n":${i},"page":${i % 10}.5}`,
    uri: i === count - 1 ? 's3://bucket/last' : null,
  }))
}
