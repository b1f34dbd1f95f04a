/**
 * CRC-32 in JavaScript, eight bytes a step: "slicing-by-8" (Kounavis & Berry, "A Systematic Approach to Building High
 * Performance Software-Based CRC Generators", ISCC 2005).
 */
import type { Codec } from './codec.ts'

const POLYNOMIAL = 0xedb88320
const SLICES = 8

/** Entry 256 s + b: the CRC of byte b followed by s zero bytes. */
const TABLE = new Int32Array(256 * SLICES)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * POLYNOMIAL)
  TABLE[byte] = crc
}
for (let i = 256; i < TABLE.length; i++) {
  const before = at(i - 256)
  TABLE[i] = (before >>> 8) ^ at(before & 255)
}

function at(place: number): number {
  return TABLE[place] as number
}

export const crc32: Codec['crc32'] = (bytes, continueFrom = 0) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let crc = ~continueFrom
  let place = 0
  for (const end = bytes.length - 7; place < end; place += 8) {
    const low = view.getInt32(place, true) ^ crc
    const high = view.getInt32(place + 4, true)
    crc =
      at(1792 + (low & 255)) ^
      at(1536 + ((low >>> 8) & 255)) ^
      at(1280 + ((low >>> 16) & 255)) ^
      at(1024 + (low >>> 24)) ^
      at(768 + (high & 255)) ^
      at(512 + ((high >>> 8) & 255)) ^
      at(256 + ((high >>> 16) & 255)) ^
      at(high >>> 24)
  }
  for (; place < bytes.length; place++) crc = (crc >>> 8) ^ at((crc ^ (bytes[place] as number)) & 255)
  return ~crc >>> 0
}
