/**
 * Writes a segment, streaming. With `singleFile` (small folds) the sections are kept in memory and put one after another
 * into one file `data`; without, each section streams into a file of its own, and memory is bounded by about 1 MB a
 * section, 16 bytes a row for the index of ids (28 while it is written) and 16 bytes a block.
 */
import { invalid } from '../../errors.ts'
import { BlobWriter } from './blob-writer.ts'
import type { SectionDescriptor, SegmentDescriptor } from './descriptor.ts'
import { IdIndexWriter } from './id-index-writer.ts'
import { PageWriter } from './pages.ts'
import { int8RecordBytes } from './int8-vectors.ts'
import { FragmentWriter } from './fragment-writer.ts'
import { FRAGMENTS } from './fragments.ts'
import { type SegmentLayout, STORED_LAYOUT } from './layout.ts'
import { both, FileSink, MemorySink, type OpenFile, type Pending, type Sink } from './sink.ts'

export interface SegmentRow {
  id: string
  /** Order of first insertion in the collection. */
  ordinal: number
  /** Number of the log entry that last changed it. */
  version: number
  /** Its length is the segment's dimension. */
  vector: Float32Array
  document: string | null
  /** Exact JSON text. */
  metadata: string | null
  uri: string | null
}

export interface SegmentWriterOptions {
  /** A ULID. */
  id: string
  dimension: number
  /** Key of a file of this segment: `segmentFileKey(path, id, name)`. */
  fileKey: (name: string) => string
  /** Called at most once per key. The caller completes the files after `finish`. */
  open: OpenFile
  singleFile: boolean
  /** `ordinal` (default): rows come in ascending order of their ordinals. */
  order?: 'ordinal' | 'cluster'
  /** Default `STORED_LAYOUT`. */
  layout?: SegmentLayout
}

const ALIGNMENT = 8

/** Sections in the order in which they lie in a single file: those that a scan needs come first. */
const SECTIONS = {
  vectors: 'f32-pages',
  rows: 'u64x2-pages',
  'id-index': 'hash-pages',
  'id-filter': 'split-block-bloom',
  ids: 'blob-blocks',
  metadata: 'blob-blocks',
  documents: 'blob-blocks',
  uris: 'blob-blocks',
} as const
type SectionName = keyof typeof SECTIONS

/** The part of a section's descriptor that does not depend on its place. */
export interface SectionContent
  extends Pick<SectionDescriptor, 'type'>,
    Partial<Pick<SectionDescriptor, 'params' | 'crc32' | 'version'>> {
  /** `offset` counts from the section's start. */
  directory?: NonNullable<SectionDescriptor['directory']>
}

export class SegmentWriter {
  readonly #options: SegmentWriterOptions
  readonly #sinks = new Map<string, FileSink | MemorySink>()
  readonly #layout: SegmentLayout
  readonly #further: { name: string; content: SectionContent }[] = []
  readonly #vectors: PageWriter
  readonly #rows: PageWriter
  readonly #texts: Record<'ids' | 'metadata' | 'documents' | 'uris', BlobWriter> | undefined
  readonly #fragments: FragmentWriter | undefined
  readonly #index = new IdIndexWriter()
  #count = 0
  #ordinals = { min: Infinity, max: -Infinity }
  #versions = { min: Infinity, max: -Infinity }

  constructor(options: SegmentWriterOptions) {
    this.#options = options
    const { dimension, layout = STORED_LAYOUT } = options
    this.#layout = layout
    const vectorBytes = layout.isCompact ? int8RecordBytes(dimension) : dimension * 4
    this.#vectors = new PageWriter(this.#sink('vectors'), vectorBytes, layout.vectorPageBytes)
    this.#rows = new PageWriter(this.#sink('rows'), layout.isCompact ? 4 : 16, layout.rowPageBytes)
    if (layout.isCompact) {
      this.#fragments = new FragmentWriter(this.#sink(FRAGMENTS.name), layout.documentBlockBytes)
      return
    }
    const text = (name: string, bytes: number) => new BlobWriter(this.#sink(name), bytes)
    this.#texts = {
      ids: text('ids', layout.idBlockBytes),
      metadata: text('metadata', layout.metadataBlockBytes),
      documents: text('documents', layout.documentBlockBytes),
      uris: text('uris', layout.metadataBlockBytes),
    }
  }

