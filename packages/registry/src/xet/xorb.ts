/**
 * Xorbs of Xet (https://huggingface.co/docs/xet/xorb): chunks one after the other, each with a header of 8 bytes (version, 3 bytes of packed
 * size, compression, 3 bytes of size, little-endian), then perhaps a footer, which is not read.
 */
import { decodeLz4Frame, FormatProblem, invalid } from 'siltstone/internal'

/** 64 MiB of chunks, their headers, and a footer. */
export const MAX_XORB_BYTES = 72 * 1024 * 1024
export const MAX_XORB_CHUNKS = 8 * 1024
const HEADER_BYTES = 8
/** Chunks are 8 to 128 KiB. */
const MAX_CHUNK_BYTES = 256 * 1024
const FOOTER = Buffer.from('XETBLOB')

export interface XorbChunk {
  /** Of the chunk in the xorb, header included. */
  packedBytes: number
  /** The contents. */
  bytes: Uint8Array
}

/**
 * All chunks of a xorb, as it comes; holds little more than a chunk and a part of the body. A chunk is good until the next one is asked for.
 * @throws SiltstoneError `invalid` (xorb-damaged)
 */
export async function* chunksOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<XorbChunk> {
  let pending: Uint8Array = new Uint8Array()
  let isFooter = false
  let index = 0
  for await (const part of body) {
    if (isFooter) continue
    pending = pending.length === 0 ? part : Buffer.concat([pending, part])
    let at = 0
    for (;;) {
      isFooter = startsFooter(pending, at)
      const chunk = isFooter ? undefined : chunkAt(pending, at, index)
      if (chunk === undefined) break
      if (++index > MAX_XORB_CHUNKS) throw damaged(`it has more than ${MAX_XORB_CHUNKS} chunks`)
      at += chunk.packedBytes
      yield chunk
    }
    // A copy, because parts are good until the next one is asked for.
    pending = new Uint8Array(pending.subarray(at))
  }
  if (pending.length > 0 && !isFooter) throw damaged(`chunk ${index} ends early`)
}

const startsFooter = (bytes: Uint8Array, at: number): boolean =>
  bytes.length - at >= FOOTER.length && FOOTER.equals(bytes.subarray(at, at + FOOTER.length))

/**
 * The chunk that begins at `at`; undefined: more bytes are needed.
 * @param index for messages
 * @throws SiltstoneError `invalid` (xorb-damaged)
 */
export function chunkAt(xorb: Uint8Array, at: number, index: number): XorbChunk | undefined {
  if (at + HEADER_BYTES > xorb.length) return undefined
  const view = new DataView(xorb.buffer, xorb.byteOffset, xorb.byteLength)
  const packedBytes = view.getUint32(at, true) >>> 8
  const scheme = view.getUint8(at + 4)
  const sizeBytes = view.getUint32(at + 4, true) >>> 8
  if (view.getUint8(at) !== 0) throw damaged(`chunk ${index} has version ${view.getUint8(at)}`)
  if (sizeBytes > MAX_CHUNK_BYTES) throw damaged(`chunk ${index} has ${sizeBytes} bytes`)
  // Packed worse than not at all.
  if (packedBytes > 2 * MAX_CHUNK_BYTES) throw damaged(`chunk ${index} has ${packedBytes} packed bytes`)
  const start = at + HEADER_BYTES
  if (start + packedBytes > xorb.length) return undefined
  const bytes = unpacked(xorb.subarray(start, start + packedBytes), scheme, sizeBytes, index)
  return { packedBytes: HEADER_BYTES + packedBytes, bytes }
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

export const damaged = (why: string, cause?: unknown) =>
  invalid('xorb-damaged', `the xorb is damaged: ${why}`, { field: 'body', cause })
