/**
 * The English model as it is published: the vocabulary is read whole, and of the rows only those of a text's tokens. It
 * gives the vectors of `StaticModel`, to the bit.
 */
import { zstdDecompress } from '#codec'
import { corrupt } from '../../errors.ts'
import { decodeFrontCoded } from '../../format/front-coded.ts'
import { type PublishedEmbedder, TOKEN_ROWS, VOCABULARY } from '../../format/published.ts'
import type { SectionDescriptor } from '../../format/segment/descriptor.ts'
import { int8RecordBytes } from '../../format/segment/int8-vectors.ts'
import { PageReader, words } from '../../format/segment/page-reader.ts'
import { type ReadRange, SectionSource, type SourceOptions } from '../../format/segment/source.ts'
import { meanOf } from './mean.ts'
import { Tokenizer } from './tokenizer.ts'
import { WordPiece } from './word-piece.ts'

/** Raw bytes of a vocabulary; a larger one is damaged. */
const MOST_VOCABULARY_BYTES = 16 << 20

export class PublishedModel {
  readonly dimension: number
  readonly #embedder: PublishedEmbedder
  readonly #source: SectionSource
  readonly #rows: PageReader
  #tokenizer: Promise<Tokenizer> | undefined

  /** @throws SiltstoneError `corrupt` (published-damaged) when a section is missing */
  constructor(embedder: PublishedEmbedder, read: ReadRange, options: SourceOptions) {
    this.#embedder = embedder
    this.dimension = embedder.dimension
    this.#source = new SectionSource(embedder.model, embedder.files, read, options)
    const recordBytes = int8RecordBytes(embedder.dimension)
    this.#rows = new PageReader(this.#source, this.#section(TOKEN_ROWS), recordBytes, embedder.tokens, words)
  }

  #section({ name, type }: { name: string; type: string }): SectionDescriptor {
    const section = this.#embedder.sections.find((one) => one.name === name && one.type === type)
    if (!section) throw corrupt('published-damaged', `the embedder has no section ${name} of type ${type}`)
    return section
  }

  /** Reads the vocabulary, so that the first text waits for less. */
  async prepare(): Promise<void> {
    await this.#open()
  }

  /** @throws SiltstoneError `corrupt`, `unavailable` */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const tokenizer = await this.#open()
    const tokens = texts.map((text) => tokenizer.ids.slice(0, tokenizer.encode(text)))
    const wanted = [...new Set(tokens.flatMap((ids) => [...ids]))].sort((a, b) => a - b)
    const { dimension } = this
    const rows = new Int8Array(wanted.length * dimension)
    const scales = new Float32Array(wanted.length)
    const placeOf = new Map(wanted.map((id, place) => [id, place]))
    const { recordsPerPage, recordBytes } = this.#rows.geometry
    const pages = [...new Set(wanted.map((id) => Math.floor(id / recordsPerPage)))]
    const found = new Map<number, Uint32Array>()
    await this.#rows.each(pages, (page, content) => found.set(page, content))
    wanted.forEach((id, place) => {
      const page = found.get(Math.floor(id / recordsPerPage)) as Uint32Array
      const at = page.byteOffset + (id % recordsPerPage) * recordBytes
      scales[place] = new Float32Array(page.buffer, at, 1)[0] as number
      rows.set(new Int8Array(page.buffer, at + 4, dimension), place * dimension)
    })
    const sum = new Float64Array(dimension)
    return tokens.map((ids) => {
      const vector = new Float32Array(dimension)
      const places = Array.from(ids, (id) => placeOf.get(id) as number)
      meanOf({ rows, scales, ids: places, count: places.length }, sum, vector)
      return vector
    })
  }

  #open(): Promise<Tokenizer> {
    this.#tokenizer ??= this.#readVocabulary().catch((error: unknown) => {
      // A failure is not kept: the next text tries again.
      this.#tokenizer = undefined
      throw error
    })
    return this.#tokenizer
  }

  async #readVocabulary(): Promise<Tokenizer> {
    const section = this.#section(VOCABULARY)
    const { offset, length, crc32 = '' } = section
    const packed = await this.#source.checked(section, { offset, length, crc32 }, 'the content')
    const tokens = decodeFrontCoded(zstdDecompress(packed, MOST_VOCABULARY_BYTES), this.#embedder.tokens)
    if (!tokens) throw corrupt('published-damaged', `${this.#source.key(section)} is no vocabulary`)
    return new Tokenizer(new WordPiece(tokens.join('\n')))
  }
}
