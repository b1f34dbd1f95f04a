/** Writes the sections of an inverted file. Their layout is in docs/decisions/0005. */
import { crc32, zstdCompress } from '#codec'
import { crcHex } from '../../format/checksum.ts'
import { type Calibration, encodeCalibration } from '../calibration.ts'
import type { SegmentWriter } from '../../format/segment/writer.ts'
import {
  CENTROIDS,
  COMPACT_CENTROIDS_VERSION,
  COMPACT_LISTS_VERSION,
  type IndexedSpace,
  LIST_HEADER_BYTES,
  LISTS,
  listBytes,
  PACK,
  packBytes,
  ROTATION,
} from '../directory.ts'
import { encodeCompactList } from '../compact-list.ts'
import type { Codes } from './codes.ts'
import type { Points } from './points.ts'
import { ROTATION_SEED } from './rotate.ts'
import type { Work } from './work.ts'

/** Level of Zstandard: pages are written once and read often. */
const SMALLEST = 19

export interface IvfContent {
  space: IndexedSpace
  centroids: Points
  codeError: number
  /** See `../near-limit.ts`. */
  reach: number
  /** Compact lists, and compressed centroids. */
  isCompact: boolean
  calibration: Calibration
  /** Number of rows of each cluster. */
  primaries: Uint32Array
  /** The arrival of each row. */
  arrivals: Uint32Array
  /** For each cluster: the arrivals of the rows that are copied into it, ascending by row. */
  copies: readonly Uint32Array[]
  /** The row of each arrival. */
  rows: Uint32Array
  primaryCodes: Codes
  copyCodes: Codes
}

export async function writeSections(writer: SegmentWriter, work: Work, content: IvfContent): Promise<void> {
  const { space, centroids, codeError, reach, calibration, primaries, copies } = content
  const { isCompact } = content
  const { codeBits } = content.primaryCodes
  const { count, dimension, scales } = centroids
  const lengths = new Uint32Array(count)
  await writer.addSection(LISTS.name, async (sink) => {
    let firstRow = 0
    const codeBytes = (dimension * codeBits) / 8
    for (let cluster = 0; cluster < count; cluster++) {
      const list = listOf(content, cluster, firstRow)
      const stored = isCompact ? compactOf(list, codeBytes) : list
      lengths[cluster] = stored.length
      await sink.write(stored)
      firstRow += primaries[cluster] as number
      await work.spent(((primaries[cluster] as number) + (copies[cluster]?.length ?? 0)) * dimension)
    }
    return { type: LISTS.types[codeBits], ...(isCompact && { version: COMPACT_LISTS_VERSION }) }
  })
  await writer.addSection(CENTROIDS.name, async (sink) => {
    const more = encodeCalibration(calibration)
    const perCluster = dimension + (isCompact ? 16 : 12)
    const bytes = new Uint8Array(count * perCluster + more.byteLength)
    const numbers = count * dimension
    bytes.set(new Uint8Array(centroids.rows().buffer, centroids.pointer, numbers))
    new Float32Array(bytes.buffer, numbers, count).set(scales.subarray(0, count))
    new Uint32Array(bytes.buffer, numbers + 4 * count, count).set(primaries)
    new Uint32Array(bytes.buffer, numbers + 8 * count, count).set(copies.map(({ length }) => length))
    if (isCompact) new Uint32Array(bytes.buffer, numbers + 12 * count, count).set(lengths)
    new Float32Array(bytes.buffer, count * perCluster, more.length).set(more)
    const stored = isCompact ? zstdCompress(bytes, SMALLEST) : bytes
    await sink.write(stored)
    const params = {
      clusters: count,
      paddedDimension: dimension,
      bits: codeBits,
      seed: ROTATION_SEED,
      space,
      codeError,
      rotation: ROTATION,
      reach,
      recalls: calibration.recalls.length,
      neighbours: calibration.neighbours.length,
      shares: calibration.filters.shares.length,
      ...(isCompact && { rawBytes: bytes.length }),
    }
    return {
      type: CENTROIDS.type,
      version: isCompact ? COMPACT_CENTROIDS_VERSION : CENTROIDS.version,
      crc32: crcHex(stored),
      params,
    }
  })
}

function compactOf(list: Uint8Array, codeBytes: number): Uint8Array {
  const [, entries = 0, primaries = 0] = new Uint32Array(list.buffer, 0, LIST_HEADER_BYTES / 4)
  const packsEnd = list.length - (entries - primaries) * 4
  const packs = list.subarray(LIST_HEADER_BYTES, packsEnd)
  return encodeCompactList({ packs, copies: new Uint32Array(list.buffer, packsEnd) }, entries, codeBytes)
}

function listOf(content: IvfContent, cluster: number, firstRow: number): Uint8Array {
  const dimension = content.centroids.dimension * content.primaryCodes.codeBits
  const primaries = content.primaries[cluster] as number
  const copied = content.copies[cluster] as Uint32Array
  const entries = primaries + copied.length
  const bytes = new Uint8Array(listBytes(dimension, primaries, copied.length))
  const packsLength = Math.ceil(entries / PACK) * packBytes(dimension)
  const packs = bytes.subarray(LIST_HEADER_BYTES, LIST_HEADER_BYTES + packsLength)
  const factors = new Float32Array(bytes.buffer, LIST_HEADER_BYTES, packsLength / 4)
  for (let i = 0; i < primaries; i++)
    content.primaryCodes.place(content.arrivals[firstRow + i] as number, packs, factors, i)
  const rows = new Uint32Array(bytes.buffer, LIST_HEADER_BYTES + packsLength, copied.length)
  copied.forEach((arrival, i) => {
    content.copyCodes.place(arrival, packs, factors, primaries + i)
    rows[i] = content.rows[arrival] as number
  })
  for (let entry = entries; entry % PACK !== 0; entry++) {
    const pack = Math.floor(entry / PACK) * packBytes(dimension)
    factors[(pack + (dimension / 8) * PACK) / 4 + (entry % PACK)] = Number.POSITIVE_INFINITY
  }
  const header = new Uint32Array(bytes.buffer, 0, LIST_HEADER_BYTES / 4)
  header.set([0, entries, primaries, firstRow])
  header[0] = crc32(bytes.subarray(4))
  return bytes
}
