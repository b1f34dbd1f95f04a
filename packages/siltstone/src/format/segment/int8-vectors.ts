/**
 * Vectors of one byte per dimension: a record is the f32 scale, then an i8 per dimension, filled up with zeros to a multiple
 * of four bytes. A value is its byte times the scale; the scale is the largest absolute value divided by 127.
 */
const LARGEST = 127

/** Of `pages.ts`. */
interface Geometry {
  recordBytes: number
  recordsPerPage: number
  pageBytes: number
}

export function int8RecordBytes(dimension: number): number {
  return 4 + Math.ceil(dimension / 4) * 4
}

/** @param record words of `int8RecordBytes` bytes, zero */
export function encodeInt8(vector: Float32Array, record: Uint32Array): void {
  let most = 0
  for (const value of vector) most = Math.max(most, Math.abs(value))
  const scale = Math.fround(most / LARGEST)
  const bytes = new Int8Array(record.buffer, record.byteOffset + 4, vector.length)
  new Float32Array(record.buffer, record.byteOffset, 1)[0] = scale
  if (scale === 0) return
  vector.forEach((value, d) => {
    bytes[d] = Math.max(-LARGEST, Math.min(LARGEST, Math.round(value / scale)))
  })
}

/** Pages as if they held f32 records: each of `recordsPerPage × dimension` floats, then one that means nothing. */
export function decodeInt8Pages(bytes: Uint8Array, geometry: Geometry, dimension: number): Float32Array {
  const { recordsPerPage, recordBytes, pageBytes } = geometry
  const pages = bytes.length / pageBytes
  const pageFloats = recordsPerPage * dimension + 1
  const floats = new Float32Array(pages * pageFloats)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const numbers = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let page = 0; page < pages; page++)
    for (let record = 0; record < recordsPerPage; record++) {
      const from = page * pageBytes + record * recordBytes
      const to = page * pageFloats + record * dimension
      const scale = view.getFloat32(from, true)
      for (let d = 0; d < dimension; d++) floats[to + d] = (numbers[from + 4 + d] as number) * scale
    }
  return floats
}
