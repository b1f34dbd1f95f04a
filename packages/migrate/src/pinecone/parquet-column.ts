/**
 * One leaf column of a Parquet row group, read page by page (https://parquet.apache.org/docs/file-format/). Tools write
 * row groups of a million rows, which are gigabytes of vectors, and hyparquet reads a column of lists at once; so this
 * module iterates over the pages and lets hyparquet decode each one.
 */
import type { ColumnMetaData, Compressors, DecodedArray, FileMetaData, PageHeader } from 'hyparquet'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { parquetHeader, readPage } from 'hyparquet/src/column.js'
import { convert, DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { getSchemaPath } from 'hyparquet/src/schema.js'
import { corrupt, type RandomAccessFile, unsupported } from 'siltstone/internal'

/** hyparquet itself has UNCOMPRESSED and SNAPPY. */
export const COMPRESSORS: Compressors = {
  GZIP: (input) => new Uint8Array(gunzipSync(input)),
  ZSTD: (input) => new Uint8Array(zstdDecompressSync(input)),
  BROTLI: (input) => new Uint8Array(brotliDecompressSync(input)),
}
const KNOWN = new Set<string>(['UNCOMPRESSED', 'SNAPPY', ...Object.keys(COMPRESSORS)])

/** Bytes read at once when a page header is read. */
const WINDOW_BYTES = 1 << 20

type Row = unknown

export class ParquetColumn {
  readonly #file: RandomAccessFile
  readonly #decoder: Parameters<typeof readPage>[2]
  readonly #end: number
  #at: number
  /** Bytes from `#at` on. */
  #window: Uint8Array = new Uint8Array(0)
  #dictionary: DecodedArray | undefined
  /** Decoded rows. A list may continue on the next page, so the last row is returned only after that page was decoded. */
  #rows: Row[] = []
  #taken = 0

  constructor(file: RandomAccessFile, metadata: FileMetaData, column: ColumnMetaData) {
    const { codec, path_in_schema: pathInSchema, type } = column
    if (!KNOWN.has(codec))
      throw unsupported(
        'parquet-codec',
        `${file.path} is compressed with ${codec}; known are ${[...KNOWN].join(', ').toLowerCase()}; write the file again with one of them`,
      )
    const schemaPath = getSchemaPath(metadata.schema, pathInSchema)
    const element = schemaPath.at(-1)?.element
    if (element === undefined)
      throw corrupt('parquet-file', `${file.path} has no schema for the column ${pathInSchema.join('.')}`)
    this.#file = file
    this.#decoder = {
      pathInSchema,
      type,
      element,
      schemaPath,
      codec,
      parsers: DEFAULT_PARSERS,
      compressors: COMPRESSORS,
    }
    this.#at = Number(column.dictionary_page_offset ?? column.data_page_offset)
    this.#end = this.#at + Number(column.total_compressed_size)
  }

  /** The next rows, at most `count`; an empty array at the end of the row group. */
  async take(count: number): Promise<Row[]> {
    // One more than requested: the last row may be incomplete.
    while (this.#rows.length - this.#taken <= count && this.#at < this.#end) await this.#page()
    const rows = this.#rows.slice(this.#taken, this.#taken + count)
    this.#taken += rows.length
    return rows
  }

  async #page(): Promise<void> {
    const header = await this.#header()
    const reader = { view: viewOf(await this.#bytes(header.compressed_page_size)), offset: 0 }
    if (header.type === 'DICTIONARY_PAGE') {
      const { data } = this.#decode(() => readPage(reader, header, this.#decoder, undefined, undefined, 0))
      this.#dictionary = data === undefined ? undefined : convert(data, this.#decoder)
    } else {
      // hyparquet continues the last of these rows.
      const before = this.#rows.slice(this.#taken)
      const { data } = this.#decode(() => readPage(reader, header, this.#decoder, this.#dictionary, before, 0))
      if (data === before) this.#rows = before
      else this.#rows = [...before, ...Array.from(data ?? [])]
      this.#taken = 0
    }
    this.#skip(header.compressed_page_size)
  }

  /** hyparquet throws errors of many kinds for bytes that it cannot decode. */
  #decode<T>(decode: () => T): T {
    try {
      return decode()
    } catch (cause) {
      const message = `${this.#file.path} has a damaged page before byte ${this.#at}: ${(cause as Error).message}`
      throw corrupt('parquet-file', message, { cause })
    }
  }

  async #header(): Promise<PageHeader> {
    for (let wanted = Math.min(WINDOW_BYTES, this.#end - this.#at); ; wanted *= 2) {
      const reader = { view: viewOf(await this.#bytes(Math.min(wanted, this.#end - this.#at))), offset: 0 }
      try {
        const header = parquetHeader(reader)
        this.#skip(reader.offset)
        return header
      } catch (cause) {
        if (!(cause instanceof RangeError) || wanted >= this.#end - this.#at)
          throw corrupt('parquet-file', `${this.#file.path} has a damaged page at byte ${this.#at}`, { cause })
      }
    }
  }

  async #bytes(count: number): Promise<Uint8Array> {
    if (this.#window.length < count) {
      const length = Math.max(count, Math.min(WINDOW_BYTES, this.#end - this.#at))
      if (this.#at + length > this.#file.sizeBytes)
        throw corrupt('parquet-file', `${this.#file.path} ends before byte ${this.#at + length}`)
      this.#window = await this.#file.read(this.#at, length)
    }
    return this.#window.subarray(0, count)
  }

  #skip(count: number): void {
    this.#at += count
    this.#window = this.#window.subarray(count)
  }
}

function viewOf(bytes: Uint8Array): DataView<ArrayBuffer> {
  return new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength)
}
