/** The codec for runtimes other than Node: JavaScript and the globals that browsers and edge runtimes share. */
import { unsupported } from '../errors.ts'
import type { Codec } from './codec.ts'

export { crc32 } from './crc32.ts'
export { sha256Hex } from './sha256.ts'
export { zstdDecompress } from './zstd.ts'
export { fromBase64, toBase64, toBase64Url } from './base64.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const strictDecoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })

export const zstdCompress: Codec['zstdCompress'] = () => {
  throw unsupported(
    'compression-missing',
    'This runtime cannot compress with Zstandard, which writing to a store needs. Write from Node.',
  )
}

export const allocate: Codec['allocate'] = (sizeBytes) => new Uint8Array(sizeBytes)

export const utf8Encode: Codec['utf8Encode'] = (text) => encoder.encode(text)

export const utf8Writer: Codec['utf8Writer'] = (into) => (text, at) =>
  encoder.encodeInto(text, into.subarray(at)).written

export const utf8Length: Codec['utf8Length'] = (text) => {
  let length = text.length
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) continue
    // A pair of surrogates is two units and four bytes: one more than its units for each of them. Alone it is U+FFFD.
    if (unit < 0x800) length += 1
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(i + 1))) {
      length += 2
      i++
    } else length += 2
  }
  return length
}

const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

export const utf8Decode: Codec['utf8Decode'] = (bytes, start = 0, end = bytes.length) =>
  decoder.decode(bytes.subarray(start, end))

export const utf8Reader: Codec['utf8Reader'] = (bytes) => (start, end) => decoder.decode(bytes.subarray(start, end))

export const isUtf8: Codec['isUtf8'] = (bytes) => {
  try {
    strictDecoder.decode(bytes)
    return true
  } catch {
    return false
  }
}

export const isAscii: Codec['isAscii'] = (bytes) => bytes.every((byte) => byte < 0x80)

export const indexOfAscii: Codec['indexOfAscii'] = (bytes, text) => {
  const last = bytes.length - text.length
  const first = text.charCodeAt(0)
  for (let at = bytes.indexOf(first); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1))
    if (standsAt(bytes, text, at)) return at
  return -1
}

export const lastIndexOfAscii: Codec['lastIndexOfAscii'] = (bytes, text) => {
  for (let at = bytes.length - text.length; at >= 0; at--) if (standsAt(bytes, text, at)) return at
  return -1
}

function standsAt(bytes: Uint8Array, text: string, at: number): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

export const equalBytes: Codec['equalBytes'] = (a, b) =>
  a.length === b.length && a.every((byte, place) => byte === b[place])

/** A message, because browsers delay nested timers by 4 ms; a timer where there are no message channels. */
export const yieldToEventLoop: Codec['yieldToEventLoop'] = () =>
  new Promise((resolve) => {
    if (typeof MessageChannel === 'undefined') {
      // oxlint-disable-next-line no-restricted-globals -- no time is measured or waited for
      setTimeout(resolve, 0)
      return
    }
    const { port1, port2 } = new MessageChannel()
    const done = () => {
      port1.close()
      resolve()
    }
    port1.addEventListener('message', done, { once: true })
    port1.start()
    port2.postMessage(null)
  })
