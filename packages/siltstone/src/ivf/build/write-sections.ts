/** Writes the sections of an inverted file. Their layout is in docs/decisions/0005. */
import { crc32, zstdCompress } from '#codec'
import { concatBytes } from '../../codec/bytes.ts'
import { toPlanes } from '../../codec/planes.ts'
import { crcHex } from '../../format/checksum.ts'
import { type Calibration, encodeCalibration } from '../calibration.ts'
import type { SegmentWriter } from '../../format/segment/writer.ts'
import {
  CENTROIDS,
  CODED_CENTROIDS_VERSION,
  COMPACT_LISTS_VERSION,
  type IndexedSpace,
  LIST_HEADER_BYTES,
  LISTS,
  listBytes,
  PACK,
  packBytes,
  ROTATION,
} from '../directory.ts'
import { encodeCentroids } from '../centroid-code.ts'
import type { GridCentroids } from '../centroid-grid.ts'
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
  /** The centroids in few bytes, and compact lists. Undefined: neither. */
  grid: GridCentroids | undefined
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
  const { grid } = content
  const { codeBits } = content.primaryCodes
  const { count, dimension } = centroids
  const lengths = new Uint32Array(count)
  await writer.addSection(LISTS.name, async (sink) => {
    let firstRow = 0
    const codeBytes = (dimension * codeBits) / 8
    for (let cluster = 0; cluster < count; cluster++) {
      const list = listOf(content, cluster, firstRow)
      const stored = grid ? compactOf(list, codeBytes) : list
      lengths[cluster] = stored.length
      await sink.write(stored)
      firstRow += primaries[cluster] as number
      await work.spent(((primaries[cluster] as number) + (copies[cluster]?.length ?? 0)) * dimension)
    }
    return { type: LISTS.types[codeBits], ...(grid && { version: COMPACT_LISTS_VERSION }) }
  })
  await writer.addSection(CENTROIDS.name, async (sink) => {
    const more = encodeCalibration(calibration)
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
    }
    if (!grid) {
      const stored = plainDirectory(content, more)
      await sink.write(stored)
      return { type: CENTROIDS.type, version: CENTROIDS.version, crc32: crcHex(stored), params }
    }
    const raw = concatBytes([
      ...counts(content, lengths).map((numbers) => toPlanes(bytesOf(numbers), 4)),
      bytesOf(more),
    ])
    const packed = zstdCompress(raw, SMALLEST)
    const stored = concatBytes([packed, encodeCentroids(grid)])
    await sink.write(stored)
    return {
      type: CENTROIDS.type,
      version: CODED_CENTROIDS_VERSION,
      crc32: crcHex(stored),
      params: { ...params, step: grid.step, rawBytes: raw.length, packedBytes: packed.length },
    }
  })
}

function plainDirectory(content: IvfContent, more: Float32Array): Uint8Array {
  const { centroids } = content
  return concatBytes([
    bytesOf(centroids.rows()),
    bytesOf(centroids.scales.subarray(0, centroids.count)),
    ...counts(content).map(bytesOf),
    bytesOf(more),
  ])
}

/** Per cluster its rows, the rows that are copied into it, and, if there are any, the length of its list. */
function counts({ primaries, copies }: IvfContent, ...lengths: Uint32Array[]): Uint32Array[] {
  return [primaries, Uint32Array.from(copies, ({ length }) => length), ...lengths]
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

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
