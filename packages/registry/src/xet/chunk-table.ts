/**
 * What is known of a xorb's chunks: `registry/chunk-tables/<user>/<hash>`, made from the xorb itself and compared with its name. It says where
 * chunks are, so that a part of a file is read without what is before it, and what their hashes are, for deduplication.
 *
 *     "stct", version 1, number of chunks (4 bytes each), for each chunk: hash (32 bytes), where it ends in the xorb and in
 *     the contents (4 bytes each); CRC-32 of all that (4 bytes). Numbers are little-endian.
 */
import { corrupt, crc32, unsupported } from 'siltstone/internal'
import { HASH_BYTES, type HashedChunk, hashText, type XetHashes } from './hashes.ts'
import { chunksOf, damaged } from './xorb.ts'

const MAGIC = Buffer.from('stct')
const VERSION = 1
const HEAD_BYTES = 12
const ENTRY_BYTES = HASH_BYTES + 8
const CRC_BYTES = 4

export interface ChunkTable {
  /** Number of chunks. */
  length: number
  hash(index: number): Uint8Array
  /** Where a chunk begins in the xorb; of `length`: where the last one ends. */
  packedAt(index: number): number
  /** Where a chunk begins in the contents of the xorb; of `length`: their size in bytes. */
  at(index: number): number
  /** The chunk that has the byte `position` of the contents. */
  indexAt(position: number): number
}

interface Entry extends HashedChunk {
  packedBytes: number
}

/**
 * Reads a whole xorb.
 * @param hash that it has to have, as text
 * @returns the table in its stored form
 * @throws SiltstoneError `invalid` (xorb-damaged, xorb-hash)
 */
export async function tableOf(hashes: XetHashes, hash: string, body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const entries: Entry[] = []
  for await (const { packedBytes, bytes } of chunksOf(body))
    entries.push({ hash: hashes.chunk(bytes), sizeBytes: bytes.length, packedBytes })
  if (entries.length === 0) throw damaged('it has no chunks')
  const actual = hashText(hashes.xorb(entries))
  if (actual !== hash) throw damaged(`its chunks have the hash ${actual}, and it is named ${hash}: send it again`)
  return encodeTable(entries)
}

export function encodeTable(entries: readonly Entry[]): Uint8Array {
  const out = Buffer.alloc(HEAD_BYTES + entries.length * ENTRY_BYTES + CRC_BYTES)
  out.set(MAGIC)
  out.writeUInt32LE(VERSION, 4)
  out.writeUInt32LE(entries.length, 8)
  let [packedEnd, end] = [0, 0]
  for (const [i, { hash, sizeBytes, packedBytes }] of entries.entries()) {
    const at = HEAD_BYTES + i * ENTRY_BYTES
    packedEnd += packedBytes
    end += sizeBytes
    out.set(hash, at)
    out.writeUInt32LE(packedEnd, at + HASH_BYTES)
    out.writeUInt32LE(end, at + HASH_BYTES + 4)
  }
  out.writeUInt32LE(crc32(out.subarray(0, -CRC_BYTES)), out.length - CRC_BYTES)
  return out
}

/** @throws SiltstoneError `corrupt` (registry-damaged), `unsupported` (unknown-format-version) */
export function decodeTable(bytes: Uint8Array, key: string): ChunkTable {
  const damagedTable = (why: string) => corrupt('registry-damaged', `${key} is damaged: ${why}`, { key })
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < HEAD_BYTES + CRC_BYTES || !view.subarray(0, 4).equals(MAGIC))
    throw damagedTable('it is no table of chunks')
  if (crc32(view.subarray(0, -CRC_BYTES)) !== view.readUInt32LE(view.length - CRC_BYTES))
    throw damagedTable('its checksum does not fit')
  if (view.readUInt32LE(4) !== VERSION) {
    const text = `${key} has format version ${view.readUInt32LE(4)}, this program reads ${VERSION}: use a newer one`
    throw unsupported('unknown-format-version', text, { key })
  }
  const length = view.readUInt32LE(8)
  if (view.length !== HEAD_BYTES + length * ENTRY_BYTES + CRC_BYTES) throw damagedTable('its size does not fit')
  const endOf = (index: number, field: number) =>
    index === 0 ? 0 : view.readUInt32LE(HEAD_BYTES + (index - 1) * ENTRY_BYTES + HASH_BYTES + field)
  const at = (index: number) => endOf(index, 4)
  return {
    length,
    hash: (index) => view.subarray(HEAD_BYTES + index * ENTRY_BYTES, HEAD_BYTES + index * ENTRY_BYTES + HASH_BYTES),
    packedAt: (index) => endOf(index, 0),
    at,
    indexAt: (position) => {
      let [low, high] = [0, length - 1]
      while (low < high) {
        const middle = (low + high + 1) >>> 1
        if (at(middle) <= position) low = middle
        else high = middle - 1
      }
      return low
    },
  }
}
