/** Segments with filter indexes in memory, for tests. */
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { OldSegment } from '../format/segment/old-segment.ts'
import { type Bucket, segmentUlid } from '../format/segment/testing.ts'
import { SegmentWriter } from '../format/segment/writer.ts'
import { FilterIndexBuilder } from './builder.ts'

export interface FilteredRow {
  metadata: string | null
  document: string | null
  /** Where it was: see `originOf`. */
  origin?: number
}

/** @param idOf of row i @param old segments that rows come from */
export async function writeFiltered(
  bucket: Bucket,
  rows: readonly FilteredRow[],
  idOf: (i: number) => string = String,
  old: readonly OldSegment[] = [],
): Promise<SegmentDescriptor> {
  const fileKey = (name: string) => `segment/${name}`
  const writer = new SegmentWriter({ id: segmentUlid, dimension: 1, fileKey, open: bucket.open, singleFile: true })
  const builder = await FilterIndexBuilder.merging({}, old)
  for (const [i, { metadata, document, origin }] of rows.entries()) {
    const isRead = metadata !== null && builder.needsMetadata(origin)
    await builder.add(i, isRead ? parseForFilter(metadata) : null, document, origin)
    const vector = Float32Array.of(i)
    await writer.append({ id: idOf(i), ordinal: i, version: 1, vector, document, metadata, uri: null })
  }
  await builder.sections(writer)
  return writer.finish()
}
