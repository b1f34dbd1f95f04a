/**
 * An overlay: changed columns of some rows of an older segment. One file; a page section of (row u32, version u64)
 * sorted by row, and for each column that any row changes a bitmap of the rows that change it and a section of texts,
 * so that "changed to null" differs from "unchanged".
 */
import { firstWhere } from '../../binary-search.ts'
import { corrupt, invalid, unsupported } from '../../errors.ts'
import { crcHex } from '../checksum.ts'
import { BlobReader } from './blob-reader.ts'
import { BlobWriter } from './blob-writer.ts'
import { checkFeatures, Fields, parseFile, parseSection, type SectionDescriptor } from './descriptor.ts'
import { PageReader, words } from './page-reader.ts'
import { PageWriter } from './pages.ts'
import { FileSink, MemorySink, type OpenFile } from './sink.ts'
import { type ReadRange, SectionSource, type SourceOptions, wordsOf } from './source.ts'

export type OverlayColumn = 'metadata' | 'documents' | 'uris'
export const OVERLAY_COLUMNS: readonly OverlayColumn[] = ['metadata', 'documents', 'uris']

export interface OverlayDescriptor {
  format: 'siltstone.overlay'
  version: 1
  /** A ULID. */
  id: string
  key: string
  sizeBytes: number
  /** 8 hex digits over the whole object. */
  crc32: string
  rows: number
  minVersion: number
  maxVersion: number
  /** The columns that some row changes. */
  columns: OverlayColumn[]
  sections: SectionDescriptor[]
  requiredFeatures: string[]
}

/** @throws SiltstoneError `corrupt` (`descriptor-damaged`), `unsupported` (`unknown-format-version`, `unknown-feature`) */
export function parseOverlayDescriptor(value: unknown): OverlayDescriptor {
  const id = new Fields(value, 'overlay descriptor').text('id')
  const where = `overlay ${id}`
  const it = new Fields(value, where)
  if (it.text('format') !== 'siltstone.overlay') it.fail('format', 'siltstone.overlay')
  if (it.count('version') !== 1) {
    throw unsupported('unknown-format-version', `${where} has version ${it.count('version')}: use a newer program`)
  }
  const requiredFeatures = it.texts('requiredFeatures')
  checkFeatures(requiredFeatures, where)
  const file = parseFile(value, where)
  const columns = it.texts('columns').map((name) => {
    const known = OVERLAY_COLUMNS.find((column) => column === name)
    return known ?? it.fail('columns', 'a list of columns')
  })
  const sections = it.list('sections').map((section, i) => parseSection(section, [file], `${where} section ${i}`))
  return {
    format: 'siltstone.overlay',
    version: 1,
    id,
    ...file,
    rows: it.count('rows'),
    minVersion: it.count('minVersion'),
    maxVersion: it.count('maxVersion'),
    columns,
    sections,
    requiredFeatures,
  }
}

/** A missing column is unchanged; null is a change. */
export interface OverlayRow {
  /** Row of the segment that the overlay changes. */
  row: number
  version: number
  metadata?: string | null
  documents?: string | null
  uris?: string | null
}

const BLOCK_BYTES = 32 * 1024

/** Keeps everything in memory until `finish`. */
export class OverlayWriter {
  readonly #options: { id: string; key: string; open: OpenFile }
  readonly #targets = new MemorySink()
  readonly #pages = new PageWriter(this.#targets, 12)
  readonly #sinks = { metadata: new MemorySink(), documents: new MemorySink(), uris: new MemorySink() }
  readonly #texts: Record<OverlayColumn, BlobWriter>
  readonly #changed: Record<OverlayColumn, number[]> = { metadata: [], documents: [], uris: [] }
  #rows = 0
  #lastRow = -1
  #versions = { min: Infinity, max: -Infinity }

