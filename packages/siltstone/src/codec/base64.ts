/** Base64 and base64url (RFC 4648) in JavaScript: `atob` refuses what Node skips, and goes through strings. */
import type { Codec } from './codec.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const URL_ALPHABET = ALPHABET.replace('+/', '-_')
const SKIPPED = 255

/** By character code. */
const VALUES = new Uint8Array(128).fill(SKIPPED)
for (const alphabet of [ALPHABET, URL_ALPHABET])
  for (let value = 0; value < 64; value++) VALUES[alphabet.charCodeAt(value)] = value

export const toBase64: Codec['toBase64'] = (bytes) => {
  const text = encode(bytes, ALPHABET)
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

export const toBase64Url: Codec['toBase64Url'] = (bytes) => encode(bytes, URL_ALPHABET)

export const fromBase64: Codec['fromBase64'] = (text) => {
  const bytes = new Uint8Array(Math.ceil((text.length * 3) / 4))
  let length = 0
  let bits = 0
  let held = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '=') break
    const value = VALUES[text.charCodeAt(i)] ?? SKIPPED
    if (value === SKIPPED) continue
    held = (held << 6) | value
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[length++] = held >>> bits
  }
  return bytes.subarray(0, length)
}

function encode(bytes: Uint8Array, alphabet: string): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]]
    const characters = Math.min(4, bytes.length - at + 1)
    const group = (a << 16) | (b << 8) | c
    for (let i = 0; i < characters; i++) text += alphabet[(group >>> (18 - 6 * i)) & 63]
  }
  return text
}
