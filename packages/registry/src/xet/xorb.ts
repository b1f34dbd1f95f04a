/**
 * Xorbs of Xet (https://huggingface.co/docs/xet/xorb): chunks one after the other, each with a header of 8 bytes (version, 3 bytes of packed
 * size, compression, 3 bytes of size, little-endian), then perhaps a footer, which is not read.
 */
import { decodeLz4Frame, FormatProblem, invalid } from 'siltstone/internal'

/** 64 MiB of chunks, their headers, and a footer. */
export const MAX_XORB_BYTES = 72 * 1024 * 1024
const HEADER_BYTES = 8
/** Chunks are 8 to 128 KiB. */
const MAX_CHUNK_BYTES = 256 * 1024

/**
 * The contents of chunks `first` to `end`, exclusive.
 * @throws SiltstoneError `invalid` (xorb-damaged)
 */
export function* chunksOf(xorb: Uint8Array, first: number, end: number): Generator<Uint8Array> {
  const view = new DataView(xorb.buffer, xorb.byteOffset, xorb.byteLength)
  let at = 0
  for (let index = 0; index < end; index++) {
    if (at + HEADER_BYTES > xorb.length) throw damaged(`it has ${index} chunks, and ${end} are named`)
    const packedBytes = view.getUint32(at, true) >>> 8
    const scheme = view.getUint8(at + 4)
    const sizeBytes = view.getUint32(at + 4, true) >>> 8
    if (view.getUint8(at) !== 0) throw damaged(`chunk ${index} has version ${view.getUint8(at)}`)
    if (sizeBytes > MAX_CHUNK_BYTES) throw damaged(`chunk ${index} has ${sizeBytes} bytes`)
    at += HEADER_BYTES
    if (at + packedBytes > xorb.length) throw damaged(`chunk ${index} ends early`)
    if (index >= first) yield unpacked(xorb.subarray(at, at + packedBytes), scheme, sizeBytes, index)
    at += packedBytes
  }
}

function unpacked(packed: Uint8Array, scheme: number, sizeBytes: number, index: number): Uint8Array {
  try {
    if (scheme === 0 && packed.length === sizeBytes) return packed
    if (scheme === 1) return decodeLz4Frame(packed, sizeBytes)
    if (scheme === 2) return ungrouped(decodeLz4Frame(packed, sizeBytes))
  } catch (cause) {
    if (!(cause instanceof FormatProblem)) throw cause
    throw damaged(`chunk ${index}: ${cause.message}`, cause)
  }
  throw damaged(
    scheme === 0 ? `chunk ${index} has another size than it says` : `chunk ${index} has compression ${scheme}`,
  )
}

/** Four groups hold every fourth byte each, from the first, second, third and fourth on. */
function ungrouped(grouped: Uint8Array): Uint8Array {
  const out = new Uint8Array(grouped.length)
  let at = 0
  for (let group = 0; group < 4; group++)
    for (let to = group; to < out.length; to += 4) out[to] = grouped[at++] as number
  return out
}

const damaged = (why: string, cause?: unknown) =>
  invalid('xorb-damaged', `the xorb is damaged: ${why}`, { field: 'body', cause })
