/** Segments with filter indexes in memory, for tests. */
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { type Bucket, segmentUlid } from '../format/segment/testing.ts'
import { SegmentWriter } from '../format/segment/writer.ts'
import { FilterIndexBuilder } from './builder.ts'

export interface FilteredRow {
  metadata: string | null
  document: string | null
}

/** @param idOf of row i */
export async function writeFiltered(
  bucket: Bucket,
  rows: readonly FilteredRow[],
  idOf: (i: number) => string,
): Promise<SegmentDescriptor> {
  const fileKey = (name: string) => `segment/${name}`
  const writer = new SegmentWriter({ id: segmentUlid, dimension: 1, fileKey, open: bucket.open, singleFile: true })
  const builder = new FilterIndexBuilder()
  for (const [i, { metadata, document }] of rows.entries()) {
    await builder.add(i, metadata === null ? null : parseForFilter(metadata), document)
    const vector = Float32Array.of(i)
    await writer.append({ id: idOf(i), ordinal: i, version: 1, vector, document, metadata, uri: null })
  }
  await builder.sections(writer)
  return writer.finish()
}
