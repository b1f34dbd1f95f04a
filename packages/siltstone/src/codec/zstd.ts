/**
 * Decompression of Zstandard with `fzstd`. That library allocates what a header asks for and does not check sizes, so
 * the frame's outline is read here first and its content is counted. The checksum that a frame may carry is not
 * verified: what Siltstone compresses has a checksum of its own around it.
 */
import { Decompress } from 'fzstd'
import type { Codec } from './codec.ts'

const MAGIC = 0xfd2fb528
/** The largest window that `zstd` itself accepts by default. */
const MAX_WINDOW_BYTES = 2 ** 27
const RLE_BLOCK = 1

export const zstdDecompress: Codec['zstdDecompress'] = (bytes, maxBytes) => {
  const { frameBytes, contentBytes } = readOutline(bytes)
  if (contentBytes !== undefined && contentBytes > maxBytes) throw tooLarge(maxBytes)
  const chunks: Uint8Array[] = []
  let length = 0
  const stream = new Decompress((chunk) => {
    length += chunk.length
    if (length > maxBytes) throw tooLarge(maxBytes)
    chunks.push(chunk)
  })
  stream.push(bytes.subarray(0, frameBytes), true)
  if (contentBytes !== undefined && length !== contentBytes)
    throw new Error(`a Zstandard frame holds ${length} bytes, its header says ${contentBytes}`)
  const content = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    content.set(chunk, at)
    at += chunk.length
  }
  return content
}

/**
 * Walks over the header and the blocks of the first frame (RFC 8878, 3.1.1).
 * @returns its size, and the size of its content, undefined when the header does not say
 * @throws Error when it is cut off, needs a dictionary, or needs more than `MAX_WINDOW_BYTES`
 */
function readOutline(bytes: Uint8Array): { frameBytes: number; contentBytes: number | undefined } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(0, true) !== MAGIC) throw new Error('not a Zstandard frame')
  const flags = view.getUint8(4)
  const isSingleSegment = (flags & 0x20) !== 0
  let at = 5
  if (!isSingleSegment) {
    const window = view.getUint8(at++)
    const base = 2 ** (10 + (window >>> 3))
    if (base + (base / 8) * (window & 7) > MAX_WINDOW_BYTES)
      throw new Error('a Zstandard frame needs too large a window')
  }
  if ((flags & 0x0b) !== 0) throw new Error('a Zstandard frame needs a dictionary or has unknown flags')
  const sizeFlag = flags >>> 6
  let contentBytes: number | undefined
  if (sizeFlag === 0) contentBytes = isSingleSegment ? view.getUint8(at++) : undefined
  else {
    if (sizeFlag === 1) contentBytes = view.getUint16(at, true) + 256
    else if (sizeFlag === 2) contentBytes = view.getUint32(at, true)
    else contentBytes = Number(view.getBigUint64(at, true))
    at += 2 ** sizeFlag
  }
  for (let isLast = false; !isLast; ) {
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16)
    isLast = (header & 1) === 1
    at += 3 + (((header >>> 1) & 3) === RLE_BLOCK ? 1 : header >>> 3)
  }
  if ((flags & 0x04) !== 0) at += 4
  if (at > bytes.length) throw new Error('a Zstandard frame ends early')
  return { frameBytes: at, contentBytes }
}

function tooLarge(maxBytes: number): Error {
  return new Error(`the content of a Zstandard frame is larger than ${maxBytes} bytes`)
}
