/** Runs of pairs (value, row), sorted by value, so that a range of values lies in adjacent pages. */
import { crc32, zstdCompress, zstdDecompress } from '#codec'
import { firstWhere } from '../binary-search.ts'
import { concatBytes } from '../codec/bytes.ts'
import { crcHex } from '../format/checksum.ts'
import type { Sink } from '../format/segment/sink.ts'
import type { Pairs } from './growing.ts'
import { PAGE_PAIRS, PAIR_BYTES, type Part, pageBytes, type RunPart } from './layout.ts'
import type { PartReader } from './part-reader.ts'

const PAGE_ENTRY_BYTES = 16
/** Of a run that is read whole, at a time. */
const READ_PAGES = 16

/** A run that was written, and its directory, which belongs to the head of the section. */
export interface WrittenRun {
  run: Omit<RunPart, 'pages'>
  directory: Uint8Array
}

/** Writes the pages. @param pairs in batches of `PAGE_PAIRS`, the last of which may be smaller @returns undefined for no pairs */
export async function writeRun(sink: Sink, pairs: AsyncIterable<Pairs>): Promise<WrittenRun | undefined> {
  const offset = sink.position
  const entries: Uint8Array[] = []
  let count = 0
  for await (const { values, rows } of pairs) {
    const bytes = new Uint8Array(pageBytes(values.length))
    new Float64Array(bytes.buffer, 0, values.length).set(values)
    new Uint32Array(bytes.buffer, 8 * values.length, values.length).set(rows)
    const packed = zstdCompress(bytes)
    const stored = packed.length < bytes.length ? packed : bytes
    const entry = new Uint8Array(PAGE_ENTRY_BYTES)
    const view = new DataView(entry.buffer)
    view.setFloat64(0, values[0] as number, true)
    view.setUint32(8, crc32(stored), true)
    view.setUint32(12, stored.length, true)
    entries.push(entry)
    count += values.length
    await sink.write(stored)
  }
  return count === 0 ? undefined : { run: { offset, pairs: count }, directory: concatBytes(entries) }
}

/** A range of values. Without `from` or `to` it has no lower or upper bound. */
export interface Range {
  from?: { value: number; inclusive: boolean }
  to?: { value: number; inclusive: boolean }
}

/** Calls `take(row)` for each pair whose value is in one of the ranges. @throws SiltstoneError `corrupt` */
export async function scanRun(
  reader: PartReader,
  run: RunPart,
  ranges: readonly Range[],
  take: (row: number) => void,
): Promise<void> {
  const pages = await RunPages.of(reader, run)
  const { firsts } = pages
  const wanted = new Map<number, Range[]>()
  for (const range of ranges) {
    // The page before the first one that begins with the value may end with it.
    let page = range.from ? Math.max(0, lowerBound(firsts, range.from.value) - 1) : 0
    for (; page < firsts.length && !(range.to && (firsts[page] as number) > range.to.value); page++) {
      const list = wanted.get(page)
      if (list) list.push(range)
      else wanted.set(page, [range])
    }
  }
  const numbers = [...wanted.keys()]
  const scan = (i: number, bytes: Uint8Array): void => {
    const { values, rows } = pairsIn(bytes)
    const count = rows.length
    for (const { from, to } of wanted.get(numbers[i] as number) as Range[]) {
      for (let k = from ? lowerBound(values, from.value) : 0; k < count; k++) {
        const value = values[k] as number
        if (from && value === from.value && !from.inclusive) continue
        if (to && (value > to.value || (value === to.value && !to.inclusive))) break
        take(rows[k] as number)
      }
    }
  }
  await pages.read(numbers, scan)
}

/** All pairs of a run, sorted as they are stored, a page at a time. @throws SiltstoneError `corrupt` */
export async function* readRun(reader: PartReader, run: RunPart): AsyncGenerator<Pairs> {
  const pages = await RunPages.of(reader, run)
  const count = pages.firsts.length
  for (let first = 0; first < count; first += READ_PAGES) {
    const some = Array.from({ length: Math.min(READ_PAGES, count - first) }, (_, i) => first + i)
    const read: Pairs[] = []
    await pages.read(some, (i, bytes) => (read[i] = pairsIn(bytes)))
    yield* read
  }
}

/** @param bytes of a page, aligned to 8 */
function pairsIn(bytes: Uint8Array): Pairs {
  const count = bytes.length / PAIR_BYTES
  return {
    values: new Float64Array(bytes.buffer, bytes.byteOffset, count),
    rows: new Uint32Array(bytes.buffer, bytes.byteOffset + 8 * count, count),
  }
}

/** The pages of a run, as its directory describes them. */
class RunPages {
  /** The first value of each page. */
  readonly firsts: Float64Array
  readonly #reader: PartReader
  readonly #run: RunPart
  readonly #parts: Part[]

  private constructor(reader: PartReader, run: RunPart, directory: Uint8Array) {
    this.#reader = reader
    this.#run = run
    const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength)
    const pages = Math.ceil(run.pairs / PAGE_PAIRS)
    if (directory.length !== pages * PAGE_ENTRY_BYTES)
      reader.fail(`the directory of a run of ${pages} pages has ${directory.length} bytes`)
    this.firsts = new Float64Array(pages)
    this.#parts = []
    let { offset } = run
    for (let page = 0; page < pages; page++) {
      const at = page * PAGE_ENTRY_BYTES
      const length = view.getUint32(at + 12, true)
      this.firsts[page] = view.getFloat64(at, true)
      this.#parts.push({ offset, length, crc32: crcHex(view.getUint32(at + 8, true)) })
      offset += length
    }
  }

  /** @throws SiltstoneError `corrupt` */
  static async of(reader: PartReader, run: RunPart): Promise<RunPages> {
    return new RunPages(reader, run, await reader.part(run.pages))
  }

  /** Calls `take(i, bytes)` for the i-th of these pages, in any order. @throws SiltstoneError `corrupt` */
  read(pages: readonly number[], take: (i: number, bytes: Uint8Array) => void): Promise<void> {
    return this.#reader.parts(
      pages.map((page) => this.#parts[page] as Part),
      take,
      (i, stored) => this.#unpacked(pages[i] as number, stored),
    )
  }

  #unpacked(page: number, stored: Uint8Array): Uint8Array {
    const length = pageBytes(Math.min(PAGE_PAIRS, this.#run.pairs - page * PAGE_PAIRS))
    if (stored.length === length) return stored
    let raw: Uint8Array
    try {
      raw = zstdDecompress(stored, length)
    } catch (cause) {
      return this.#reader.fail(`a page of a run cannot be decompressed`, cause)
    }
    return raw.length === length
      ? raw
      : this.#reader.fail('a page of a run does not have the size that follows from its number of pairs')
  }
}

/** The first index whose value is not smaller. */
function lowerBound(sorted: Float64Array, value: number): number {
  return firstWhere(sorted.length, (place) => !((sorted[place] as number) < value))
}
