/** SHA-256 in JavaScript (FIPS 180-4). Synchronous, unlike WebCrypto: names become keys in the middle of other work. */
import type { Codec } from './codec.ts'

const encoder = new TextEncoder()

/** The first 32 bits of the fractional part of the k-th root of each of the first `count` primes. */
function primeRoots(count: number, root: (prime: number) => number): Int32Array {
  const primes: number[] = []
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n)
  return Int32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32)
}

const INITIAL = primeRoots(8, Math.sqrt)
const ROUNDS = primeRoots(64, Math.cbrt)

export const sha256Hex: Codec['sha256Hex'] = (text) => {
  const hash = INITIAL.slice()
  const message = padded(encoder.encode(text))
  const words = new Int32Array(64)
  for (let at = 0; at < message.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) words[i] = message.getInt32(at + 4 * i)
    compress(hash, words)
  }
  return Array.from(hash, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

/** The bytes, a one bit, zeros, and the length in bits as a 64-bit integer: a multiple of 64 bytes. */
function padded(bytes: Uint8Array): DataView {
  const message = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64)
  message.set(bytes)
  message[bytes.length] = 0x80
  const view = new DataView(message.buffer)
  view.setBigUint64(message.length - 8, BigInt(bytes.length) * 8n)
  return view
}

function compress(hash: Int32Array, words: Int32Array): void {
  const w = (i: number): number => words[i] as number
  for (let i = 16; i < 64; i++) {
    const [a, b] = [w(i - 15), w(i - 2)]
    const s0 = rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)
    const s1 = rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10)
    words[i] = w(i - 16) + s0 + w(i - 7) + s1
  }
  let [a, b, c, d, e, f, g, h] = hash as unknown as [number, number, number, number, number, number, number, number]
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (ROUNDS[i] as number) + w(i)) | 0
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  for (const [i, word] of [a, b, c, d, e, f, g, h].entries()) hash[i] = (hash[i] as number) + word
}

function rotate(x: number, by: number): number {
  return (x >>> by) | (x << (32 - by))
}
