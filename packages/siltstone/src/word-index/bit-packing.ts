/** Numbers of a few bits each, one after another in 32-bit words, the lowest bits first. */

/** Bits that every one of the numbers fits into. */
export function bitsOf(largest: number): number {
  return 32 - Math.clz32(largest)
}

export function packedWords(count: number, bits: number): number {
  return Math.ceil((count * bits) / 32)
}

/** @param words zero where the numbers are written */
export function pack(numbers: Uint32Array, count: number, bits: number, words: Uint32Array, start: number): void {
  if (bits === 0) return
  let at = start
  let used = 0
  for (let i = 0; i < count; i++) {
    const number = numbers[i] as number
    words[at] = ((words[at] as number) | (number << used)) >>> 0
    used += bits
    if (used < 32) continue
    used -= 32
    at++
    if (used > 0) words[at] = number >>> (bits - used)
  }
}

/** @param numbers is filled from place `first` on */
export function unpack(
  words: Uint32Array,
  start: number,
  bits: number,
  count: number,
  numbers: Uint32Array,
  first = 0,
): void {
  const end = first + count
  if (bits === 0) {
    numbers.fill(0, first, end)
    return
  }
  if (bits === 32) {
    for (let i = 0; i < count; i++) numbers[first + i] = words[start + i] as number
    return
  }
  const mask = (1 << bits) - 1
  let at = start
  let used = 0
  for (let i = first; i < end; i++) {
    let number = (words[at] as number) >>> used
    used += bits
    if (used >= 32) {
      used -= 32
      at++
      if (used > 0) number |= (words[at] as number) << (bits - used)
    }
    numbers[i] = number & mask
  }
}
