/**
 * The checksum of a file that carries its own checksum. The text `crc32:<8 hex>` stands twice in an Arrow file: in the
 * header's schema (its first occurrence) and in the footer (its last). It is the CRC-32 of the whole file with the
 * digits of both replaced by zeros.
 */
import { crc32, indexOfAscii, lastIndexOfAscii, utf8Decode, utf8Encode } from '#codec'
import { crcHex } from './checksum.ts'

const PREFIX = 'crc32:'
const DIGITS = 8
const ZEROS = utf8Encode('0'.repeat(DIGITS))

/** What `seal` replaces. Other metadata of the file must not contain `crc32:`. */
export const UNSEALED = 'crc32:00000000'

/** Fills in the checksum, in place. */
export function seal(bytes: Uint8Array): void {
  const first = indexOfAscii(bytes, UNSEALED)
  const last = lastIndexOfAscii(bytes, UNSEALED)
  if (first < 0 || first === last) throw new Error('a file to seal must carry its checksum twice')
  const digits = utf8Encode(crcHex(bytes))
  for (const at of [first, last]) bytes.set(digits, at + PREFIX.length)
}

/** Whether the checksum matches. Parses nothing else, so it is safe on any bytes. False for a file without a checksum. */
export function sealIsIntact(bytes: Uint8Array): boolean {
  const first = indexOfAscii(bytes, PREFIX)
  const last = lastIndexOfAscii(bytes, PREFIX)
  if (first < 0 || first === last) return false
  const [a, b] = [first + PREFIX.length, last + PREFIX.length]
  const hex = utf8Decode(bytes, a, a + DIGITS)
  if (hex !== utf8Decode(bytes, b, b + DIGITS)) return false
  let crc = crc32(bytes.subarray(0, a))
  crc = crc32(ZEROS, crc)
  crc = crc32(bytes.subarray(a + DIGITS, b), crc)
  crc = crc32(ZEROS, crc)
  return crcHex(crc32(bytes.subarray(b + DIGITS), crc)) === hex
}
