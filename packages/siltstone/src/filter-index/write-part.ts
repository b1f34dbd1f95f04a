import { crcHex } from '../format/checksum.ts'
import type { Sink } from '../format/segment/sink.ts'
import type { Part } from './layout.ts'

/** Writes bytes that are read and checked as one part. */
export async function writePart(sink: Sink, bytes: Uint8Array): Promise<Part> {
  const part = { offset: sink.position, length: bytes.length, crc32: crcHex(bytes) }
  await sink.write(bytes)
  return part
}
