/** The codec on Node, with its native modules. */
import { isAscii as bufferIsAscii, isUtf8 as bufferIsUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
// Whole, so that an old Node reaches the check of its version in `host/needed-node.ts`.
import zlib from 'node:zlib'
import type { Codec } from './codec.ts'

const bufferOf = (bytes: Uint8Array): Buffer =>
  bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const crc32: Codec['crc32'] = (bytes, continueFrom = 0) => zlib.crc32(bytes, continueFrom)

export const zstdCompress: Codec['zstdCompress'] = (bytes, level) =>
  level === undefined
    ? zlib.zstdCompressSync(bytes)
    : zlib.zstdCompressSync(bytes, { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } })

/** Content is decompressed into memory of at most this size at a time. */
const MOST_CHUNK_BYTES = 256 * 1024
/** With room to spare, so that the end of the content needs no further memory. */
const SPARE_BYTES = 64

export const zstdDecompress: Codec['zstdDecompress'] = (bytes, maxBytes) => {
  // The size is mostly known. By itself `zlib` would take pieces of 16 KB, join them, and keep a whole one for a few bytes.
  const chunkSize = Math.min(maxBytes + SPARE_BYTES, MOST_CHUNK_BYTES)
  const content = zlib.zstdDecompressSync(bytes, { maxOutputLength: Math.max(maxBytes, 1), chunkSize })
  return content.length < chunkSize / 2 ? new Uint8Array(content) : content
}

export const sha256Hex: Codec['sha256Hex'] = (text) => createHash('sha256').update(text, 'utf8').digest('hex')

// Not `Buffer.allocUnsafe`: its pool would be kept in memory by a small piece, and is not aligned for words.
export const allocate: Codec['allocate'] = (sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes)

export const utf8Encode: Codec['utf8Encode'] = (text) => Buffer.from(text, 'utf8')

export const utf8Writer: Codec['utf8Writer'] = (into) => {
  const buffer = bufferOf(into)
  return (text, at) => buffer.write(text, at)
}

export const utf8Length: Codec['utf8Length'] = (text) => Buffer.byteLength(text, 'utf8')

export const utf8Decode: Codec['utf8Decode'] = (bytes, start = 0, end = bytes.length) =>
  bufferOf(bytes).toString('utf8', start, end)

export const utf8Reader: Codec['utf8Reader'] = (bytes, isAscii = false) => {
  const buffer = bufferOf(bytes)
  if (isAscii) return (start, end) => buffer.toString('latin1', start, end)
  // Naming the default encoding would cost a tenth more.
  return (start, end) => buffer.toString(undefined, start, end)
}

export const isUtf8: Codec['isUtf8'] = (bytes) => bufferIsUtf8(bytes)

export const isAscii: Codec['isAscii'] = (bytes) => bufferIsAscii(bytes)

export const indexOfAscii: Codec['indexOfAscii'] = (bytes, text) => bufferOf(bytes).indexOf(text, 0, 'latin1')

export const lastIndexOfAscii: Codec['lastIndexOfAscii'] = (bytes, text) =>
  bufferOf(bytes).lastIndexOf(text, bytes.length, 'latin1')

export const equalBytes: Codec['equalBytes'] = (a, b) => Buffer.compare(a, b) === 0

export const toBase64: Codec['toBase64'] = (bytes) => bufferOf(bytes).toString('base64')

export const fromBase64: Codec['fromBase64'] = (text) => Buffer.from(text, 'base64')

export const toBase64Url: Codec['toBase64Url'] = (bytes) => bufferOf(bytes).toString('base64url')

export const yieldToEventLoop: Codec['yieldToEventLoop'] = () => setImmediate()
