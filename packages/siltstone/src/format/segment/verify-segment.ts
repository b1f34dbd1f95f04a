import { corrupt } from '../../errors.ts'
import { crc32 } from '#codec'
import { crcHex } from '../checksum.ts'
import { hash64 } from '../hash64.ts'
import type { SegmentReader } from './reader.ts'
import { readAhead, TwoBuffers, wordsOf } from './source.ts'

const READ_BYTES = 4 << 20

/**
 * Reads everything: checksums of files, pages, blocks and directories; counts; order; that the index of ids names
 * every row once, by its id. About 12 bytes a row in memory.
 * @throws SiltstoneError `corrupt` at the first damage
 */
export async function verifySegment(reader: SegmentReader): Promise<void> {
  await verifyRows(reader)
  await verifyIds(reader)
  for (const name of ['metadata', 'documents', 'uris'] as const) await countColumn(reader, name)
  // Last, because the other checks name the place of damage more precisely.
  for (let file = 0; file < reader.descriptor.files.length; file++) await verifyFile(reader, file)
}

function fail(reader: SegmentReader, section: string, reason: string): never {
  const { id, sections, files } = reader.descriptor
  const key = files[sections.find(({ name }) => name === section)?.file ?? 0]?.key ?? id
  throw corrupt('segment-damaged', `${key}: segment ${id}: ${reason}`, { key })
}

async function verifyRows(reader: SegmentReader): Promise<void> {
  const { rows, order, minOrdinal, maxOrdinal, minVersion, maxVersion } = reader.descriptor
  let last = -1
  const ordinals = { min: Infinity, max: -Infinity }
  const versions = { min: Infinity, max: -Infinity }
  for (let start = 0; start < rows; start += 65_536) {
    const numbers = await reader.rowRange(start, Math.min(rows, start + 65_536))
    for (const ordinal of numbers.ordinals) {
      if (order === 'ordinal' && ordinal <= last) fail(reader, 'rows', `ordinals are not ascending at ${ordinal}`)
      last = ordinal
      note(ordinals, ordinal)
    }
    for (const version of numbers.versions) note(versions, version)
  }
  const said = [minOrdinal, maxOrdinal, minVersion, maxVersion].join(' ')
  const seen = [ordinals.min, ordinals.max, versions.min, versions.max].join(' ')
  if (said !== seen) fail(reader, 'rows', `ordinals and versions lie in ${seen}, its descriptor says ${said}`)
}

function note(range: { min: number; max: number }, value: number): void {
  if (value < range.min) range.min = value
  if (value > range.max) range.max = value
}

async function countColumn(reader: SegmentReader, name: 'metadata' | 'documents' | 'uris'): Promise<void> {
  let rows = 0
  for await (const block of reader.scanColumn(name)) rows += block.rows
  if (rows !== reader.rows) fail(reader, name, `column ${name} holds ${rows} of ${reader.rows} rows`)
}

async function verifyIds(reader: SegmentReader): Promise<void> {
  const { rows } = reader
  const hi = new Uint32Array(rows)
  const lo = new Uint32Array(rows)
  const filter = await reader.index.filter()
  let next = 0
  for await (const block of reader.scanColumn('ids')) {
    for (let row = block.firstRow; row < block.firstRow + block.rows; row++) {
      const id = block.get(row)
      if (id === null || id === '' || row !== next) fail(reader, 'ids', `row ${row} has no id`)
      const hash = hash64(id)
      hi[row] = hash.hi
      lo[row] = hash.lo
      if (filter !== undefined && !filter.mayHave(hash.hi, hash.lo))
        fail(reader, 'id-filter', `the filter denies row ${row}`)
      next++
    }
  }
  if (next !== rows) fail(reader, 'ids', `it holds ${next} of ${rows} ids`)
  await verifyIndex(reader, hi, lo)
}

async function verifyIndex(reader: SegmentReader, hi: Uint32Array, lo: Uint32Array): Promise<void> {
  const { pages } = reader.index
  const { recordsPerPage, pageBytes } = pages.geometry
  const firsts = await reader.index.firsts()
  const seen = new Uint8Array(reader.rows)
  /** Pairs of neighbours in the index with equal hashes. */
  const equal: { a: number; b: number }[] = []
  let last: { hi: number; lo: number; row: number } | undefined
  for await (const { firstRecord, recordCount, bytes } of pages.scanInPlace(READ_BYTES)) {
    const words = wordsOf(bytes)
    for (let i = 0; i < recordCount; i++) {
      const at = Math.floor(i / recordsPerPage) * (pageBytes / 4) + (i % recordsPerPage) * 3
      const record = { hi: words[at] as number, lo: words[at + 1] as number, row: words[at + 2] as number }
      const { row } = record
      if (row >= reader.rows || seen[row] === 1 || hi[row] !== record.hi || lo[row] !== record.lo) {
        fail(reader, 'id-index', `the index of ids is wrong at row ${row}`)
      }
      seen[row] = 1
      if (last !== undefined && (record.hi < last.hi || (record.hi === last.hi && record.lo < last.lo))) {
        fail(reader, 'id-index', `the index of ids is not sorted at row ${row}`)
      }
      if (last !== undefined && record.hi === last.hi && record.lo === last.lo) equal.push({ a: last.row, b: row })
      const n = firstRecord + i
      if (n % recordsPerPage === 0 && firsts[n / recordsPerPage] !== record.hi) {
        fail(reader, 'id-index', `the directory of ids is wrong at page ${n / recordsPerPage}`)
      }
      last = record
    }
  }
  const ids = await reader.ids(equal.flatMap(({ a, b }) => [a, b]))
  equal.forEach(({ a, b }, i) => {
    if (ids[i * 2] === ids[i * 2 + 1]) fail(reader, 'ids', `rows ${a} and ${b} have the same id`)
  })
}

/** Verifies the checksum of the whole file, and on the way the pages of vectors, which are most of its bytes. */
async function verifyFile(reader: SegmentReader, index: number): Promise<void> {
  const file = reader.descriptor.files[index]
  const vectors = reader.vectorReader.section
  if (file === undefined) return
  let crc = 0
  const plain = async (start: number, end: number): Promise<void> => {
    const buffers = new TwoBuffers(Math.min(READ_BYTES, end - start))
    const chunks = readAhead((n) => {
      const offset = start + n * READ_BYTES
      if (offset >= end) return undefined
      const length = Math.min(READ_BYTES, end - offset)
      return reader.source.range({ ...vectors, file: index }, offset, length, buffers.of(n))
    })
    for await (const bytes of chunks) crc = crc32(bytes, crc)
  }
  if (vectors.file === index) {
    await plain(0, vectors.offset)
    for await (const { bytes } of reader.vectorReader.scanInPlace(READ_BYTES)) crc = crc32(bytes, crc)
    await plain(vectors.offset + vectors.length, file.sizeBytes)
  } else await plain(0, file.sizeBytes)
  if (crcHex(crc) !== file.crc32) {
    throw corrupt('segment-damaged', `${file.key}: the object does not match its checksum`, { key: file.key })
  }
}
