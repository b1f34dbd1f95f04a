/**
 * Shards of Xet (https://huggingface.co/docs/xet/shard), as a client uploads them: which chunks of which xorbs make up a file. Read is the
 * section of files: after a header of 48 bytes, for each file a header, its terms, perhaps as many verification entries, and the
 * SHA-256, all of 48 bytes; a header of ones ends it. What follows says what is in the new xorbs, and is not read: they are.
 */
import { invalid } from 'siltstone/internal'
import { HASH_BYTES, hashText } from './hashes.ts'

export interface Term {
  /** Hexadecimal, as in the URL under which the xorb was uploaded. */
  xorb: string
  /** Chunks `first` to `end`, exclusive. */
  first: number
  end: number
  sizeBytes: number
}

export interface ShardFile {
  /** Of the contents, hexadecimal. */
  sha256: string
  /** Of Xet, as text. */
  xetHash: string
  terms: Term[]
}

const ENTRY_BYTES = 48
const VERSION = 2
const HAS_VERIFICATION = 0x80000000
const HAS_METADATA = 0x40000000
const MAX_FILES = 25_000

/** @throws SiltstoneError `invalid` (shard-damaged) */
export function parseShard(bytes: Uint8Array): ShardFile[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const check = (at: number) => {
    if (at + ENTRY_BYTES > bytes.length) throw damaged('it ends early')
  }
  check(0)
  if (view.getBigUint64(32, true) !== BigInt(VERSION)) throw damaged('its version is not 2')
  const files: ShardFile[] = []
  for (let at = ENTRY_BYTES; ; ) {
    check(at)
    if (bytes.subarray(at, at + 32).every((byte) => byte === 0xff)) return files
    if (files.length >= MAX_FILES) throw damaged(`it has more than ${MAX_FILES} files`)
    const xetHash = hashText(bytes.subarray(at, at + HASH_BYTES))
    const flags = view.getUint32(at + 32, true)
    const count = view.getUint32(at + 36, true)
    at += ENTRY_BYTES
    if (at + count * ENTRY_BYTES > bytes.length) throw damaged('it ends early')
    const terms = Array.from({ length: count }, (_, i): Term => {
      const term = at + i * ENTRY_BYTES
      const [first, end] = [view.getUint32(term + 40, true), view.getUint32(term + 44, true)]
      if (end < first) throw damaged('a term ends before it begins')
      return {
        xorb: hashText(bytes.subarray(term, term + HASH_BYTES)),
        first,
        end,
        sizeBytes: view.getUint32(term + 36, true),
      }
    })
    at += count * ENTRY_BYTES * ((flags & HAS_VERIFICATION) === 0 ? 1 : 2)
    if ((flags & HAS_METADATA) === 0) throw damaged('a file has no SHA-256')
    check(at)
    files.push({ sha256: hashText(bytes.subarray(at, at + HASH_BYTES)), xetHash, terms })
    at += ENTRY_BYTES
  }
}

const damaged = (why: string) => invalid('shard-damaged', `the shard is damaged: ${why}`, { field: 'body' })