  constructor(options: { id: string; key: string; open: OpenFile }) {
    this.#options = options
    this.#texts = {
      metadata: new BlobWriter(this.#sinks.metadata, BLOCK_BYTES),
      documents: new BlobWriter(this.#sinks.documents, BLOCK_BYTES),
      uris: new BlobWriter(this.#sinks.uris, BLOCK_BYTES),
    }
  }

  /** Rows in ascending order. @throws SiltstoneError `invalid` (`bad-row`) */
  async append(change: OverlayRow): Promise<void> {
    const { row, version } = change
    if (
      !(Number.isInteger(row) && row > this.#lastRow && row < 2 ** 31) ||
      !Number.isSafeInteger(version) ||
      version < 0
    ) {
      throw invalid('bad-row', `overlay ${this.#options.id}: row ${row}, version ${version} after row ${this.#lastRow}`)
    }
    this.#lastRow = row
    this.#versions.min = Math.min(this.#versions.min, version)
    this.#versions.max = Math.max(this.#versions.max, version)
    await this.#pages.appendWords(row, version % 2 ** 32, Math.floor(version / 2 ** 32))
    for (const name of OVERLAY_COLUMNS) {
      const value = change[name]
      if (value !== undefined) this.#changed[name].push(this.#rows)
      await this.#texts[name].append(value ?? null)
    }
    this.#rows++
  }

  /** @throws SiltstoneError `invalid` (`bad-row`) when there is no row */
  async finish(): Promise<OverlayDescriptor> {
    const { id, key, open } = this.#options
    if (this.#rows === 0) throw invalid('bad-row', `overlay ${id} has no rows`)
    const file = new FileSink(key, open)
    const sections: SectionDescriptor[] = []
    const place = async (
      sink: MemorySink,
      section: Omit<SectionDescriptor, 'file' | 'offset' | 'length' | 'version'>,
    ): Promise<void> => {
      await file.write(new Uint8Array((8 - (file.position % 8)) % 8))
      const offset = file.position
      const whole: SectionDescriptor = { version: 1, file: 0, offset, length: sink.position, ...section }
      if (section.directory !== undefined) {
        whole.directory = { ...section.directory, offset: section.directory.offset + offset }
      }
      sections.push(whole)
      await sink.copyTo(file)
    }
    const params = await this.#pages.finish()
    await place(this.#targets, { name: 'targets', type: 'row-version-pages', params })
    const columns: OverlayColumn[] = []
    for (const name of OVERLAY_COLUMNS) {
      const changed = this.#changed[name]
      if (changed.length === 0) continue
      columns.push(name)
      const bitmap = new Uint8Array(Math.ceil(this.#rows / 8))
      for (const at of changed) bitmap[at >>> 3] = (bitmap[at >>> 3] as number) | (1 << (at & 7))
      const sink = new MemorySink()
      await sink.write(bitmap)
      await place(sink, { name: `${name}-changed`, type: 'bitmap', params: {}, crc32: crcHex(bitmap) })
      const directory = await this.#texts[name].finish()
      if (directory !== undefined) await place(this.#sinks[name], { name, type: 'blob-blocks', params: {}, directory })
    }
    return {
      format: 'siltstone.overlay',
      version: 1,
      id,
      ...(await file.finish()),
      rows: this.#rows,
      minVersion: this.#versions.min,
      maxVersion: this.#versions.max,
      columns,
      sections,
      requiredFeatures: [],
    }
  }
}

interface Targets {
  rows: Uint32Array
  versions: Float64Array
  changed: Partial<Record<OverlayColumn, Uint8Array>>
}

export class OverlayReader {
  readonly descriptor: OverlayDescriptor
  readonly #source: SectionSource
  readonly #pages: PageReader
  readonly #texts: Record<OverlayColumn, BlobReader>
  #targets: Promise<Targets> | undefined

  constructor(descriptor: OverlayDescriptor, read: ReadRange, options: SourceOptions = {}) {
    this.descriptor = descriptor
    const { id, rows } = descriptor
    this.#source = new SectionSource(id, [descriptor], read, options)
    const targets = this.#section('targets', 'row-version-pages')
    if (targets === undefined) throw corrupt('descriptor-damaged', `overlay ${id} has no section targets`)
    this.#pages = new PageReader(this.#source, targets, 12, rows, words)
    const text = (name: OverlayColumn): BlobReader =>
      new BlobReader(this.#source, name, this.#section(name, 'blob-blocks'), rows)
    this.#texts = { metadata: text('metadata'), documents: text('documents'), uris: text('uris') }
  }

  #section(name: string, type: string): SectionDescriptor | undefined {
    const section = this.descriptor.sections.find((it) => it.name === name)
    if (section !== undefined && (section.type !== type || section.version !== 1)) {
      throw corrupt('descriptor-damaged', `overlay ${this.descriptor.id}: section ${name} is of type ${section.type}`)
    }
    return section
  }

  /** Target rows (ascending), their versions, and which columns each changes, in memory. Read once. */
  load(): Promise<Targets> {
    this.#targets ??= this.#load().catch((error: unknown) => {
      this.#targets = undefined
      throw error
    })
    return this.#targets
  }

  async #load(): Promise<Targets> {
    const { rows: count, columns, id } = this.descriptor
    const targets: Targets = { rows: new Uint32Array(count), versions: new Float64Array(count), changed: {} }
    const { recordsPerPage, pageBytes } = this.#pages.geometry
    const { firstRecord, recordCount, bytes } = await this.#pages.read(0, this.#pages.pages)
    const words = wordsOf(bytes)
    for (let i = 0; i < recordCount; i++) {
      const at = Math.floor(i / recordsPerPage) * (pageBytes / 4) + (i % recordsPerPage) * 3
      targets.rows[firstRecord + i] = words[at] as number
      targets.versions[firstRecord + i] = (words[at + 1] as number) + (words[at + 2] as number) * 2 ** 32
    }
    for (const name of columns) {
      const section = this.#section(`${name}-changed`, 'bitmap')
      if (section?.crc32 === undefined || section.length !== Math.ceil(count / 8)) {
        throw corrupt('descriptor-damaged', `overlay ${id} has no bitmap of ${name}`)
      }
      const { offset, length, crc32 } = section
      targets.changed[name] = await this.#source.checked(section, { offset, length, crc32 }, 'the content')
    }
    return targets
  }

  /** Versions of the rows that this overlay changes, −1 for others. */
  async versionsOf(rows: ArrayLike<number>): Promise<Float64Array> {
    const targets = await this.load()
    return Float64Array.from(rows, (row) => {
      const at = find(targets.rows, row)
      return at < 0 ? -1 : (targets.versions[at] as number)
    })
  }

  /** New values of rows, in their order; undefined where this overlay does not change the column. */
  async column(name: OverlayColumn, rows: ArrayLike<number>): Promise<(string | null | undefined)[]> {
    const out = Array.from<string | null | undefined>({ length: rows.length })
    if (!this.descriptor.columns.includes(name)) return out
    const targets = await this.load()
    const bitmap = targets.changed[name]
    const places: number[] = []
    const changes: number[] = []
    for (let i = 0; i < rows.length; i++) {
      const at = find(targets.rows, rows[i] as number)
      if (at < 0 || bitmap === undefined || (((bitmap[at >>> 3] as number) >>> (at & 7)) & 1) === 0) continue
      places.push(i)
      changes.push(at)
    }
    const values = await this.#texts[name].values(changes)
    places.forEach((place, i) => {
      out[place] = values[i] ?? null
    })
    return out
  }

  /** The rows of which this overlay changes the column, ascending. */
  async changedRows(name: OverlayColumn): Promise<number[]> {
    if (!this.descriptor.columns.includes(name)) return []
    const { rows, changed } = await this.load()
    const bitmap = changed[name]
    return [...rows].filter((_, at) => (((bitmap?.[at >>> 3] ?? 0) >>> (at & 7)) & 1) === 1)
  }

  async lookup(row: number, name: OverlayColumn): Promise<string | null | undefined> {
    return (await this.column(name, [row]))[0]
  }

  /** Reads everything. @throws SiltstoneError `corrupt` */
  async verify(): Promise<void> {
    const { id, key, sizeBytes, crc32, rows } = this.descriptor
    const section = { ...this.#pages.section, name: 'file' }
    await this.#source.checked(section, { offset: 0, length: sizeBytes, crc32 }, 'the whole')
    const targets = await this.load()
    for (let i = 1; i < rows; i++) {
      if ((targets.rows[i] as number) <= (targets.rows[i - 1] as number)) {
        throw corrupt('section-damaged', `${key}: overlay ${id} has its rows out of order at ${i}`, { key })
      }
    }
    for (const name of this.descriptor.columns) {
      let seen = 0
      for await (const block of this.#texts[name].scan()) seen += block.rows
      if (seen !== rows) throw corrupt('section-damaged', `${key}: ${name} holds ${seen} of ${rows} rows`, { key })
    }
  }
}

function find(rows: Uint32Array, row: number): number {
  const place = firstWhere(rows.length, (i) => (rows[i] as number) >= row)
  return rows[place] === row ? place : -1
}
