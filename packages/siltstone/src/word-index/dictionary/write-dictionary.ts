import { concatBytes, writeUint32 } from '../../codec/bytes.ts'
import { encodeFrontCoded } from '../../format/front-coded.ts'
import { crcHex } from '../../format/checksum.ts'
import type { Sink } from '../../format/segment/sink.ts'
import type { SectionContent } from '../../format/segment/writer.ts'
import { DictionaryBlockBuilder } from './block.ts'
import { DICTIONARY, type WordRows } from './layout.ts'

/** Of an entry of the directory: stored bytes and words of a block. */
export const ENTRY_BYTES = 8

/** @param words in byte order @param of the key of the texts, and the name of the analyzer that cut them */
export async function writeDictionary(
  sink: Sink,
  words: AsyncIterable<WordRows>,
  of: { key: string; analyzer: string },
): Promise<SectionContent> {
  const block = new DictionaryBlockBuilder()
  const blocks: { first: string; sizeBytes: number; words: number }[] = []
  let count = 0
  const flush = async () => {
    const { first = '', words: ofBlock } = block
    const bytes = block.finish()
    blocks.push({ first, sizeBytes: bytes.length, words: ofBlock })
    await sink.write(bytes)
  }
  for await (const word of words) {
    block.add(word)
    count++
    if (block.isFull) await flush()
  }
  if (block.words > 0) await flush()
  const entries = new Uint8Array(blocks.length * ENTRY_BYTES)
  for (const [i, one] of blocks.entries()) {
    writeUint32(entries, i * ENTRY_BYTES, one.sizeBytes)
    writeUint32(entries, i * ENTRY_BYTES + 4, one.words)
  }
  const bytes = concatBytes([entries, encodeFrontCoded(blocks.map(({ first }) => first))])
  const directory = { offset: sink.position, length: bytes.length, crc32: crcHex(bytes) }
  await sink.write(bytes)
  return { type: DICTIONARY.type, params: { ...of, words: count, blocks: blocks.length }, directory }
}
