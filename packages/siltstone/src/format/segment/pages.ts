/**
 * Pages of fixed-size records: `recordsPerPage` records, then the CRC-32 of their bytes. All pages are of one size (the
 * last is filled up with zeros), so the place of a record is arithmetic and there is no directory.
 *
 * Words are little-endian, as they are on every machine that runs JavaScript today.
 */
import { crc32 } from '#codec'
import { corrupt } from '../../errors.ts'
import { paramCount, type SectionDescriptor } from './descriptor.ts'
import { encodeInt8 } from './int8-vectors.ts'
import type { Pending, Sink } from './sink.ts'

const TARGET_PAGE_BYTES = 4096
const TARGET_CHUNK_BYTES = 1 << 20
/** Most segments are small, so a buffer starts with this many pages and grows to a whole chunk. */
const FIRST_PAGES = 4

export interface PageGeometry {
  recordBytes: number
  recordsPerPage: number
  pageBytes: number
}

/** Pages of at most `targetBytes`, or of one record where that is larger. `recordBytes` is a multiple of 4. */
export function pageGeometry(recordBytes: number, targetBytes = TARGET_PAGE_BYTES): PageGeometry {
  const recordsPerPage = Math.max(1, Math.floor((targetBytes - 4) / recordBytes))
  return { recordBytes, recordsPerPage, pageBytes: recordsPerPage * recordBytes + 4 }
}

export function pageCount(geometry: PageGeometry, records: number): number {
  return Math.ceil(records / geometry.recordsPerPage)
}

/** The geometry that a section declares, checked against its records and its size. */
export function geometryOf(section: SectionDescriptor, recordBytes: number, records: number): PageGeometry {
  const geometry = {
    recordBytes,
    recordsPerPage: paramCount(section, 'recordsPerPage'),
    pageBytes: paramCount(section, 'pageBytes'),
  }
  const bytes = pageCount(geometry, records) * geometry.pageBytes + (section.directory?.length ?? 0)
  if (geometry.pageBytes !== geometry.recordsPerPage * recordBytes + 4 || bytes !== section.length) {
    throw corrupt('descriptor-damaged', `section ${section.name}: its pages do not fit ${records} records`)
  }
  return geometry
}

export class PageWriter {
  readonly geometry: PageGeometry
  readonly #sink: Sink
  readonly #recordWords: number
  readonly #chunkBytes: number
  #words: Uint32Array
  #floats: Float32Array
  /** Word at which the next record begins. */
  #at = 0
  #inPage = 0

  /** @param targetPageBytes default 4 KB */
  constructor(sink: Sink, recordBytes: number, targetPageBytes?: number) {
    this.geometry = pageGeometry(recordBytes, targetPageBytes)
    this.#sink = sink
    this.#recordWords = recordBytes / 4
    this.#chunkBytes = Math.max(1, Math.floor(TARGET_CHUNK_BYTES / this.geometry.pageBytes)) * this.geometry.pageBytes
    this.#words = new Uint32Array(Math.min(this.#chunkBytes, FIRST_PAGES * this.geometry.pageBytes) / 4)
    this.#floats = new Float32Array(this.#words.buffer)
  }

  appendFloats(record: Float32Array): Pending {
    this.#floats.set(record, this.#at)
    return this.#advance()
  }

  /** See `int8-vectors.ts`. */
  appendInt8(vector: Float32Array): Pending {
    encodeInt8(vector, this.#words.subarray(this.#at, this.#at + this.#recordWords))
    return this.#advance()
  }

  appendRecord(words: Uint32Array): Pending {
    this.#words.set(words, this.#at)
    return this.#advance()
  }

  /** Each word is a u32; missing ones are zero. */
  appendWords(a: number, b: number, c: number, d?: number): Pending {
    this.#words[this.#at] = a
    this.#words[this.#at + 1] = b
    this.#words[this.#at + 2] = c
    if (d !== undefined) this.#words[this.#at + 3] = d
    return this.#advance()
  }

  #advance(): Pending {
    this.#at += this.#recordWords
    if (++this.#inPage < this.geometry.recordsPerPage) return undefined
    this.#closePage()
    if (this.#at < this.#words.length) return undefined
    if (this.#words.byteLength === this.#chunkBytes) return this.#flush()
    const full = this.#words
    this.#replaceBuffer(Math.min(this.#chunkBytes, 4 * full.byteLength))
    this.#words.set(full)
    return undefined
  }

  #closePage(): void {
    const start = this.#at * 4 - this.#inPage * this.geometry.recordBytes
    const length = this.geometry.pageBytes - 4
    const end = (start + length) / 4
    this.#words[end] = crc32(new Uint8Array(this.#words.buffer, start, length))
    this.#at = end + 1
    this.#inPage = 0
  }

  #flush(): Pending {
    const bytes = new Uint8Array(this.#words.buffer, 0, this.#at * 4)
    this.#replaceBuffer(this.#chunkBytes)
    this.#at = 0
    return this.#sink.write(bytes)
  }

  #replaceBuffer(sizeBytes: number): void {
    this.#words = new Uint32Array(sizeBytes / 4)
    this.#floats = new Float32Array(this.#words.buffer)
  }

  async finish(): Promise<Record<string, number>> {
    if (this.#inPage > 0) this.#closePage()
    if (this.#at > 0) await this.#sink.write(new Uint8Array(this.#words.buffer, 0, this.#at * 4))
    return { recordsPerPage: this.geometry.recordsPerPage, pageBytes: this.geometry.pageBytes }
  }
}

/**
 * Verifies the checksums of consecutive pages.
 * @param wanted the pages to verify; default all
 * @returns the same bytes, moved only if they were not aligned to 4
 * @throws SiltstoneError `corrupt` (`page-damaged`) naming object, section and page
 */
export function checkPages(
  bytes: Uint8Array,
  pageBytes: number,
  firstPage: number,
  name: string,
  key: string,
  wanted?: ReadonlySet<number>,
): Uint8Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  const view = new DataView(aligned.buffer, aligned.byteOffset, aligned.byteLength)
  for (let at = 0; at < aligned.length; at += pageBytes) {
    const page = firstPage + at / pageBytes
    if (wanted?.has(page) === false) continue
    const end = at + pageBytes - 4
    if (crc32(aligned.subarray(at, end)) !== view.getUint32(end, true)) {
      throw corrupt('page-damaged', `${key}: page ${page} of section ${name} does not match its checksum`, { key })
    }
  }
  return aligned
}