  #sink(name: string): Sink {
    const { singleFile, fileKey, open } = this.#options
    const sink = singleFile ? new MemorySink() : new FileSink(fileKey(name), open)
    this.#sinks.set(name, sink)
    return sink
  }

  get rows(): number {
    return this.#count
  }

  /** A section of an index, written whole; call between the last row and `finish`, one after another. */
  async addSection(name: string, write: (sink: Sink) => Promise<SectionContent>): Promise<void> {
    if (this.#sinks.has(name)) throw new Error(`section ${name} is written already`)
    this.#further.push({ name, content: await write(this.#sink(name)) })
  }

  /** Wait for the promise, if there is one, before the next call. @throws SiltstoneError `invalid` (`bad-row`) */
  append(row: SegmentRow): Pending {
    this.#check(row)
    this.#count++
    note(this.#ordinals, row.ordinal)
    note(this.#versions, row.version)
    this.#index.append(row.id)
    const { id, metadata, document, uri, ordinal, version } = row
    if (this.#layout.isCompact) {
      const numbers = both(this.#vectors.appendInt8(row.vector), this.#rows.appendRecord(Uint32Array.of(ordinal)))
      return both(numbers, this.#fragments?.append({ ids: id, metadata, documents: document, uris: uri }))
    }
    let pending = this.#vectors.appendFloats(row.vector)
    pending = both(pending, this.#rows.appendWords(low(ordinal), high(ordinal), low(version), high(version)))
    const texts = this.#texts
    if (!texts) return pending
    pending = both(pending, texts.ids.append(id))
    pending = both(pending, texts.metadata.append(metadata))
    pending = both(pending, texts.documents.append(document))
    return both(pending, texts.uris.append(uri))
  }

  #check({ id, ordinal, version, vector }: SegmentRow): void {
    const fail = (reason: string): never => {
      throw invalid('bad-row', `segment ${this.#options.id}, row ${this.#count} (${id.slice(0, 100)}): ${reason}`)
    }
    if (id === '') fail('its id is empty')
    if (vector.length !== this.#options.dimension) fail(`its vector has ${vector.length} values`)
    if (!Number.isSafeInteger(ordinal) || ordinal < 0) fail(`its ordinal is ${ordinal}`)
    if (!Number.isSafeInteger(version) || version < 0) fail(`its version is ${version}`)
    if (this.#layout.isCompact && (ordinal >= 2 ** 32 || (this.#versions.min !== version && this.#count > 0)))
      fail('a compact segment has one version, and ordinals of 32 bits')
    if (this.#options.order !== 'cluster' && ordinal <= this.#ordinals.max) fail('its ordinal is not ascending')
    if (this.#count >= 2 ** 31 - 1) fail('a segment holds at most 2^31 - 1 rows')
  }

  /** @throws SiltstoneError `invalid` (`bad-row`) when there is no row */
  async finish(): Promise<SegmentDescriptor> {
    const { id, dimension, order } = this.#options
    if (this.#count === 0) throw invalid('bad-row', `segment ${id} has no rows`)
    const sections: SectionDescriptor[] = []
    const add = (name: SectionName, rest: Partial<SectionDescriptor>): void => {
      sections.push({ name, type: SECTIONS[name], version: 1, file: 0, offset: 0, length: 0, params: {}, ...rest })
    }
    const { isCompact } = this.#layout
    add('vectors', { type: isCompact ? 'i8-pages' : SECTIONS.vectors, params: await this.#vectors.finish() })
    add('rows', { type: isCompact ? 'u32-pages' : SECTIONS.rows, params: await this.#rows.finish() })
    add('id-index', await this.#index.writeIndex(this.#sink('id-index')))
    add('id-filter', await this.#index.writeFilter(this.#sink('id-filter')))
    for (const name of ['ids', 'metadata', 'documents', 'uris'] as const) {
      const directory = await this.#texts?.[name].finish()
      if (directory !== undefined) add(name, { directory })
    }
    if (this.#fragments) this.#further.unshift({ name: FRAGMENTS.name, content: await this.#fragments.finish() })
    for (const { name, content } of this.#further)
      sections.push({ name, version: 1, file: 0, offset: 0, length: 0, params: {}, ...content })
    const files = await this.#place(sections)
    return {
      format: 'siltstone.segment',
      version: 1,
      id,
      rows: this.#count,
      dimension,
      order: order ?? 'ordinal',
      minOrdinal: this.#ordinals.min,
      maxOrdinal: this.#ordinals.max,
      minVersion: this.#versions.min,
      maxVersion: this.#versions.max,
      files,
      sections,
      requiredFeatures: [],
      sizeBytes: files.reduce((sum, file) => sum + file.sizeBytes, 0),
    }
  }

  /** Assigns to every section its file and its offset in it. */
  async #place(sections: SectionDescriptor[]): Promise<SegmentDescriptor['files']> {
    const files: SegmentDescriptor['files'] = []
    const { singleFile, fileKey, open } = this.#options
    const whole = singleFile ? new FileSink(fileKey('data'), open) : undefined
    for (const section of sections) {
      const sink = this.#sinks.get(section.name)
      if (sink === undefined) throw new Error(`section ${section.name} has no sink`)
      section.length = sink.position
      // An empty section, such as the dictionary of documents without words, gets no file: stores have no use for empty ones.
      if (sink instanceof FileSink && sink.position === 0) continue
      if (sink instanceof FileSink) {
        section.file = files.length
        files.push(await sink.finish())
      } else if (whole !== undefined) {
        const gap = (ALIGNMENT - (whole.position % ALIGNMENT)) % ALIGNMENT
        if (gap > 0) await whole.write(new Uint8Array(gap))
        section.offset = whole.position
        if (section.directory !== undefined) section.directory.offset += whole.position
        await sink.copyTo(whole)
      }
    }
    if (whole !== undefined) files.push(await whole.finish())
    return files
  }
}

function note(range: { min: number; max: number }, value: number): void {
  if (value < range.min) range.min = value
  if (value > range.max) range.max = value
}

function low(value: number): number {
  return value % 2 ** 32
}

function high(value: number): number {
  return Math.floor(value / 2 ** 32)
}
