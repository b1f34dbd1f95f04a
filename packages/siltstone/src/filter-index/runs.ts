/** Runs of pairs (value, row), sorted by value: a range of values is a stretch of pages. */
import { crc32, zstdCompress, zstdDecompress } from '#codec'
import { firstWhere } from '../binary-search.ts'
import { crcHex } from '../format/checksum.ts'
import type { Sink } from '../format/segment/sink.ts'
import type { GrowingPairs } from './growing.ts'
import { PAGE_PAIRS, pageBytes, type RunPart } from './layout.ts'
import type { PartReader } from './part-reader.ts'

const PAGE_ENTRY_BYTES = 16

/** Writes the pages; the directory of the run belongs to the section's head. */
export async function writeRun(
  sink: Sink,
  pairs: GrowingPairs,
): Promise<{ run: Omit<RunPart, 'pages'>; directory: Uint8Array }> {
  const offset = sink.position
  const directory = new Uint8Array(Math.ceil(pairs.count / PAGE_PAIRS) * PAGE_ENTRY_BYTES)
  const view = new DataView(directory.buffer)
  let at = 0
  for await (const { values, rows } of pairs.sorted(PAGE_PAIRS)) {
    const bytes = new Uint8Array(pageBytes(values.length))
    new Float64Array(bytes.buffer, 0, values.length).set(values)
    new Uint32Array(bytes.buffer, 8 * values.length, values.length).set(rows)
    const packed = zstdCompress(bytes)
    const stored = packed.length < bytes.length ? packed : bytes
    view.setFloat64(at, values[0] as number, true)
    view.setUint32(at + 8, crc32(stored), true)
    view.setUint32(at + 12, stored.length, true)
    at += PAGE_ENTRY_BYTES
    await sink.write(stored)
  }
  return { run: { offset, pairs: pairs.count }, directory }
}

/** Bounds of a stretch of values; left out: none. */
export interface Range {
  from?: { value: number; inclusive: boolean }
  to?: { value: number; inclusive: boolean }
}

/** Calls `take(row)` for every pair that is in one of the ranges. @throws SiltstoneError `corrupt` */
export async function scanRun(
  reader: PartReader,
  run: RunPart,
  ranges: readonly Range[],
  take: (row: number) => void,
): Promise<void> {
  const directory = await reader.part(run.pages)
  const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength)
  const pages = Math.ceil(run.pairs / PAGE_PAIRS)
  if (directory.length !== pages * PAGE_ENTRY_BYTES) reader.fail(`a run has ${directory.length} bytes of directory`)
  const firsts = Float64Array.from({ length: pages }, (_, page) => view.getFloat64(page * PAGE_ENTRY_BYTES, true))
  const wanted = new Map<number, Range[]>()
  for (const range of ranges) {
    // Equal values may begin in the page before the first one that begins with them.
    let page = range.from ? Math.max(0, lowerBound(firsts, range.from.value) - 1) : 0
    for (; page < pages && !(range.to && (firsts[page] as number) > range.to.value); page++) {
      const list = wanted.get(page)
      if (list) list.push(range)
      else wanted.set(page, [range])
    }
  }
  const numbers = [...wanted.keys()]
  const pairsOf = (page: number): number => Math.min(PAGE_PAIRS, run.pairs - page * PAGE_PAIRS)
  const lengthOf = (page: number): number => view.getUint32(page * PAGE_ENTRY_BYTES + 12, true)
  const offsets = new Float64Array(pages)
  for (let page = 1; page < pages; page++) offsets[page] = (offsets[page - 1] as number) + lengthOf(page - 1)
  const parts = numbers.map((page) => ({
    offset: run.offset + (offsets[page] as number),
    length: lengthOf(page),
    crc32: crcHex(view.getUint32(page * PAGE_ENTRY_BYTES + 8, true)),
  }))
  const unpack = (i: number, stored: Uint8Array): Uint8Array => {
    const length = pageBytes(pairsOf(numbers[i] as number))
    if (stored.length === length) return stored
    let raw: Uint8Array
    try {
      raw = zstdDecompress(stored, length)
    } catch (cause) {
      return reader.fail(`a page of a run cannot be decompressed`, cause)
    }
    return raw.length === length ? raw : reader.fail('a page of a run has another size')
  }
  const scan = (i: number, bytes: Uint8Array): void => {
    const count = pairsOf(numbers[i] as number)
    const values = new Float64Array(bytes.buffer, bytes.byteOffset, count)
    const rows = new Uint32Array(bytes.buffer, bytes.byteOffset + 8 * count, count)
    for (const { from, to } of wanted.get(numbers[i] as number) as Range[]) {
      for (let k = from ? lowerBound(values, from.value) : 0; k < count; k++) {
        const value = values[k] as number
        if (from && value === from.value && !from.inclusive) continue
        if (to && (value > to.value || (value === to.value && !to.inclusive))) break
        take(rows[k] as number)
      }
    }
  }
  await reader.parts(parts, scan, unpack)
}

/** The first place whose value is not below. */
function lowerBound(sorted: Float64Array, value: number): number {
  return firstWhere(sorted.length, (place) => !((sorted[place] as number) < value))
}
