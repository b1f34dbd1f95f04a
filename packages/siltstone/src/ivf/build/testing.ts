/** Segments with an inverted file in memory, for tests. */
import { RowSet } from '../../format/row-set.ts'
import type { SegmentDescriptor } from '../../format/segment/descriptor.ts'
import { SegmentReader } from '../../format/segment/reader.ts'
import { type Bucket, segmentUlid } from '../../format/segment/testing.ts'
import { SegmentWriter } from '../../format/segment/writer.ts'
import type { IndexedSpace } from '../directory.ts'
import type { Ivf } from '../ivf.ts'
import type { IndexedSegment } from '../search/indexed-segment.ts'
import { IvfBuilder, type IvfForm } from './builder.ts'

/** A segment whose rows are all admitted. */
export function wholeSegment(ivf: Ivf): IndexedSegment {
  const { firstRows, clusters } = ivf.directory
  const count = firstRows[clusters] as number
  return { ivf, rows: RowSet.full(count), count, firstTag: 0 }
}

/** Rows are numbered by cluster; the ordinal of a row is the index of its vector. @returns also the row of each vector */
export async function indexedSegment(
  bucket: Bucket,
  vectors: readonly Float32Array[],
  space: IndexedSpace,
  form: IvfForm = {},
): Promise<{ descriptor: SegmentDescriptor; reader: SegmentReader; rows: Uint32Array }> {
  const dimension = vectors[0]?.length ?? 0
  const builder = new IvfBuilder(vectors.length, dimension, space, undefined, form)
  builder.sample(vectors)
  await builder.train()
  const clusters: number[] = []
  for (let i = 0; i < vectors.length; i += 1_500) clusters.push(...(await builder.add(vectors.slice(i, i + 1_500))))
  const writer = new SegmentWriter({
    id: segmentUlid,
    dimension,
    fileKey: (name) => `segment/${name}`,
    open: bucket.open,
    singleFile: true,
    order: 'cluster',
  })
  const order = vectors.map((_, i) => i).sort((a, b) => (clusters[a] as number) - (clusters[b] as number) || a - b)
  const rows = new Uint32Array(vectors.length)
  for (const [row, i] of order.entries()) {
    rows[i] = row
    const vector = vectors[i] as Float32Array
    await writer.append({ id: `v${i}`, ordinal: i, version: 1, vector, document: null, metadata: null, uri: null })
  }
  await builder.sections(writer, rows)
  const descriptor = JSON.parse(JSON.stringify(await writer.finish())) as SegmentDescriptor
  return { descriptor, reader: new SegmentReader(descriptor, bucket.read), rows }
}
