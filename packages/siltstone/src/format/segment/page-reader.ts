import { checkPages, geometryOf, pageCount, type PageGeometry } from './pages.ts'
import { decodeInt8Pages } from './int8-vectors.ts'
import type { SectionDescriptor } from './descriptor.ts'
import {
  type BlockShelf,
  eachAtMost,
  readAhead,
  type SectionSource,
  stretches,
  TwoBuffers,
  floatsOf,
  wordsOf,
} from './source.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 128

/** Verified pages, one after another. Record r of page p begins at word `p × pageWords + r × recordWords`. */
export interface Pages {
  firstRecord: number
  recordCount: number
  /** The bytes as stored, checksums included. Aligned to 4. */
  bytes: Uint8Array
}

/** How pages are seen. */
export interface PageDecoder<Words> {
  /** The words of consecutive verified pages, whose bytes are aligned to 4. The last word of each page means nothing. */
  decode(bytes: Uint8Array, geometry: PageGeometry): Words
  /** Words of a page, the last included. */
  pageWords(geometry: PageGeometry): number
}

const inPlace = ({ pageBytes }: PageGeometry) => pageBytes / 4

/** Unsigned integers, as they are stored. */
export const words: PageDecoder<Uint32Array> = { decode: wordsOf, pageWords: inPlace }

/** f32 numbers, as they are stored. */
export const floats: PageDecoder<Float32Array> = { decode: floatsOf, pageWords: inPlace }

/** Vectors of one byte per dimension, as f32 numbers. */
export const int8Vectors = (dimension: number): PageDecoder<Float32Array> => ({
  decode: (bytes, geometry) => decodeInt8Pages(bytes, geometry, dimension),
  pageWords: ({ recordsPerPage }) => recordsPerPage * dimension + 1,
})

/** Records of fixed size by number, in words of four bytes. See `pages.ts` for the layout. */
export class PageReader<Words extends Uint32Array | Float32Array = Uint32Array> {
  readonly section: SectionDescriptor
  readonly geometry: PageGeometry
  readonly records: number
  readonly pages: number
  readonly #source: SectionSource
  readonly #shelf: BlockShelf | undefined
  readonly #decoder: PageDecoder<Words>
  /** Words of a page as `each` and `decode` give them, with the last, which means nothing. */
  readonly pageWords: number

  constructor(
    source: SectionSource,
    section: SectionDescriptor,
    recordBytes: number,
    records: number,
    decoder: PageDecoder<Words>,
  ) {
    this.#source = source
    this.#decoder = decoder
    this.#shelf = source.shelf(section)
    this.section = section
    this.records = records
    this.geometry = geometryOf(section, recordBytes, records)
    this.pages = pageCount(this.geometry, records)
    this.pageWords = decoder.pageWords(this.geometry)
  }

  /** Pages `first` to before `end`. @throws SiltstoneError `corrupt` (`page-damaged`, `object-truncated`) */
  async read(first: number, end: number, into?: Uint8Array): Promise<Pages> {
    const { recordsPerPage } = this.geometry
    const bytes = await this.#bytes(first, end, { into })
    const firstRecord = first * recordsPerPage
    return { firstRecord, recordCount: Math.min(end * recordsPerPage, this.records) - firstRecord, bytes }
  }

  /** @param wanted the pages whose checksums are verified; default all */
  async #bytes(
    first: number,
    end: number,
    { wanted, into }: { wanted?: ReadonlySet<number> | undefined; into?: Uint8Array | undefined },
  ): Promise<Uint8Array> {
    const { pageBytes } = this.geometry
    const { section } = this
    const raw = await this.#source.range(section, section.offset + first * pageBytes, (end - first) * pageBytes, into)
    return checkPages(raw, pageBytes, first, section.name, this.#source.key(section), wanted)
  }

  decode(bytes: Uint8Array): Words {
    return this.#decoder.decode(bytes, this.geometry)
  }

  /** All pages in reads of about `chunkBytes`, one ahead. The bytes are valid until the next ones are asked for. */
  scanInPlace(chunkBytes: number): AsyncGenerator<Pages> {
    const step = Math.max(1, Math.floor(chunkBytes / this.geometry.pageBytes))
    return this.scan(chunkBytes, 0, this.records, new TwoBuffers(Math.min(step, this.pages) * this.geometry.pageBytes))
  }

  /** All pages that hold records `start` to before `end`, in reads of about `chunkBytes`, one ahead. */
  scan(chunkBytes: number, start = 0, end: number = this.records, into?: TwoBuffers): AsyncGenerator<Pages> {
    const { pageBytes, recordsPerPage } = this.geometry
    const step = Math.max(1, Math.floor(chunkBytes / pageBytes))
    const from = Math.floor(start / recordsPerPage)
    const to = Math.ceil(Math.min(end, this.records) / recordsPerPage)
    return readAhead((n) => {
      const first = from + n * step
      return first < to ? this.read(first, Math.min(first + step, to), into?.of(n)) : undefined
    })
  }

  /** A page without its checksum if it is in memory. */
  cached(page: number): Words | undefined {
    return this.#shelf?.get(page) as Words | undefined
  }

  /** Reads all pages, in order, into the cache, until `isOver`. */
  async cacheAll(isOver: () => boolean): Promise<void> {
    const step = Math.max(1, Math.floor(MAX_READ_BYTES / this.geometry.pageBytes))
    for (let page = 0; page < this.pages && !isOver(); page += step) {
      const end = Math.min(page + step, this.pages)
      await this.each(
        Array.from({ length: end - page }, (_, i) => page + i),
        () => undefined,
      )
    }
  }

  /**
   * Calls `take(page, its bytes without the checksum)` for each of the pages, given in ascending order.
   * Pages that lie close together are read in one request; all go through the cache.
   */
  async each(pages: readonly number[], take: (page: number, words: Words) => void): Promise<void> {
    const shelf = this.#shelf
    const { pageBytes } = this.geometry
    const { pageWords } = this
    const missing: number[] = []
    for (const page of pages) {
      const cached = shelf?.get(page)
      if (cached === undefined) missing.push(page)
      else take(page, cached as Words)
    }
    const groups = stretches(missing, (page) => page * pageBytes, this.#source.gapBytes, MAX_READ_BYTES)
    const needed = new Set(missing)
    const checked = this.#source.cachesGaps(this.section) ? undefined : needed
    await eachAtMost(groups, PARALLEL_READS, async ({ first, end }) => {
      const all = this.decode(await this.#bytes(first, end, { wanted: checked }))
      for (let page = first; page < end; page++) {
        if (checked && !needed.has(page)) continue
        const view = all.subarray((page - first) * pageWords, (page - first + 1) * pageWords - 1) as Words
        // A copy for the cache: a view would keep the whole read in memory.
        shelf?.set(page, all.buffer.byteLength === pageWords * 4 ? view : view.slice(), pageWords * 4)
        if (needed.has(page)) take(page, view)
      }
    })
  }
}
