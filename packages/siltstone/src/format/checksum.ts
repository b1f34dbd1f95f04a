import { crc32 as zlibCrc32 } from 'node:zlib'

/** CRC-32 (ISO-HDLC, as in zlib, PNG and Python's `zlib.crc32`), an unsigned 32-bit integer. */
export function crc32(bytes: Uint8Array, continueFrom = 0): number {
  return zlibCrc32(bytes, continueFrom)
}

/** Of bytes, or of a CRC already known: eight lower-case hexadecimal digits. */
export function crcHex(of: Uint8Array | number): string {
  const crc = typeof of === 'number' ? of : zlibCrc32(of)
  return (crc >>> 0).toString(16).padStart(8, '0')
}
