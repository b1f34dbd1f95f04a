import { allocate, utf8Writer } from '#codec'

/**
 * 64-bit non-cryptographic hash of a string's UTF-8: MurmurHash3_x86_128 (Austin Appleby, public domain, `smhasher`),
 * seed 0, truncated to its first two 32-bit words. The x86 variant needs only 32-bit multiplication, hence no bigint.
 */
export interface Hash64 {
  hi: number
  lo: number
}

const C1 = 0x239b961b
const C2 = 0xab0e9789
const C3 = 0x38b34ae5
const C4 = 0xa1e38b93

let scratch = allocate(4096)
let write = utf8Writer(scratch)

/** Both words are unsigned. Allocates only the result. */
export function hash64(text: string): Hash64 {
  if (text.length * 3 > scratch.length) {
    scratch = allocate(text.length * 3)
    write = utf8Writer(scratch)
  }
  const length = write(text, 0)
  return hash64Bytes(scratch, length)
}

/** Hash of the first `length` bytes. */
export function hash64Bytes(bytes: Uint8Array, length: number = bytes.length): Hash64 {
  let h1 = 0
  let h2 = 0
  let h3 = 0
  let h4 = 0
  const end = length & ~15
  let at = 0
  for (; at < end; at += 16) {
    h1 ^= mix(word(bytes, at), C1, 15, C2)
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0
    h2 ^= mix(word(bytes, at + 4), C2, 16, C3)
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0
    h3 ^= mix(word(bytes, at + 8), C3, 17, C4)
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0
    h4 ^= mix(word(bytes, at + 12), C4, 18, C1)
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0
  }
  const rest = length & 15
  if (rest > 12) h4 ^= mix(tail(bytes, at + 12, rest - 12), C4, 18, C1)
  if (rest > 8) h3 ^= mix(tail(bytes, at + 8, rest - 8), C3, 17, C4)
  if (rest > 4) h2 ^= mix(tail(bytes, at + 4, rest - 4), C2, 16, C3)
  if (rest > 0) h1 ^= mix(tail(bytes, at, rest), C1, 15, C2)
  h1 ^= length
  h2 ^= length
  h3 ^= length
  h4 ^= length
  h1 = (h1 + h2 + h3 + h4) | 0
  h2 = (h2 + h1) | 0
  h3 = (h3 + h1) | 0
  h4 = (h4 + h1) | 0
  h1 = finish(h1)
  h2 = finish(h2)
  h1 = (h1 + h2 + finish(h3) + finish(h4)) | 0
  h2 = (h2 + h1) | 0
  return { hi: h1 >>> 0, lo: h2 >>> 0 }
}

function rotate(x: number, by: number): number {
  return (x << by) | (x >>> (32 - by))
}

function mix(k: number, first: number, by: number, second: number): number {
  return Math.imul(rotate(Math.imul(k, first), by), second)
}

function finish(h: number): number {
  let x = h
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

function word(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

/** Up to four bytes, little-endian. */
function tail(bytes: Uint8Array, at: number, count: number): number {
  let k = 0
  for (let i = Math.min(count, 4) - 1; i >= 0; i--) k = (k << 8) | (bytes[at + i] as number)
  return k
}
