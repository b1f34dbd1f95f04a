/**
 * The index of ids: records (hash hi, hash lo, row) of three u32, sorted by hash, in pages of 341 records with a
 * checksum, followed by a directory of the first `hi` of each page; and the filter that is asked before it.
 */
import { crcHex } from '../checksum.ts'
import { hash64 } from '../hash64.ts'
import { SplitBlockBloom } from './bloom.ts'
import { PageWriter } from './pages.ts'
import type { Sink } from './sink.ts'

export class IdIndexWriter {
  #hi = new Uint32Array(1024)
  #lo = new Uint32Array(1024)
  #rows = 0

  /** Ids of rows 0, 1, 2 … */
  append(id: string): void {
    if (this.#rows === this.#hi.length) {
      this.#hi = doubled(this.#hi)
      this.#lo = doubled(this.#lo)
    }
    const { hi, lo } = hash64(id)
    this.#hi[this.#rows] = hi
    this.#lo[this.#rows++] = lo
  }

  /** `offset` of the directory counts from the section's start. */
  async writeIndex(
    sink: Sink,
  ): Promise<{ params: Record<string, number>; directory: { offset: number; length: number; crc32: string } }> {
    const pages = new PageWriter(sink, 12)
    const { recordsPerPage } = pages.geometry
    const firsts = new Uint32Array(Math.ceil(this.#rows / recordsPerPage))
    const order = sortedByHash(this.#hi.subarray(0, this.#rows), this.#lo)
    for (let i = 0; i < order.length; i++) {
      const row = order[i] as number
      const hi = this.#hi[row] as number
      if (i % recordsPerPage === 0) firsts[i / recordsPerPage] = hi
      const pending = pages.appendWords(hi, this.#lo[row] as number, row)
      if (pending !== undefined) await pending
    }
    const params = await pages.finish()
    const bytes = new Uint8Array(firsts.buffer)
    const directory = { offset: sink.position, length: bytes.length, crc32: crcHex(bytes) }
    await sink.write(bytes)
    return { params, directory }
  }

  async writeFilter(sink: Sink): Promise<{ crc32: string }> {
    const filter = SplitBlockBloom.forKeys(this.#rows)
    for (let row = 0; row < this.#rows; row++) filter.add(this.#hi[row] as number, this.#lo[row] as number)
    const bytes = new Uint8Array(filter.words.buffer)
    await sink.write(bytes)
    return { crc32: crcHex(bytes) }
  }
}

function doubled(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(words.length * 2)
  larger.set(words)
  return larger
}

/** Fewer rows are sorted faster by comparison than by radix. */
const RADIX_ROWS = 4096

/** Rows in order of (hi, lo, row): two passes of a radix sort by `hi`, then the few runs of equal `hi`. */
function sortedByHash(hi: Uint32Array, lo: Uint32Array): Uint32Array {
  const rows = hi.length
  let from = new Uint32Array(rows)
  for (let i = 0; i < rows; i++) from[i] = i
  if (rows < RADIX_ROWS)
    return from.sort((a, b) => (hi[a] as number) - (hi[b] as number) || (lo[a] as number) - (lo[b] as number) || a - b)
  for (const shift of [0, 16]) {
    const starts = new Uint32Array(0x10001)
    for (let i = 0; i < rows; i++) {
      const digit = ((hi[i] as number) >>> shift) & 0xffff
      starts[digit + 1] = (starts[digit + 1] as number) + 1
    }
    for (let d = 0; d < 0x10000; d++) starts[d + 1] = (starts[d + 1] as number) + (starts[d] as number)
    const to = new Uint32Array(rows)
    for (let i = 0; i < rows; i++) {
      const row = from[i] as number
      const digit = ((hi[row] as number) >>> shift) & 0xffff
      to[starts[digit] as number] = row
      starts[digit] = (starts[digit] as number) + 1
    }
    from = to
  }
  for (let start = 0; start < rows; ) {
    let end = start + 1
    while (end < rows && hi[from[end] as number] === hi[from[start] as number]) end++
    if (end - start > 1) from.subarray(start, end).sort((a, b) => (lo[a] as number) - (lo[b] as number) || a - b)
    start = end
  }
  return from
}
