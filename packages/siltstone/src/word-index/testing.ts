/** Segments with word indexes in memory, for tests. */
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { type Bucket, segmentUlid } from '../format/segment/testing.ts'
import { SegmentWriter } from '../format/segment/writer.ts'
import { type BuilderOptions, WordIndexBuilder } from './builder.ts'
import type { WantedIndexes } from './word-source.ts'

export interface IndexedRow {
  metadata: string | null
  document: string | null
  /** Where it was: see `originOf`. */
  origin?: number
}

export async function writeIndexed(
  bucket: Bucket,
  rows: readonly IndexedRow[],
  wanted: WantedIndexes,
  options: BuilderOptions = {},
): Promise<SegmentDescriptor> {
  const fileKey = (name: string) => `segment/${name}`
  const writer = new SegmentWriter({ id: segmentUlid, dimension: 1, fileKey, open: bucket.open, singleFile: true })
  const builder = new WordIndexBuilder(wanted, options)
  for (const [i, { metadata, document, origin }] of rows.entries()) {
    const isRead = metadata !== null && builder.needsMetadata(origin)
    await builder.add(i, isRead ? parseForFilter(metadata) : null, document, origin)
    const vector = Float32Array.of(i)
    await writer.append({ id: `row-${i}`, ordinal: i, version: 1, vector, document, metadata, uri: null })
  }
  await builder.sections(writer)
  await builder.close()
  return JSON.parse(JSON.stringify(await writer.finish())) as SegmentDescriptor
}
