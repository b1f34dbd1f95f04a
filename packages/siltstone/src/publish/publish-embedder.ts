/** The files of the English embedder as pages read them: see `embed/english/published-model.ts`. */
import { ENGLISH_MODEL, ENGLISH_NAME } from '../embed/english/embedder.ts'
import { UNKNOWN } from '../embed/english/word-piece.ts'
import { ENGLISH_DIMENSION, ENGLISH_PACKAGE } from '../embed/english/load.ts'
import { toBase64 } from '#codec'
import { crcHex } from '../format/checksum.ts'
import { slotOf } from '../format/perfect-hash.ts'
import { type InlineRange, type PublishedEmbedder, TOKEN_ROWS, VOCABULARY } from '../format/published.ts'
import { PageWriter } from '../format/segment/pages.ts'
import { MemorySink } from '../format/segment/sink.ts'
import type { ModelHost } from '../ports/model-host.ts'
import { compareKeys } from '../ports/object-key.ts'
import { vocabularySection } from './vocabulary-section.ts'

/** One row a page: a text has few tokens, which lie far apart. */
const ROW_PAGE_BYTES = 264

export interface EmbedderFiles {
  /** Without the keys of the files, which are named by their content. */
  describe(keys: { vocabulary: string; rows: string }): PublishedEmbedder
  /** What a page needs of the vocabulary before it can look a word up. */
  inline(vocabularyKey: string): InlineRange
  vocabulary: Uint8Array
  rows: Uint8Array
}

/** Whether texts of a collection are embedded by the English embedder. */
export function isEnglish(configuration: Record<string, unknown>, dimension: number | null): boolean {
  if (dimension !== ENGLISH_DIMENSION) return false
  const named = configuration['embedding_function'] as
    | { name?: unknown; config?: { model?: unknown } }
    | null
    | undefined
  const { name, config } = named ?? {}
  if (name === undefined || name === 'default') return true
  return name === ENGLISH_NAME && (config?.model === undefined || config.model === ENGLISH_MODEL)
}

export async function englishEmbedder(models: Pick<ModelHost, 'readPackageFiles'>): Promise<EmbedderFiles> {
  const [vocabulary, vectors, scales] = (await models.readPackageFiles(ENGLISH_PACKAGE, [
    'vocab.txt',
    'vectors.i8',
    'scales.f32',
  ])) as [Uint8Array, Uint8Array, Uint8Array]
  const lines = new TextDecoder().decode(vocabulary).trimEnd().split('\n')
  // Texts never have the unused tokens: the tokenizer cuts at brackets.
  const tokens = lines
    .map((token, id) => ({ token, id }))
    .filter(({ token }) => !/^\[unused\d+\]$/.test(token))
    .sort((a, b) => compareKeys(a.token, b.token))
  const texts = tokens.map(({ token }) => token)
  const written = vocabularySection(texts)
  const sink = new MemorySink()
  const writer = new PageWriter(sink, 4 + ENGLISH_DIMENSION, ROW_PAGE_BYTES)
  const view = new DataView(scales.buffer, scales.byteOffset, scales.byteLength)
  const words = new Uint32Array(1 + ENGLISH_DIMENSION / 4)
  const record = new Uint8Array(words.buffer)
  const { bytes, directory, hash } = written
  const inSlots = new Array<number | undefined>(hash.slots)
  for (const { token, id } of tokens) inSlots[slotOf(token, hash)] = id
  for (const id of inSlots) {
    words.fill(0)
    if (id !== undefined) {
      new DataView(words.buffer).setFloat32(0, view.getFloat32(id * 4, true), true)
      record.set(vectors.subarray(id * ENGLISH_DIMENSION, (id + 1) * ENGLISH_DIMENSION), 4)
    }
    await writer.appendRecord(words)
  }
  const params = await writer.finish()
  const rows = sink.content()
  const fileOf = (key: string, bytes: Uint8Array) => ({ key, sizeBytes: bytes.length, crc32: crcHex(bytes) })
  return {
    vocabulary: bytes,
    rows,
    inline: (key) => {
      const { offset, length } = directory
      return { key, offset, base64: toBase64(bytes.subarray(offset, offset + length)) }
    },
    describe: (keys) => ({
      model: ENGLISH_MODEL,
      dimension: ENGLISH_DIMENSION,
      tokens: hash.slots,
      files: [fileOf(keys.vocabulary, bytes), fileOf(keys.rows, rows)],
      sections: [
        {
          ...VOCABULARY,
          version: 3,
          file: 0,
          offset: 0,
          length: bytes.length,
          directory,
          params: { ...written.params, unknown: slotOf(UNKNOWN, hash) },
        },
        { ...TOKEN_ROWS, version: 1, file: 1, offset: 0, length: rows.length, params },
      ],
    }),
  }
}
