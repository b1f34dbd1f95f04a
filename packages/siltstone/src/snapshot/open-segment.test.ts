import { describe, expect, it } from 'vitest'
import { SegmentReader } from '../format/segment/reader.ts'
import type { ReadRange } from '../format/segment/source.ts'
import { Bucket, plainRows, writeSegment } from '../format/segment/testing.ts'
import { BlockCache } from './block-cache.ts'
import { OpenSegment } from './open-segment.ts'

const ROWS = 10_000

async function opened(rows = ROWS, read?: (bucket: Bucket) => ReadRange) {
  const bucket = new Bucket()
  const segment = await writeSegment(bucket, plainRows(rows, 2), { dimension: 2 })
  const cache = new BlockCache(1e6)
  const reader = new SegmentReader(segment, read?.(bucket) ?? bucket.read, { cache })
  return {
    bucket,
    section: reader.rowReader.section,
    open: new OpenSegment({ segment, deletions: null, overlays: [] }, reader, null, [], cache),
  }
}

describe('ordinals of rows', () => {
  it('are looked up where few are wanted, without reading all', async () => {
    const { bucket, section, open } = await opened()
    const before = bucket.reads.length
    expect(await open.ordinals([3, 9_999])).toEqual([13, 10_009])
    const read = bucket.reads.slice(before).reduce((sum, { length }) => sum + length, 0)
    expect(read).toBeLessThan(section.length / 4)
  })

  it('are read once where many are wanted', async () => {
    const { bucket, open } = await opened()
    const many = Array.from({ length: 100 }, (_, i) => i * 100)
    expect(await open.ordinals(many)).toEqual(many.map((row) => row + 10))
    const before = bucket.reads.length
    expect(await open.ordinals([7])).toEqual([17])
    expect(bucket.reads.length).toBe(before)
  })

  it('are read in one round where they are large', async () => {
    let waiting = 0
    let most = 0
    const counted =
      (bucket: Bucket): ReadRange =>
      async (...range) => {
        most = Math.max(most, ++waiting)
        await new Promise((resolve) => setImmediate(resolve))
        waiting--
        return bucket.read(...range)
      }
    const { bucket, section, open } = await opened(66_000, counted)
    const { ordinals } = await open.rowInfo()
    expect(ordinals.every((ordinal, row) => ordinal === row + 10)).toBe(true)
    const reads = bucket.reads.filter(({ offset }) => offset >= section.offset)
    expect(reads.length).toBeGreaterThan(1)
    expect(most).toBe(reads.length)
  })
})
