/** Writes a vocabulary in chunks: see `embed/english/published-vocabulary.ts`. */
import { crc32, utf8Length, zstdCompress } from '#codec'
import { concatBytes, writeUint32 } from '../codec/bytes.ts'
import { varint } from '../codec/varint.ts'
import { crcHex } from '../format/checksum.ts'
import { encodeFrontCoded } from '../format/front-coded.ts'
import { Fingerprints, type PerfectHash, perfectHash } from '../format/perfect-hash.ts'

/** About the bytes of the tokens in a chunk, front coded and before compression: a query reads a chunk for most of its words. */
const CHUNK_BYTES = 500
const LEVEL = 19

export interface VocabularySection {
  bytes: Uint8Array
  directory: { offset: number; length: number; crc32: string }
  params: { chunks: number; chunkBytes: number; directoryBytes: number; slots: number; buckets: number }
  /** Gives the id of each token. */
  hash: PerfectHash
}

/** @param tokens in the order of their UTF-8 */
export function vocabularySection(tokens: readonly string[]): VocabularySection {
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const firsts: string[] = []
  const entries: Uint8Array[] = []
  const chunks: Uint8Array[] = []
  let chunkBytes = 0
  for (const { start, end } of cutsOf(tokens)) {
    const first = tokens[start] as string
    const ancestors = beginnings(first, ids)
    const raw = concatBytes([
      varint(start),
      varint(end - start),
      varint(ancestors.length),
      ...ancestors.flatMap((id) => [varint(utf8Length(tokens[id] as string)), varint(id)]),
      encodeFrontCoded(tokens.slice(start, end)),
    ])
    const chunk = withChecksum(zstdCompress(raw, LEVEL))
    chunkBytes = Math.max(chunkBytes, raw.length)
    firsts.push(first)
    chunks.push(chunk)
    entries.push(varint(chunk.length))
  }
  const hash = perfectHash(tokens)
  const fingerprints = new Fingerprints(hash)
  for (const token of tokens) fingerprints.add(token)
  const seeds = Array.from(hash.seeds, varint)
  const raw = concatBytes([...entries, ...seeds, fingerprints.bytes, encodeFrontCoded(firsts)])
  const directory = zstdCompress(raw, LEVEL)
  const offset = chunks.reduce((sum, { length }) => sum + length, 0)
  return {
    bytes: concatBytes([...chunks, directory]),
    directory: { offset, length: directory.length, crc32: crcHex(directory) },
    params: {
      chunks: chunks.length,
      chunkBytes,
      directoryBytes: raw.length,
      slots: hash.slots,
      buckets: hash.seeds.length,
    },
    hash,
  }
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const checked = concatBytes([new Uint8Array(4), bytes])
  writeUint32(checked, 0, crc32(bytes))
  return checked
}

function cutsOf(tokens: readonly string[]): { start: number; end: number }[] {
  const cuts: { start: number; end: number }[] = []
  let start = 0
  let size = 0
  for (let id = 0; id < tokens.length; id++) {
    const [before, token] = [tokens[id - 1] ?? '', tokens[id] as string]
    let shared = 0
    while (shared < before.length && before[shared] === token[shared]) shared++
    size += 2 + utf8Length(token.slice(shared))
    if (size < CHUNK_BYTES && id + 1 < tokens.length) continue
    cuts.push({ start, end: id + 1 })
    start = id + 1
    size = 0
  }
  return cuts
}

/** The ids of the other tokens that this one begins with. They sort before it. */
function beginnings(token: string, ids: ReadonlyMap<string, number>): number[] {
  const found: number[] = []
  for (let length = 1; length < token.length; length++) {
    const id = ids.get(token.slice(0, length))
    if (id !== undefined) found.push(id)
  }
  return found
}
