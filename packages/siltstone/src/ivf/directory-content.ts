/** The bytes of the directory of an inverted file, in each of their forms: see docs/reference/format.md. */
import { zstdDecompress } from '#codec'
import { fromPlanes } from '../codec/planes.ts'
import { paramCount, type SectionDescriptor } from '../format/segment/descriptor.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import type { CentroidGroups } from './centroid-parts.ts'

/** `plain`: as they are; `whole`: compressed; `parts`: the centroids in parts, the rest compressed. */
export type DirectoryForm = 'plain' | 'whole' | 'parts'

export interface DirectoryShape {
  form: DirectoryForm
  clusters: number
  dimension: number
  /** Number of floats of the calibration. */
  calibrationFloats: number
}

export interface DirectoryContent {
  /** Zeros where they are in parts. */
  centroids: Int8Array
  scales: Float32Array
  primaries: Uint32Array
  copies: Uint32Array
  /** Bytes of each list; undefined: they follow from its entries. */
  lengths: Uint32Array | undefined
  calibration: Float32Array
  groups: CentroidGroups | undefined
}

/** @param fail throws the error of a damaged section */
export async function readContent(
  reader: SegmentReader,
  section: SectionDescriptor,
  shape: DirectoryShape,
  fail: (reason: string) => never,
): Promise<DirectoryContent> {
  const { form, clusters, dimension, calibrationFloats } = shape
  const { offset, length, crc32 } = section
  const groups = form === 'parts' ? paramCount(section, 'groups') : 0
  if (groups > clusters) fail(`it has ${groups} groups of ${clusters} clusters`)
  const stored = form === 'parts' ? section.directory : crc32 === undefined ? undefined : { offset, length, crc32 }
  if (!stored) return fail('the descriptor gives no checksum')
  const vectors = form === 'parts' ? groups : clusters
  const expected =
    vectors * (dimension + 4) + groups * 8 + clusters * (form === 'plain' ? 8 : 12) + calibrationFloats * 4
  const rawBytes = form === 'plain' ? stored.length : section.params['rawBytes']
  if (rawBytes !== expected)
    fail(`its length is ${rawBytes} bytes, which is not that of ${clusters} clusters and its calibration`)
  const checked = await reader.source.checked(section, stored, 'the content')
  const read = form === 'plain' ? checked : zstdDecompress(checked, expected)
  if (read.length !== expected) fail(`its content is ${read.length} bytes`)
  const bytes = read.byteOffset % 4 === 0 ? read : new Uint8Array(read)
  const means = new Int8Array(bytes.buffer, bytes.byteOffset, vectors * dimension)
  let at = vectors * dimension
  const floats = (count: number) => {
    at += count * 4
    return new Float32Array(bytes.buffer, bytes.byteOffset + at - count * 4, count)
  }
  const counts = (count: number): Uint32Array => {
    at += count * 4
    if (form !== 'parts') return new Uint32Array(bytes.buffer, bytes.byteOffset + at - count * 4, count)
    return new Uint32Array(fromPlanes(bytes.subarray(at - count * 4, at), 4).buffer)
  }
  const scales = floats(vectors)
  const [sizes, partBytes] = [counts(groups), counts(groups)]
  const content = {
    primaries: counts(clusters),
    copies: counts(clusters),
    lengths: form === 'plain' ? undefined : counts(clusters),
    calibration: floats(calibrationFloats),
  }
  if (form !== 'parts') return { ...content, centroids: means, scales, groups: undefined }
  const starts = new Uint32Array(groups + 1)
  const offsets = new Float64Array(groups + 1)
  for (let g = 0; g < groups; g++) {
    starts[g + 1] = (starts[g] as number) + (sizes[g] as number)
    offsets[g + 1] = (offsets[g] as number) + (partBytes[g] as number)
  }
  if (starts[groups] !== clusters) fail(`its groups hold ${starts[groups]} clusters of ${clusters}`)
  if (offsets[groups] !== stored.offset - offset) fail(`its parts take ${offsets[groups]} bytes`)
  return {
    ...content,
    centroids: new Int8Array(clusters * dimension),
    scales: new Float32Array(clusters),
    groups: { means, scales, starts, offsets },
  }
}
