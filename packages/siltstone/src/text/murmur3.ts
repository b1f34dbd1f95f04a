/** MurmurHash3_x86_32 (Austin Appleby, public domain, `smhasher`), seed 0. */
import { utf8Encode } from '#codec'

const C1 = 0xcc9e2d51
const C2 = 0x1b873593

/** @returns a signed 32-bit integer */
export function murmur3(length: number, byteAt: (index: number) => number): number {
  let h = 0
  const end = length & ~3
  for (let i = 0; i < end; i += 4) {
    h ^= mix(byteAt(i) | (byteAt(i + 1) << 8) | (byteAt(i + 2) << 16) | (byteAt(i + 3) << 24))
    h = (h << 13) | (h >>> 19)
    h = (Math.imul(h, 5) + 0xe6546b64) | 0
  }
  let rest = 0
  for (let i = length - 1; i >= end; i--) rest = (rest << 8) | byteAt(i)
  if (length > end) h ^= mix(rest)
  h ^= length
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) | 0
}

function mix(word: number): number {
  const k = Math.imul(word, C1)
  return Math.imul((k << 15) | (k >>> 17), C2)
}

/** Of the text's UTF-8. */
export function murmur3OfUtf8(text: string): number {
  if (isAscii(text)) return murmur3OfLowBytes(text)
  const bytes = utf8Encode(text)
  return murmur3(bytes.length, (i) => bytes[i] as number)
}

/** Of the lower eight bits of each UTF-16 code unit, as Chroma's JavaScript client hashes. */
export function murmur3OfLowBytes(text: string): number {
  return murmur3(text.length, (i) => text.charCodeAt(i) & 255)
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}
