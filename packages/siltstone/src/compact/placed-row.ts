import type { SegmentRow } from '../format/segment/writer.ts'
import type { RunItems } from '../sort/spilled-runs.ts'

/** Cluster, arrival, dimension, ordinal, version. */
const HEAD_BYTES = 28
const NO_TEXT = 0xffffffff

export interface PlacedRow {
  row: SegmentRow
  cluster: number
  /** Position in the order of arrival, from 0. */
  arrival: number
}

/** By cluster, within a cluster by order of insertion. */
export function comparePlaces(a: PlacedRow, b: PlacedRow): number {
  return a.cluster - b.cluster || a.row.ordinal - b.row.ordinal
}

export function placedRowItems(): RunItems<PlacedRow> {
  let bytes = Buffer.allocUnsafe(1 << 16)
  return {
    encode: ({ row, cluster, arrival }) => {
      const { vector } = row
      const texts = [row.id, row.document, row.metadata, row.uri]
      const most =
        HEAD_BYTES + 3 + 4 * vector.length + texts.reduce((sum, text) => sum + 4 + 3 * (text?.length ?? 0), 0)
      if (most > bytes.length) bytes = Buffer.allocUnsafe(most)
      bytes.writeUInt32LE(cluster, 0)
      bytes.writeUInt32LE(arrival, 4)
      bytes.writeUInt32LE(vector.length, 8)
      bytes.writeDoubleLE(row.ordinal, 12)
      bytes.writeDoubleLE(row.version, 20)
      bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), HEAD_BYTES)
      let at = HEAD_BYTES + vector.byteLength
      for (const text of texts) {
        const length = text === null ? 0 : bytes.write(text, at + 4)
        bytes.writeUInt32LE(text === null ? NO_TEXT : length, at)
        at += 4 + length
      }
      // A length of whole words keeps the vector of the next item aligned, so that `decode` need not copy it.
      const end = at + (-at & 3)
      bytes.fill(0, at, end)
      return bytes.subarray(0, end)
    },
    decode,
    compare: comparePlaces,
  }
}

/** The vector of the row is a view of `encoded` where it is aligned. */
function decode(encoded: Uint8Array): PlacedRow {
  const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength)
  const vector = floatsAt(encoded, HEAD_BYTES, bytes.readUInt32LE(8))
  let at = HEAD_BYTES + vector.byteLength
  const text = (): string | null => {
    const length = bytes.readUInt32LE(at)
    at += 4
    if (length === NO_TEXT) return null
    at += length
    return bytes.toString('utf8', at - length, at)
  }
  const row: SegmentRow = {
    id: text() as string,
    ordinal: bytes.readDoubleLE(12),
    version: bytes.readDoubleLE(20),
    vector,
    document: text(),
    metadata: text(),
    uri: text(),
  }
  return { row, cluster: bytes.readUInt32LE(0), arrival: bytes.readUInt32LE(4) }
}

function floatsAt({ buffer, byteOffset }: Uint8Array, at: number, count: number): Float32Array {
  const start = byteOffset + at
  if (start % 4 === 0) return new Float32Array(buffer, start, count)
  return new Float32Array(buffer.slice(start, start + 4 * count))
}
