/**
 * The checksum of a file that carries its own checksum. The value `crc32:<8 hex>` stands twice in an Arrow file, in the
 * header's schema (its first occurrence) and in the footer (its last). It is the CRC-32 of the whole file with the
 * digits of both replaced by zeros.
 */
import { crc32, crcHex } from './checksum.ts'

const PREFIX = Buffer.from('crc32:', 'latin1')
const DIGITS = 8
const ZEROS = Buffer.alloc(DIGITS, '0', 'latin1')

/** What `seal` replaces. Other metadata of the file must not contain `crc32:`. */
export const UNSEALED = 'crc32:00000000'

/** Fills in the checksum, in place. */
export function seal(bytes: Uint8Array): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = buffer.indexOf(UNSEALED, 'latin1')
  const last = buffer.lastIndexOf(UNSEALED, undefined, 'latin1')
  if (first < 0 || first === last) throw new Error('a file to seal must carry its checksum twice')
  const hex = crcHex(bytes)
  buffer.write(hex, first + PREFIX.length, 'latin1')
  buffer.write(hex, last + PREFIX.length, 'latin1')
}

/** Nothing is copied and nothing else is parsed: safe on any bytes. A file without a checksum is not intact. */
export function sealIsIntact(bytes: Uint8Array): boolean {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const first = buffer.indexOf(PREFIX)
  const last = buffer.lastIndexOf(PREFIX)
  if (first < 0 || first === last) return false
  const [a, b] = [first + PREFIX.length, last + PREFIX.length]
  const hex = buffer.toString('latin1', a, a + DIGITS)
  if (hex !== buffer.toString('latin1', b, b + DIGITS)) return false
  let crc = crc32(buffer.subarray(0, a))
  crc = crc32(ZEROS, crc)
  crc = crc32(buffer.subarray(a + DIGITS, b), crc)
  crc = crc32(ZEROS, crc)
  return crcHex(crc32(buffer.subarray(b + DIGITS), crc)) === hex
}
