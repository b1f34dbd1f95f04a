/**
 * Reads a segment by ranges. Nothing is read before it is asked for. All that is read is verified by its checksum;
 * damage is `corrupt`, naming the object, the section and the page or block.
 */
import { corrupt } from '../../errors.ts'
import { BlobReader } from './blob-reader.ts'
import type { SectionDescriptor, SegmentDescriptor } from './descriptor.ts'
import { FragmentReader } from './fragment-reader.ts'
import { FRAGMENTS } from './fragments.ts'
import { IdIndexReader } from './id-index-reader.ts'
import { int8RecordBytes } from './int8-vectors.ts'
import { floats, int8Vectors, PageReader, words } from './page-reader.ts'
import type { ColumnReader, Texts } from './text-columns.ts'
import { type ReadRange, SectionSource, type SourceOptions, wordsOf } from './source.ts'

export type TextColumn = 'ids' | 'metadata' | 'documents' | 'uris'

/**
 * Vectors as they lie in their pages. Row `firstRow + i` begins at float
 * `floor(i / rowsPerPage) × pageFloats + (i mod rowsPerPage) × dimension` of `data` (the float after the rows of a page
 * is its checksum, not a number).
 */
export interface VectorPages {
  firstRow: number
  rowCount: number
  data: Float32Array
  rowsPerPage: number
  pageFloats: number
}

/** Vector i begins at float `starts[i]` of `blocks[i]`. */
export interface VectorPlaces {
  blocks: Float32Array[]
  starts: number[]
}

export interface RowNumbers {
  ordinals: Float64Array
  versions: Float64Array
}

export class SegmentReader {
  readonly descriptor: SegmentDescriptor
  readonly source: SectionSource
  readonly vectorReader: PageReader<Float32Array>
  readonly rowReader: PageReader
  readonly index: IdIndexReader
  /** Otherwise all rows have the version of the descriptor. */
  readonly #hasVersions: boolean
  readonly #texts: Record<TextColumn, ColumnReader>

  /** @throws SiltstoneError `corrupt` (`descriptor-damaged`) when a section is missing or of the wrong size */
  constructor(descriptor: SegmentDescriptor, read: ReadRange, options: SourceOptions = {}) {
    const { id, files, rows } = descriptor
    this.descriptor = descriptor
    this.source = new SectionSource(id, files, read, options)
    this.vectorReader = this.#vectors()
    this.#hasVersions = !descriptor.sections.some(({ name, type }) => name === 'rows' && type === 'u32-pages')
    this.rowReader = this.#hasVersions
      ? new PageReader(this.source, this.#section('rows', 'u64x2-pages'), 16, rows, words)
      : new PageReader(this.source, this.#section('rows', 'u32-pages'), 4, rows, words)
    const filter = this.section('id-filter', 'split-block-bloom')
    this.index = new IdIndexReader(this.source, this.#section('id-index', 'hash-pages'), filter, rows)
    const column = this.#columns()
    this.#texts = {
      ids: column('ids'),
      metadata: column('metadata'),
      documents: column('documents'),
      uris: column('uris'),
    }
  }

  get rows(): number {
    return this.descriptor.rows
  }

  /** Whether it has the layout for pages. */
  get isCompact(): boolean {
    return !this.#hasVersions
  }

  get dimension(): number {
    return this.descriptor.dimension
  }

  /**
   * A section by name, undefined when the segment has none.
   * @param latest the highest version that the caller can read
   * @throws SiltstoneError `corrupt` for another type or version
   */
  section(name: string, type: string, latest = 1): SectionDescriptor | undefined {
    const section = this.descriptor.sections.find((it) => it.name === name)
    if (section !== undefined && (section.type !== type || section.version < 1 || section.version > latest)) {
      throw corrupt(
        'descriptor-damaged',
        `segment ${this.descriptor.id}: section ${name} is of type ${section.type} ${section.version}`,
      )
    }
    return section
  }

  #columns(): (name: TextColumn) => ColumnReader {
    const { rows } = this.descriptor
    const section = this.section(FRAGMENTS.name, FRAGMENTS.type, FRAGMENTS.version)
    if (section) {
      const fragments = new FragmentReader(this.source, section, rows)
      return (name) => fragments.column(name)
    }
    this.#section('ids', 'blob-blocks')
    return (name) => new BlobReader(this.source, name, this.section(name, 'blob-blocks'), rows)
  }

  #vectors(): PageReader<Float32Array> {
    const { rows, dimension, sections } = this.descriptor
    const isInt8 = sections.some(({ name, type }) => name === 'vectors' && type === 'i8-pages')
    const section = this.#section('vectors', isInt8 ? 'i8-pages' : 'f32-pages')
    return isInt8
      ? new PageReader(this.source, section, int8RecordBytes(dimension), rows, int8Vectors(dimension))
      : new PageReader(this.source, section, dimension * 4, rows, floats)
  }

