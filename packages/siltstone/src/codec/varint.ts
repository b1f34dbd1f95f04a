/** Numbers in as many bytes as they need: 7 bits a byte, the lowest first; all but the last byte have the highest bit. */

export function varint(number: number): Uint8Array {
  const bytes: number[] = []
  let rest = number
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

/** @returns undefined when the bytes end within it, or it is no safe integer */
export function readVarint(bytes: Uint8Array, at: number): { value: number; end: number } | undefined {
  let value = 0
  let factor = 1
  for (let end = at; end < bytes.length && factor <= 2 ** 49; factor *= 128) {
    const byte = bytes[end++] as number
    value += (byte & 127) * factor
    if (byte < 128) return Number.isSafeInteger(value) ? { value, end } : undefined
  }
  return undefined
}
