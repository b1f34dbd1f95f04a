/**
 * The English model as it is published: of the vocabulary and of the rows of tokens, a text reads what it needs. It gives the
 * vectors of `StaticModel`, to the bit.
 */
import { corrupt } from '../../errors.ts'
import { type PublishedEmbedder, TOKEN_ROWS, VOCABULARY } from '../../format/published.ts'
import type { SectionDescriptor } from '../../format/segment/descriptor.ts'
import { int8RecordBytes } from '../../format/segment/int8-vectors.ts'
import { PageReader, words } from '../../format/segment/page-reader.ts'
import { type ReadRange, SectionSource, type SourceOptions } from '../../format/segment/source.ts'
import { meanOf } from './mean.ts'
import { PublishedVocabulary } from './published-vocabulary.ts'

export class PublishedModel {
  readonly dimension: number
  readonly #embedder: PublishedEmbedder
  readonly #source: SectionSource
  readonly #rows: PageReader
  readonly #vocabulary: PublishedVocabulary

  /** @throws SiltstoneError `corrupt` (published-damaged) when a section is missing */
  constructor(embedder: PublishedEmbedder, read: ReadRange, options: SourceOptions) {
    this.#embedder = embedder
    this.dimension = embedder.dimension
    this.#source = new SectionSource(embedder.model, embedder.files, read, options)
    this.#vocabulary = new PublishedVocabulary(this.#source, this.#section(VOCABULARY))
    const recordBytes = int8RecordBytes(embedder.dimension)
    this.#rows = new PageReader(this.#source, this.#section(TOKEN_ROWS), recordBytes, embedder.tokens, words)
  }

  #section({ name, type }: { name: string; type: string }): SectionDescriptor {
    const section = this.#embedder.sections.find((one) => one.name === name && one.type === type)
    if (!section) throw corrupt('published-damaged', `the embedder has no section ${name} of type ${type}`)
    return section
  }

  /** Reads what each text needs, so that the first one waits for less. */
  prepare(): Promise<void> {
    return this.#vocabulary.prepare()
  }

  /** @throws SiltstoneError `corrupt`, `unavailable` */
  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const reading: Promise<void>[] = []
    const tokens = await this.#vocabulary.encode(texts, (ids) => {
      const read = this.#readRows(ids, () => undefined)
      reading.push(read)
      // Awaited below, unless the vocabulary fails first.
      read.catch(() => undefined)
    })
    await Promise.all(reading)
    const wanted = [...new Set(tokens.flat())]
    const { dimension } = this
    const rows = new Int8Array(wanted.length * dimension)
    const scales = new Float32Array(wanted.length)
    const placeOf = new Map(wanted.map((id, place) => [id, place]))
    const { recordsPerPage, recordBytes } = this.#rows.geometry
    const found = new Map<number, Uint32Array>()
    await this.#readRows(wanted, (page, content) => found.set(page, content))
    wanted.forEach((id, place) => {
      const page = found.get(Math.floor(id / recordsPerPage)) as Uint32Array
      const at = page.byteOffset + (id % recordsPerPage) * recordBytes
      scales[place] = new Float32Array(page.buffer, at, 1)[0] as number
      rows.set(new Int8Array(page.buffer, at + 4, dimension), place * dimension)
    })
    const sum = new Float64Array(dimension)
    return tokens.map((ids) => {
      const vector = new Float32Array(dimension)
      const places = ids.map((id) => placeOf.get(id) as number)
      meanOf({ rows, scales, ids: places, count: places.length }, sum, vector)
      return vector
    })
  }

  /** Through the cache. */
  #readRows(ids: readonly number[], take: (page: number, content: Uint32Array) => void): Promise<void> {
    const { recordsPerPage } = this.#rows.geometry
    const pages = new Set(ids.map((id) => Math.floor(id / recordsPerPage)))
    return this.#rows.each(
      [...pages].sort((a, b) => a - b),
      take,
    )
  }
}
