/** Runs of pairs (value, row), sorted by value: a range of values is a stretch of pages. */
import { crc32, crcHex } from '../format/checksum.ts'
import type { Sink } from '../format/segment/sink.ts'
import { PAGE_PAIRS, pageBytes, type RunPart } from './layout.ts'
import type { PartReader } from './part-reader.ts'

const PAGE_ENTRY_BYTES = 16

export async function writeRun(
  sink: Sink,
  { values, rows }: { values: Float64Array; rows: Uint32Array },
): Promise<RunPart> {
  const offset = sink.position
  const pages = Math.ceil(values.length / PAGE_PAIRS)
  const directory = new Uint8Array(pages * PAGE_ENTRY_BYTES)
  const view = new DataView(directory.buffer)
  for (let page = 0; page < pages; page++) {
    const start = page * PAGE_PAIRS
    const count = Math.min(PAGE_PAIRS, values.length - start)
    const bytes = new Uint8Array(pageBytes(count))
    new Float64Array(bytes.buffer, 0, count).set(values.subarray(start, start + count))
    new Uint32Array(bytes.buffer, 8 * count, count).set(rows.subarray(start, start + count))
    view.setFloat64(page * PAGE_ENTRY_BYTES, values[start] as number, true)
    view.setUint32(page * PAGE_ENTRY_BYTES + 8, crc32(bytes), true)
    await sink.write(bytes)
  }
  const at = sink.position
  await sink.write(directory)
  return { offset, pairs: values.length, pages: { offset: at, length: directory.length, crc32: crcHex(directory) } }
}

/** Bounds of a stretch of values; left out: none. */
export interface Range {
  from?: { value: number; inclusive: boolean }
  to?: { value: number; inclusive: boolean }
}

/** Calls `take(row)` for every pair in the range. @throws SiltstoneError `corrupt` */
export async function scanRun(
  reader: PartReader,
  run: RunPart,
  range: Range,
  take: (row: number) => void,
): Promise<void> {
  const directory = await reader.part(run.pages)
  const view = new DataView(directory.buffer, directory.byteOffset, directory.byteLength)
  const pages = Math.ceil(run.pairs / PAGE_PAIRS)
  if (directory.length !== pages * PAGE_ENTRY_BYTES) reader.fail(`a run has ${directory.length} bytes of directory`)
  const first = (page: number) => view.getFloat64(page * PAGE_ENTRY_BYTES, true)
  const { from, to } = range
  const wanted: number[] = []
  for (let page = 0; page < pages; page++) {
    // Equal values may begin in the page before the one that begins with them.
    if (from && page + 1 < pages && first(page + 1) < from.value) continue
    if (to && first(page) > to.value) break
    wanted.push(page)
  }
  await Promise.all(
    wanted.map(async (page) => {
      const start = page * PAGE_PAIRS
      const count = Math.min(PAGE_PAIRS, run.pairs - start)
      const crc = view.getUint32(page * PAGE_ENTRY_BYTES + 8, true)
      const offset = run.offset + start * 12
      const bytes = await reader.part({
        offset,
        length: pageBytes(count),
        crc32: crc.toString(16).padStart(8, '0'),
      })
      const values = new Float64Array(bytes.buffer, bytes.byteOffset, count)
      const rows = new Uint32Array(bytes.buffer, bytes.byteOffset + 8 * count, count)
      for (let i = 0; i < count; i++) {
        const value = values[i] as number
        if (from && (value < from.value || (value === from.value && !from.inclusive))) continue
        if (to && (value > to.value || (value === to.value && !to.inclusive))) break
        take(rows[i] as number)
      }
    }),
  )
}