  #section(name: string, type: string, latest = 1): SectionDescriptor {
    const section = this.section(name, type, latest)
    if (section === undefined)
      throw corrupt('descriptor-damaged', `segment ${this.descriptor.id} has no section ${name}`)
    return section
  }

  /** Fetches the directories of these columns (and of the index of ids for `lookup`), so that later calls save a round. */
  async prepare(names: readonly (TextColumn | 'lookup')[]): Promise<void> {
    await Promise.all(names.map((name) => (name === 'lookup' ? this.index.prepare() : this.#texts[name].prepare())))
  }

  /** Fetches what tells where the texts of some rows lie, so that reading them saves a round. */
  async prepareRows(rows: ArrayLike<number>): Promise<void> {
    await this.#texts.ids.prepareRows?.(rows)
  }

  /** Pages `first` to before `end`. */
  async vectorPages(first: number, end: number): Promise<VectorPages> {
    return this.#asVectors(await this.vectorReader.read(first, end))
  }

  #asVectors(pages: { firstRecord: number; recordCount: number; bytes: Uint8Array }): VectorPages {
    const { bytes } = pages
    const { geometry, pageWords } = this.vectorReader
    return {
      firstRow: pages.firstRecord,
      rowCount: pages.recordCount,
      data: this.vectorReader.decode(bytes),
      rowsPerPage: geometry.recordsPerPage,
      pageFloats: pageWords,
    }
  }

  /** All vectors in order, one read ahead. */
  async *scanVectors(options: { chunkBytes?: number } = {}): AsyncGenerator<VectorPages> {
    for await (const pages of this.vectorReader.scan(options.chunkBytes ?? 4 << 20)) yield this.#asVectors(pages)
  }

  /** Copies of the vectors of some rows, in the order of `rows`. Pages that lie close together are read in one request. */
  async vectors(rows: ArrayLike<number>): Promise<Float32Array[]> {
    const { dimension } = this
    const { blocks, starts } = await this.vectorPlaces(rows)
    const flat = new Float32Array(rows.length * dimension)
    return blocks.map((block, i) => {
      const start = starts[i] as number
      const own = flat.subarray(i * dimension, (i + 1) * dimension)
      own.set(block.subarray(start, start + dimension))
      return own
    })
  }

  /** As `vectors`, without copies: the places of the vectors in pages, which must not be changed or kept. */
  async vectorPlaces(rows: ArrayLike<number>): Promise<VectorPlaces> {
    const { dimension } = this
    const { recordsPerPage } = this.vectorReader.geometry
    const blocks = new Array<Float32Array>(rows.length)
    const starts = new Array<number>(rows.length)
    const missing = new Map<number, number[]>()
    for (let i = 0; i < rows.length; i++) {
      const row = this.#inside(rows[i] as number)
      const page = Math.floor(row / recordsPerPage)
      starts[i] = (row % recordsPerPage) * dimension
      const cached = this.vectorReader.cached(page)
      if (cached) {
        blocks[i] = cached
        continue
      }
      const others = missing.get(page)
      if (others) others.push(i)
      else missing.set(page, [i])
    }
    if (missing.size > 0)
      await this.vectorReader.each(ascendingKeys(missing), (page, found) => {
        for (const i of missing.get(page) ?? []) blocks[i] = found
      })
    return { blocks, starts }
  }

  /** As `vectorPlaces`, at once; undefined if a page has to be read. */
  knownVectorPlaces(rows: ArrayLike<number>): VectorPlaces | undefined {
    const { dimension, vectorReader } = this
    const { recordsPerPage } = vectorReader.geometry
    const count = rows.length
    const blocks = new Array<Float32Array>(count)
    const starts = new Array<number>(count)
    for (let i = 0; i < count; i++) {
      const row = this.#inside(rows[i] as number)
      const block = vectorReader.cached(Math.floor(row / recordsPerPage))
      if (!block) return undefined
      blocks[i] = block
      starts[i] = (row % recordsPerPage) * dimension
    }
    return { blocks, starts }
  }

  /** Ordinals and versions of rows `start` to before `end`. */
  async rowRange(start: number, end: number): Promise<RowNumbers> {
    if (!(start >= 0 && start <= end && end <= this.rows)) throw new RangeError(`rows ${start} to ${end}`)
    const out = { ordinals: new Float64Array(end - start), versions: new Float64Array(end - start) }
    if (end === start) return out
    const { recordsPerPage, pageBytes, recordBytes } = this.rowReader.geometry
    const recordWords = recordBytes / 4
    for await (const { firstRecord, recordCount, bytes } of this.rowReader.scan(1 << 20, start, end)) {
      const words = wordsOf(bytes)
      for (let i = Math.max(0, start - firstRecord); i < recordCount && firstRecord + i < end; i++) {
        const at = Math.floor(i / recordsPerPage) * (pageBytes / 4) + (i % recordsPerPage) * recordWords
        this.#takeNumbers(words, at, out, firstRecord + i - start)
      }
    }
    return out
  }

  /** Ordinals and versions of some rows, in their order, through the cache. */
  async rowNumbers(rows: ArrayLike<number>): Promise<RowNumbers> {
    const { rowReader } = this
    const { recordsPerPage, recordBytes } = rowReader.geometry
    const out = { ordinals: new Float64Array(rows.length), versions: new Float64Array(rows.length) }
    const take = (i: number, words: Uint32Array) =>
      this.#takeNumbers(words, ((rows[i] as number) % recordsPerPage) * (recordBytes / 4), out, i)
    const missing = new Map<number, number[]>()
    for (let i = 0; i < rows.length; i++) {
      const page = Math.floor(this.#inside(rows[i] as number) / recordsPerPage)
      const cached = rowReader.cached(page)
      if (cached) {
        take(i, cached)
        continue
      }
      const others = missing.get(page)
      if (others) others.push(i)
      else missing.set(page, [i])
    }
    if (missing.size > 0)
      await rowReader.each(ascendingKeys(missing), (page, words) => {
        for (const i of missing.get(page) ?? []) take(i, words)
      })
    return out
  }

  #takeNumbers(words: Uint32Array, at: number, out: RowNumbers, to: number): void {
    const number = (place: number) => (words[place] as number) + (words[place + 1] as number) * 2 ** 32
    out.ordinals[to] = this.#hasVersions ? number(at) : (words[at] as number)
    out.versions[to] = this.#hasVersions ? number(at + 2) : this.descriptor.minVersion
  }

  #inside(row: number): number {
    if (!(row >= 0 && row < this.rows)) throw new RangeError(`row ${row} is outside the segment`)
    return row
  }

  /** Ids of rows, in their order. */
  async ids(rows: ArrayLike<number>): Promise<string[]> {
    const ids = await this.#texts.ids.values(rows)
    return ids.map((id, i) => id ?? this.#missingId(rows[i] as number))
  }

  #missingId(row: number): never {
    throw corrupt('block-damaged', `segment ${this.descriptor.id}: row ${row} has no id`)
  }

  /** Values of rows, in their order (any order; each block is read once). */
  column(name: TextColumn, rows: ArrayLike<number>): Promise<(string | null)[]> {
    return this.#texts[name].values(rows)
  }

  /** Reads a whole column into the cache of blocks, in order, until `isOver`. */
  async cacheColumn(name: TextColumn, isOver: () => boolean): Promise<void> {
    await this.#texts[name].cacheAll?.(isOver)
  }

  /** A whole column block by block, one read ahead. A column without values is one block of nulls. */
  scanColumn(name: TextColumn): AsyncGenerator<Texts> {
    return this.#texts[name].scan()
  }

  /** The row of each id, or −1. Exact: the ids of candidate rows are compared. */
  async lookup(ids: readonly string[]): Promise<Int32Array> {
    const rows = new Int32Array(ids.length).fill(-1)
    const candidates = await this.index.candidates(ids)
    const outside = candidates.find(({ row }) => row >= this.rows)
    if (outside !== undefined) {
      const key = this.source.key(this.index.pages.section)
      throw corrupt('section-damaged', `${key}: section id-index names row ${outside.row} of ${this.rows}`, { key })
    }
    const texts = await this.#texts.ids.values(candidates.map(({ row }) => row))
    candidates.forEach(({ id, row }, i) => {
      if (texts[i] === ids[id]) rows[id] = row
    })
    return rows
  }
}

function ascendingKeys(groups: Map<number, unknown>): number[] {
  return [...groups.keys()].sort((a, b) => a - b)
}
