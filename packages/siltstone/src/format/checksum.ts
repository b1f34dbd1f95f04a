import { crc32 } from '#codec'

/** CRC-32 as eight lower-case hexadecimal digits: of bytes, or a CRC-32 that is known. */
export function crcHex(of: Uint8Array | number): string {
  const crc = typeof of === 'number' ? of : crc32(of)
  return (crc >>> 0).toString(16).padStart(8, '0')
}
