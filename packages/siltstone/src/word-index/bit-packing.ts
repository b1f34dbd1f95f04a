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
  const mask = maskOf(bits)
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

/** As `unpack`, of numbers that are distances less 1, each to the number before it. @param before the number before the first */
export function unpackAscending(
  words: Uint32Array,
  start: number,
  bits: number,
  count: number,
  before: number,
  numbers: Uint32Array,
  first: number,
): void {
  const end = first + count
  const mask = maskOf(bits)
  let number = before
  let at = start
  let used = 0
  for (let i = first; i < end; i++) {
    let distance = (words[at] as number) >>> used
    used += bits
    if (used >= 32) {
      used -= 32
      at++
      if (used > 0) distance |= (words[at] as number) << (bits - used)
    }
    number += (distance & mask) + 1
    numbers[i] = number
  }
}

/** The i-th number. */
export function unpackOne(words: Uint32Array, start: number, bits: number, i: number): number {
  if (bits === 0) return 0
  const at = start + ((i * bits) >>> 5)
  const used = (i * bits) & 31
  let number = (words[at] as number) >>> used
  if (used + bits > 32) number |= (words[at + 1] as number) << (32 - used)
  return (number & maskOf(bits)) >>> 0
}

/** As a signed integer, which masks the same bits. */
export function maskOf(bits: number): number {
  return bits === 32 ? -1 : (1 << bits) - 1
}
