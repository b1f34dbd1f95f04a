/** What a client of Xet sends: xorbs and shards, for tests. */
import { createHash } from 'node:crypto'
import { type HashedChunk, hashOfText, hashText, xetHashes } from '../xet/hashes.ts'

const ENTRY_BYTES = 48

/** An LZ4 frame of one block without compression. */
function lz4Frame(bytes: Uint8Array): Uint8Array {
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82])
  const size = Buffer.alloc(4)
  size.writeUInt32LE((bytes.length | 0x80000000) >>> 0)
  return Buffer.concat([head, size, bytes, Buffer.alloc(4)])
}

function grouped(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from([0, 1, 2, 3].flatMap((group) => [...bytes].filter((_, i) => i % 4 === group)))
}

/** @param says how large the contents are */
export function packedChunk(bytes: Uint8Array, scheme: number, says = bytes.length): Uint8Array {
  const packed = scheme === 0 ? bytes : lz4Frame(scheme === 2 ? grouped(bytes) : bytes)
  const head = Buffer.alloc(8)
  head.writeUIntLE(packed.length, 1, 3)
  head.writeUInt8(scheme, 4)
  head.writeUIntLE(says, 5, 3)
  return Buffer.concat([head, packed])
}

export interface SentXorb {
  hash: string
  body: Uint8Array
  chunks: readonly HashedChunk[]
  contents: readonly Uint8Array[]
}

export async function xorbOf(contents: readonly Uint8Array[], scheme = 0): Promise<SentXorb> {
  const hashes = await xetHashes()
  const chunks = contents.map((bytes) => ({ hash: hashes.chunk(bytes), sizeBytes: bytes.length }))
  const body = Buffer.concat(contents.map((bytes) => packedChunk(bytes, scheme)))
  return { hash: hashText(hashes.xorb(chunks)), body, chunks, contents }
}

export interface SentRange {
  xorb: SentXorb
  first: number
  end: number
}

export interface SentFile {
  contents: Uint8Array
  sha256: string
  xetHash: string
  terms: { xorb: string; first: number; end: number; sizeBytes: number }[]
}

/** A file of chunks of xorbs. */
export async function fileOfRanges(ranges: readonly SentRange[]): Promise<SentFile> {
  const contents = Buffer.concat(ranges.flatMap(({ xorb, first, end }) => xorb.contents.slice(first, end)))
  const chunks = ranges.flatMap(({ xorb, first, end }) => xorb.chunks.slice(first, end))
  return {
    contents,
    sha256: createHash('sha256').update(contents).digest('hex'),
    xetHash: hashText((await xetHashes()).file(chunks)),
    terms: ranges.map(({ xorb, first, end }) => {
      const sizeBytes = xorb.chunks.slice(first, end).reduce((sum, each) => sum + each.sizeBytes, 0)
      return { xorb: xorb.hash, first, end, sizeBytes }
    }),
  }
}

export function shardOf(files: readonly Omit<SentFile, 'contents'>[], flags = 0xc0000000): Uint8Array {
  const entry = (hash: Uint8Array, ...numbers: number[]) => {
    const out = Buffer.alloc(ENTRY_BYTES)
    out.set(hash)
    for (const [i, value] of numbers.entries()) out.writeUInt32LE(value >>> 0, 32 + 4 * i)
    return out
  }
  const parts: Uint8Array[] = [entry(Buffer.alloc(32, 1), 2)]
  for (const { sha256, xetHash, terms } of files) {
    parts.push(entry(hashOfText(xetHash), flags, terms.length))
    for (const { xorb, sizeBytes, first, end } of terms) parts.push(entry(hashOfText(xorb), 0, sizeBytes, first, end))
    if ((flags & 0x80000000) !== 0) for (const _ of terms) parts.push(entry(Buffer.alloc(32, 9)))
    if ((flags & 0x40000000) !== 0) parts.push(entry(hashOfText(sha256)))
  }
  return Buffer.concat([...parts, entry(Buffer.alloc(32, 255)), entry(Buffer.alloc(32, 255))])
}

/** Each part is good until the next one is asked for, as from a connection. */
export async function* inParts(bytes: Uint8Array, partBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += partBytes) {
    const part = new Uint8Array(bytes.subarray(at, at + partBytes))
    yield Promise.resolve(part)
    part.fill(0xee)
  }
}
