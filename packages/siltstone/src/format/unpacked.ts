import { zstdDecompress } from '#codec'

/**
 * What Zstandard unpacks.
 * @param mostBytes more is damage
 * @param fail throws the caller's error of damage
 */
export function unpacked(
  packed: Uint8Array,
  mostBytes: number,
  fail: (reason: string, cause?: unknown) => never,
): Uint8Array {
  try {
    return zstdDecompress(packed, mostBytes)
  } catch (cause) {
    return fail('cannot be decompressed', cause)
  }
}
