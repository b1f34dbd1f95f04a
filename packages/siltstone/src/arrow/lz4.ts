/**
 * LZ4 frame decoder (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md), the other compression of Arrow files.
 * Checksums of frames are not verified: Arrow files that need a checksum carry Siltstone's.
 */
import { FormatProblem } from './problem.ts'

const MAGIC = 0x184d2204
/** Most bytes that one byte of a block expands to (a run length of 255). */
const MAX_RATIO = 255

/** @throws FormatProblem when the frame is damaged or does not give exactly `rawLength` bytes */
export function decodeLz4Frame(frame: Uint8Array, rawLength: number): Uint8Array {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength)
  if (frame.length < 7 || view.getUint32(0, true) !== MAGIC) throw new FormatProblem('not an LZ4 frame')
  // Before allocating more than the frame can hold.
  if (rawLength > frame.length * MAX_RATIO) throw new FormatProblem('an LZ4 frame is shorter than it says')
  const flags = view.getUint8(4)
  const blockChecksum = (flags & 0x10) !== 0
  let at = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1
  const out = new Uint8Array(rawLength)
  let written = 0
  for (;;) {
    if (at + 4 > frame.length) throw new FormatProblem('an LZ4 frame ends early')
    const word = view.getUint32(at, true)
    at += 4
    if (word === 0) break
    const size = word & 0x7fffffff
    if (at + size > frame.length) throw new FormatProblem('an LZ4 block ends early')
    const block = frame.subarray(at, at + size)
    if (word >>> 31 === 1) {
      if (written + size > rawLength) throw new FormatProblem('an LZ4 frame is longer than it says')
      out.set(block, written)
      written += size
    } else written = decodeBlock(block, out, written)
    at += size + (blockChecksum ? 4 : 0)
  }
  if (written !== rawLength) throw new FormatProblem('an LZ4 frame is shorter than it says')
  return out
}

/** Appends to `out` from `start`; matches may reach into earlier blocks. Returns the new end. */
function decodeBlock(block: Uint8Array, out: Uint8Array, start: number): number {
  let at = 0
  let to = start
  const lengthFrom = (nibble: number): number => {
    let length = nibble
    if (nibble === 15) {
      for (;;) {
        const more = block[at++]
        if (more === undefined) throw new FormatProblem('an LZ4 block ends early')
        length += more
        if (more < 255) break
      }
    }
    return length
  }
  while (at < block.length) {
    const token = block[at++] as number
    const literals = lengthFrom(token >>> 4)
    if (at + literals > block.length || to + literals > out.length) throw new FormatProblem('an LZ4 block is damaged')
    out.set(block.subarray(at, at + literals), to)
    at += literals
    to += literals
    if (at === block.length) return to
    if (at + 2 > block.length) throw new FormatProblem('an LZ4 block ends early')
    const distance = (block[at] as number) | ((block[at + 1] as number) << 8)
    at += 2
    const length = lengthFrom(token & 15) + 4
    if (distance === 0 || distance > to || to + length > out.length) throw new FormatProblem('an LZ4 block is damaged')
    if (distance >= length) out.copyWithin(to, to - distance, to - distance + length)
    else for (let i = 0; i < length; i++) out[to + i] = out[to + i - distance] as number
    to += length
  }
  return to
}
