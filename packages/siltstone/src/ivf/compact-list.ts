/**
 * The list of a cluster in few bytes, for segments that pages read (lists of version 2): u32 CRC-32 of what follows; the
 * codes one after another; two factors per entry, each the upper half of an f32; the rows of the copies as varints, each less
 * the one before and 1. In memory, lists are as `directory.ts` has them.
 */
import { crc32 } from '#codec'
import { readUint32, writeUint32 } from '../codec/bytes.ts'
import { PACK, packBytes } from './directory.ts'

const HEADER_BYTES = 4

export interface ListContent {
  /** Codes and factors, interleaved in packs. */
  packs: Uint8Array
  /** Rows of the entries that follow the primaries, ascending. */
  copies: Uint32Array
}

/** @param codeBytes of one entry */
export function encodeCompactList({ packs, copies }: ListContent, entries: number, codeBytes: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + entries * (codeBytes + 4) + copies.length * 5)
  const halves = new Uint16Array(packs.buffer, packs.byteOffset, packs.byteLength / 2)
  let at = HEADER_BYTES
  for (let entry = 0; entry < entries; entry++) {
    const { pack, lane } = placeOf(entry, codeBytes)
    for (let j = 0; j < codeBytes; j++) bytes[at++] = packs[pack + j * PACK + lane] as number
  }
  for (let entry = 0; entry < entries; entry++) {
    const { pack, lane } = placeOf(entry, codeBytes)
    const factors = (pack + codeBytes * PACK) / 2
    for (const place of [factors + 2 * lane, factors + 2 * (PACK + lane)]) {
      const half = upperHalf(halves[place] as number, halves[place + 1] as number)
      bytes[at++] = half & 255
      bytes[at++] = half >>> 8
    }
  }
  let last = -1
  for (const row of copies) {
    let rest = row - last - 1
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128
    bytes[at++] = rest
    last = row
  }
  const list = bytes.slice(0, at)
  writeUint32(list, 0, crc32(list.subarray(HEADER_BYTES)))
  return list
}

/** @returns what is wrong with the bytes, or their content */
export function decodeCompactList(
  bytes: Uint8Array,
  { entries, copied, codeBytes }: { entries: number; copied: number; codeBytes: number },
): ListContent | string {
  const rowsAt = HEADER_BYTES + entries * (codeBytes + 4)
  if (bytes.length < rowsAt + copied) return `it has ${bytes.length} bytes`
  if (readUint32(bytes, 0) !== crc32(bytes.subarray(HEADER_BYTES))) return 'it does not match its checksum'
  const packs = new Uint8Array(Math.ceil(entries / PACK) * packBytes(codeBytes * 8))
  const halves = new Uint16Array(packs.buffer)
  const room = Math.ceil(entries / PACK) * PACK
  for (let entry = 0; entry < room; entry++) {
    const { pack, lane } = placeOf(entry, codeBytes)
    const factors = (pack + codeBytes * PACK) / 2
    if (entry >= entries) {
      halves[factors + 2 * lane + 1] = INFINITY_HALF
      continue
    }
    let from = HEADER_BYTES + entry * codeBytes
    for (let j = 0; j < codeBytes; j++) packs[pack + j * PACK + lane] = bytes[from++] as number
    from = HEADER_BYTES + entries * codeBytes + entry * 4
    halves[factors + 2 * lane + 1] = (bytes[from] as number) | ((bytes[from + 1] as number) << 8)
    halves[factors + 2 * (PACK + lane) + 1] = (bytes[from + 2] as number) | ((bytes[from + 3] as number) << 8)
  }
  const copies = rowsOf(bytes, rowsAt, copied)
  return copies ? { packs, copies } : 'its copies are no rows'
}

const INFINITY_HALF = 0x7f80

/** Where an entry's code begins, and which of the interleaved ones it is. */
function placeOf(entry: number, codeBytes: number): { pack: number; lane: number } {
  return { pack: Math.floor(entry / PACK) * packBytes(codeBytes * 8), lane: entry % PACK }
}

/** Of an f32, rounded; infinite stays infinite. */
function upperHalf(low: number, high: number): number {
  return low < 0x8000 || (high & INFINITY_HALF) === INFINITY_HALF ? high : high + 1
}

/** @returns undefined unless the varints end where the bytes end */
function rowsOf(bytes: Uint8Array, start: number, count: number): Uint32Array | undefined {
  const rows = new Uint32Array(count)
  let at = start
  let last = -1
  for (let i = 0; i < count; i++) {
    let step = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined || shift > 28) return undefined
      step += (byte & 127) * 2 ** shift
      if (byte < 128) break
    }
    last += step + 1
    if (last > 0xffffffff) return undefined
    rows[i] = last
  }
  return at === bytes.length ? rows : undefined
}
