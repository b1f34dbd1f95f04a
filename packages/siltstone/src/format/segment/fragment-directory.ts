/**
 * Where the blocks of a section of fragments lie. From version 2 of the section on in parts, since pages read a few of them: behind
 * the blocks lie the parts, of `PART_BLOCKS` blocks each, then the table of the parts, which is the section's `directory`.
 *
 * | | |
 * |---|---|
 * | part | u32 CRC-32 of what follows; compressed with Zstandard, per block two varints: its rows, its length in bytes |
 * | table | compressed with Zstandard, per part three varints: its rows, the bytes of its blocks, its own length |
 *
 * Version 1 has one part, without the CRC-32, in place of the table.
 */
import { crc32, zstdCompress } from '#codec'
import { firstWhere } from '../../binary-search.ts'
import { concatBytes, readUint32, writeUint32 } from '../../codec/bytes.ts'
import { readVarint, varint } from '../../codec/varint.ts'
import { corrupt } from '../../errors.ts'
import { crcHex } from '../checksum.ts'
import { unpacked } from '../unpacked.ts'
import { paramCount, type SectionDescriptor } from './descriptor.ts'
import { FRAGMENTS } from './fragments.ts'
import { type SectionSource, stretches } from './source.ts'

export const PART_BLOCKS = 64
const LEVEL = 19
/** Parts of so many bytes together are read before one is needed: later, that is a round of reads. A query reads about 2 KB of them. */
const SMALL_BYTES = 4096
const MAX_READ_BYTES = 4 << 20
/** Of two varints. */
const MOST_ENTRY_BYTES = 16

/** @param blocks rows and length of each @returns what follows the blocks, and the section's `directory` in it */
export function encodeDirectory(blocks: readonly { rows: number; length: number }[]) {
  const parts: Uint8Array[] = []
  const table: Uint8Array[] = []
  for (let first = 0; first < blocks.length; first += PART_BLOCKS) {
    const own = blocks.slice(first, first + PART_BLOCKS)
    const packed = zstdCompress(concatBytes(own.flatMap(({ rows, length }) => [varint(rows), varint(length)])), LEVEL)
    const part = concatBytes([new Uint8Array(4), packed])
    writeUint32(part, 0, crc32(packed))
    const sum = (of: (one: { rows: number; length: number }) => number) => own.reduce((all, one) => all + of(one), 0)
    parts.push(part)
    table.push(varint(sum(({ rows }) => rows)), varint(sum(({ length }) => length)), varint(part.length))
  }
  const raw = concatBytes(table)
  const packed = zstdCompress(raw, LEVEL)
  const offset = parts.reduce((sum, { length }) => sum + length, 0)
  return {
    bytes: concatBytes([...parts, packed]),
    directory: { offset, length: packed.length, crc32: crcHex(packed) },
    params: { blocks: blocks.length, parts: parts.length, directoryBytes: raw.length },
  }
}

/** Consecutive blocks. */
export interface BlockPlaces {
  firstBlock: number
  blocks: number
  /** First row of block `firstBlock + i`; entry `blocks` is the row behind the last one. */
  firstRow: Float64Array
  /** From the start of the section. */
  offset: Float64Array
}

interface Table {
  parts: number
  /** Of part p; entry `parts` is the number of rows. */
  firstRow: Float64Array
  /** Of its first block, and of itself, from the start of the section; with the ends. */
  blocksAt: Float64Array
  partAt: Float64Array
}

export class FragmentDirectory {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #rows: number
  readonly #parts = new Map<number, Promise<BlockPlaces>>()
  #table: Promise<Table> | undefined

  constructor(source: SectionSource, section: SectionDescriptor, rows: number) {
    this.#source = source
    this.#section = section
    this.#rows = rows
  }

