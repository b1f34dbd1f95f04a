// CRC-64 by slicing: 16 bytes a step, each byte by a table of its own. A module of its own, with a memory of its own.

// @ts-expect-error: decorator
@inline
function entry(tables: usize, slice: usize, byte: u64): u64 {
  return load<u64>(tables + (slice << 11) + (<usize>(byte & 255) << 3))
}

/**
 * @param tables 16 of 256 entries: entry k·256 + b is the CRC of byte b and k zero bytes
 * @param crc of what came before, without the final inversion
 */
export function crc64(tables: usize, bytes: usize, length: usize, crc: u64): u64 {
  const end = bytes + length
  for (const last = bytes + (length & ~15); bytes < last; bytes += 16) {
    const a = crc ^ load<u64>(bytes)
    const b = load<u64>(bytes, 8)
    crc =
      entry(tables, 15, a) ^
      entry(tables, 14, a >> 8) ^
      entry(tables, 13, a >> 16) ^
      entry(tables, 12, a >> 24) ^
      entry(tables, 11, a >> 32) ^
      entry(tables, 10, a >> 40) ^
      entry(tables, 9, a >> 48) ^
      entry(tables, 8, a >> 56) ^
      entry(tables, 7, b) ^
      entry(tables, 6, b >> 8) ^
      entry(tables, 5, b >> 16) ^
      entry(tables, 4, b >> 24) ^
      entry(tables, 3, b >> 32) ^
      entry(tables, 2, b >> 40) ^
      entry(tables, 1, b >> 48) ^
      entry(tables, 0, b >> 56)
  }
  for (; bytes < end; bytes++) crc = (crc >> 8) ^ entry(tables, 0, crc ^ load<u8>(bytes))
  return crc
}
