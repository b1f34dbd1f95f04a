/**
 * The answer to a question for a chunk: a shard of Xet (https://huggingface.co/docs/xet/shard) without files, that describes xorbs, with a
 * key for the hashes of their chunks. After a header of 48 bytes and the end of no files follow, for each xorb, its
 * header and its chunks, all of 48 bytes, the end of the xorbs, and a footer of 200 bytes.
 */
import { HASH_BYTES, hashOfText, isShared, keyedHash } from './hashes.ts'
import type { DescribedXorb } from './shared-chunks.ts'

const ENTRY_BYTES = 48
const FOOTER_BYTES = 200
const TAG = Buffer.concat([
  Buffer.from('HFRepoMetaData\0'),
  Buffer.from([85, 105, 103, 69, 106, 123, 129, 87, 131, 165, 189, 217, 92, 205, 209, 74, 169]),
])
const HEADER_VERSION = 2n
const FOOTER_VERSION = 1n
/** A chunk that clients may ask for. */
const SHARED_FLAG = 0x80000000

export interface ShardKey {
  /** 32 bytes, not all of them zero. */
  key: Uint8Array
  createdMs: number
  /** When clients forget the answer. */
  expiresMs: number
}

export async function answerShard(
  xorbs: readonly DescribedXorb[],
  { key, createdMs, expiresMs }: ShardKey,
): Promise<Uint8Array> {
  const keyed = await keyedHash(key)
  const entries = xorbs.reduce((sum, { table }) => sum + 1 + table.length, 0)
  const footer = ENTRY_BYTES * (entries + 3)
  const out = Buffer.alloc(footer + FOOTER_BYTES)
  out.set(TAG)
  out.writeBigUInt64LE(HEADER_VERSION, 32)
  out.writeBigUInt64LE(BigInt(FOOTER_BYTES), 40)
  out.fill(0xff, ENTRY_BYTES, ENTRY_BYTES + HASH_BYTES)
  let at = 2 * ENTRY_BYTES
  const entry = (hash: Uint8Array, numbers: readonly number[]) => {
    out.set(hash, at)
    for (const [i, value] of numbers.entries()) out.writeUInt32LE(value, at + HASH_BYTES + 4 * i)
    at += ENTRY_BYTES
  }
  for (const { hash, table } of xorbs) {
    entry(hashOfText(hash), [0, table.length, table.at(table.length), table.packedAt(table.length)])
    for (let index = 0; index < table.length; index++) {
      const flags = isShared(table.hash(index)) ? SHARED_FLAG : 0
      entry(keyed(table.hash(index)), [table.at(index), table.at(index + 1) - table.at(index), flags, 0])
    }
  }
  out.fill(0xff, at, at + HASH_BYTES)
  const numbers = [FOOTER_VERSION, BigInt(ENTRY_BYTES), BigInt(2 * ENTRY_BYTES)]
  // There are no tables for lookups: they begin where the footer does. hf_xet 1.8 fails on zeros here.
  for (let table = 0; table < 3; table++) numbers.push(BigInt(footer), 0n)
  for (const [i, value] of numbers.entries()) out.writeBigUInt64LE(value, footer + 8 * i)
  out.set(key, footer + 72)
  out.writeBigUInt64LE(BigInt(Math.floor(createdMs / 1_000)), footer + 104)
  out.writeBigUInt64LE(BigInt(Math.floor(expiresMs / 1_000)), footer + 112)
  out.writeBigUInt64LE(BigInt(footer), footer + 192)
  return out
}
