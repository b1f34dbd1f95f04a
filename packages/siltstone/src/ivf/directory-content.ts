/** The bytes of the directory of an inverted file, in each of their forms: see docs/reference/format.md. */
import { fromPlanes } from '../codec/planes.ts'
import { paramCount, type SectionDescriptor } from '../format/segment/descriptor.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { unpacked } from '../format/unpacked.ts'
import { decodeCentroids } from './centroid-code.ts'
import { centroidRows } from './centroid-grid.ts'
import { rotationSigns } from './rotation.ts'

/** `plain`: as they are; `whole`: compressed; `coded`: the centroids in few bytes, the rest compressed. */
export type DirectoryForm = 'plain' | 'whole' | 'coded'

export interface DirectoryShape {
  form: DirectoryForm
  clusters: number
  dimension: number
  /** Of the rotation. */
  seed: number
  /** Number of floats of the calibration. */
  calibrationFloats: number
}

export interface DirectoryContent {
  centroids: Int8Array
  scales: Float32Array
  primaries: Uint32Array
  copies: Uint32Array
  /** Bytes of each list; undefined: they follow from its entries. */
  lengths: Uint32Array | undefined
  calibration: Float32Array
}

type Fail = (reason: string, cause?: unknown) => never

/** @param fail throws the error of a damaged section */
export async function readContent(
  reader: SegmentReader,
  section: SectionDescriptor,
  shape: DirectoryShape,
  fail: Fail,
): Promise<DirectoryContent> {
  const { form, clusters, dimension, calibrationFloats } = shape
  const { offset, length, crc32 } = section
  if (crc32 === undefined) return fail('the descriptor gives no checksum')
  const stored = { offset, length, crc32 }
  const vectorBytes = form === 'coded' ? 0 : clusters * (dimension + 4)
  const expected = vectorBytes + clusters * (form === 'plain' ? 8 : 12) + calibrationFloats * 4
  const rawBytes = form === 'plain' ? length : section.params['rawBytes']
  if (rawBytes !== expected)
    fail(`its length is ${String(rawBytes)} bytes, which is not that of ${clusters} clusters and its calibration`)
  const checked = await reader.source.checked(section, stored, 'the content')
  const packedBytes = form === 'coded' ? paramCount(section, 'packedBytes') : length
  const read = form === 'plain' ? checked : unpacked(checked.subarray(0, packedBytes), expected, fail)
  if (read.length !== expected) fail(`its content is ${read.length} bytes`)
  const bytes = read.byteOffset % 4 === 0 ? read : new Uint8Array(read)
  let at = form === 'coded' ? 0 : clusters * dimension
  const floats = (count: number) => {
    at += count * 4
    return new Float32Array(bytes.buffer, bytes.byteOffset + at - count * 4, count)
  }
  const counts = (): Uint32Array => {
    at += clusters * 4
    const own = bytes.subarray(at - clusters * 4, at)
    return new Uint32Array((form === 'coded' ? fromPlanes(own, 4) : new Uint8Array(own)).buffer)
  }
  const vectors =
    form === 'coded'
      ? codedVectors(checked.subarray(packedBytes), section, shape, fail)
      : { centroids: new Int8Array(bytes.buffer, bytes.byteOffset, clusters * dimension), scales: floats(clusters) }
  return {
    ...vectors,
    primaries: counts(),
    copies: counts(),
    lengths: form === 'plain' ? undefined : counts(),
    calibration: floats(calibrationFloats),
  }
}

function codedVectors(bytes: Uint8Array, section: SectionDescriptor, shape: DirectoryShape, fail: Fail) {
  const { clusters, dimension, seed } = shape
  const { step } = section.params
  if (typeof step !== 'number' || !(step > 0)) return fail(`params.step is ${String(step)}`)
  const numbers = decodeCentroids(bytes, clusters, dimension)
  if (!numbers) return fail('its centroids are cut off')
  return centroidRows({ clusters, dimension, numbers, step }, rotationSigns(seed, dimension))
}