  get #isWhole(): boolean {
    return this.#section.version === FRAGMENTS.firstVersion
  }

  /** Reads the table, and the parts if they are small. @throws SiltstoneError `corrupt` */
  async prepare(): Promise<void> {
    const table = await this.#open()
    const [start, end] = [table.partAt[0] as number, table.partAt[table.parts] as number]
    if (end - start <= SMALL_BYTES) await Promise.all(this.#allParts(table))
  }

  /** The parts that have some rows, with these rows. @throws SiltstoneError `corrupt` */
  async partsOf(rows: ArrayLike<number>): Promise<{ places: Promise<BlockPlaces>; indices: number[] }[]> {
    const table = await this.#open()
    const byPart = new Map<number, number[]>()
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number
      if (!(row >= 0 && row < this.#rows)) throw new RangeError(`row ${row} is outside the segment`)
      const part = firstWhere(table.parts, (p) => (table.firstRow[p + 1] as number) > row)
      const known = byPart.get(part)
      if (known) known.push(i)
      else byPart.set(part, [i])
    }
    const parts = this.#read(
      table,
      [...byPart.keys()].sort((a, b) => a - b),
    )
    return Array.from(byPart, ([part, indices]) => ({ places: parts.get(part) as Promise<BlockPlaces>, indices }))
  }

  /** All blocks. @throws SiltstoneError `corrupt` */
  async whole(): Promise<BlockPlaces> {
    const table = await this.#open()
    const all = await Promise.all(this.#allParts(table))
    const blocks = all.reduce((sum, part) => sum + part.blocks, 0)
    const joined = (of: (part: BlockPlaces) => Float64Array, end: number) =>
      Float64Array.from([...all.flatMap((part) => [...of(part).subarray(0, part.blocks)]), end])
    return {
      firstBlock: 0,
      blocks,
      firstRow: joined(({ firstRow }) => firstRow, this.#rows),
      offset: joined(({ offset }) => offset, table.blocksAt[table.parts] as number),
    }
  }

  #allParts(table: Table): Iterable<Promise<BlockPlaces>> {
    return this.#read(
      table,
      Array.from({ length: table.parts }, (_, part) => part),
    ).values()
  }

  #fail(reason: string, cause?: unknown): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: the directory of section ${this.#section.name} ${reason}`, { key, cause })
  }

  #unpacked(packed: Uint8Array, mostBytes: number): Uint8Array {
    return unpacked(packed, mostBytes, (reason, cause) => this.#fail(reason, cause))
  }

  #open(): Promise<Table> {
    this.#table ??= this.#readTable().catch((error: unknown) => {
      // A failure is not kept: the next call tries again.
      this.#table = undefined
      throw error
    })
    return this.#table
  }

  async #readTable(): Promise<Table> {
    const section = this.#section
    const { directory } = section
    const key = this.#source.key(section)
    if (!directory) throw corrupt('descriptor-damaged', `${key}: section ${section.name} has no directory`, { key })
    const stored = await this.#source.checked(section, directory, 'the directory')
    const raw = this.#unpacked(stored, paramCount(section, 'directoryBytes'))
    const directoryAt = directory.offset - section.offset
    if (this.#isWhole) {
      const places = this.#placesOf(raw, { part: 0, blocks: paramCount(section, 'blocks'), row: 0, at: 0 })
      if (places.firstRow.at(-1) !== this.#rows || places.offset.at(-1) !== directoryAt)
        this.#fail('does not fit its blocks')
      this.#parts.set(0, Promise.resolve(places))
      const blocksAt = Float64Array.of(0, directoryAt)
      return { parts: 1, firstRow: Float64Array.of(0, this.#rows), blocksAt, partAt: blocksAt }
    }
    const parts = paramCount(section, 'parts')
    const [rows, bytes, lengths] = columnsOf(raw, parts, 3) ?? this.#fail('is no table of its parts')
    const firstRow = sumsOf(rows as Float64Array, 0)
    const blocksAt = sumsOf(bytes as Float64Array, 0)
    const partAt = sumsOf(lengths as Float64Array, blocksAt[parts] as number)
    const isWhole = firstRow[parts] === this.#rows && partAt[parts] === directoryAt
    if (!isWhole || parts !== Math.ceil(paramCount(section, 'blocks') / PART_BLOCKS))
      this.#fail('does not fit its blocks')
    return { parts, firstRow, blocksAt, partAt }
  }

  /** @param wanted ascending */
  #read(table: Table, wanted: readonly number[]): Map<number, Promise<BlockPlaces>> {
    const missing = wanted.filter((part) => !this.#parts.has(part))
    const start = (part: number): number => table.partAt[part] as number
    for (const { first, end } of stretches(missing, start, this.#source.gapBytes, MAX_READ_BYTES)) {
      const reading = this.#source.range(this.#section, this.#section.offset + start(first), start(end) - start(first))
      for (const part of missing) {
        if (part < first || part >= end) continue
        const one = reading.then((bytes) =>
          this.#part(table, part, bytes.subarray(start(part) - start(first), start(part + 1) - start(first))),
        )
        this.#parts.set(part, one)
        // A failure is not kept: the next call tries again.
        one.catch(() => this.#parts.delete(part))
      }
    }
    return new Map(wanted.map((part) => [part, this.#parts.get(part) as Promise<BlockPlaces>]))
  }

  #part(table: Table, part: number, stored: Uint8Array): BlockPlaces {
    const packed = stored.subarray(4)
    if (stored.length < 4 || crc32(packed) !== readUint32(stored, 0)) this.#fail(`has a damaged part ${part}`)
    const all = paramCount(this.#section, 'blocks')
    const blocks = Math.min(PART_BLOCKS, all - part * PART_BLOCKS)
    const raw = this.#unpacked(packed, blocks * MOST_ENTRY_BYTES)
    const [row, at] = [table.firstRow[part] as number, table.blocksAt[part] as number]
    const places = this.#placesOf(raw, { part, blocks, row, at })
    if (places.firstRow[blocks] !== table.firstRow[part + 1] || places.offset[blocks] !== table.blocksAt[part + 1])
      this.#fail(`has a part ${part} that does not fit it`)
    return places
  }

  #placesOf(raw: Uint8Array, { part, blocks, row, at }: { part: number; blocks: number; row: number; at: number }) {
    const [rows, lengths] = columnsOf(raw, blocks, 2) ?? this.#fail(`has a part ${part} that is no list of blocks`)
    const firstRow = sumsOf(rows as Float64Array, row)
    return { firstBlock: part * PART_BLOCKS, blocks, firstRow, offset: sumsOf(lengths as Float64Array, at) }
  }
}

/** Varints, row by row. @returns undefined unless there are exactly so many */
function columnsOf(raw: Uint8Array, count: number, columns: number): Float64Array[] | undefined {
  const read = Array.from({ length: columns }, () => new Float64Array(count))
  let at = 0
  for (let i = 0; i < count * columns; i++) {
    const next = readVarint(raw, at)
    if (!next) return undefined
    ;(read[i % columns] as Float64Array)[Math.floor(i / columns)] = next.value
    at = next.end
  }
  return at === raw.length ? read : undefined
}

/** The sums before each of the numbers, and of all. */
function sumsOf(numbers: Float64Array, first: number): Float64Array {
  const sums = new Float64Array(numbers.length + 1).fill(first)
  numbers.forEach((number, i) => (sums[i + 1] = (sums[i] as number) + number))
  return sums
}
