/**
 * A section of fragments: blocks, then a directory compressed with Zstandard. For each block it has two varints: the number
 * of its rows, and its length in bytes.
 */
import { zstdCompress } from '#codec'
import { concatBytes } from '../../codec/bytes.ts'
import { varint } from '../../codec/varint.ts'
import { crcHex } from '../checksum.ts'
import { encodeFragments, FRAGMENT_COLUMNS, FRAGMENTS, type FragmentRow } from './fragments.ts'
import type { Pending, Sink } from './sink.ts'

const MOST_ROWS = 8192
const LEVEL = 19

export class FragmentWriter {
  readonly #sink: Sink
  readonly #targetBytes: number
  #rows: FragmentRow[] = []
  #size = 0
  readonly #directory: Uint8Array[] = []

  /** @param targetBytes raw size of a block */
  constructor(sink: Sink, targetBytes: number) {
    this.#sink = sink
    this.#targetBytes = targetBytes
  }

  append(row: FragmentRow): Pending {
    const size = FRAGMENT_COLUMNS.reduce((sum, column) => sum + (row[column]?.length ?? 0), 0)
    // A large row gets a block of its own, so that reading its neighbours stays cheap.
    const before = this.#rows.length > 0 && this.#size + size > 2 * this.#targetBytes ? this.#flush() : undefined
    return before ? before.then(() => this.#put(row, size)) : this.#put(row, size)
  }

  #put(row: FragmentRow, size: number): Pending {
    this.#rows.push(row)
    this.#size += size
    return this.#size >= this.#targetBytes || this.#rows.length === MOST_ROWS ? this.#flush() : undefined
  }

  #flush(): Pending {
    const block = encodeFragments(this.#rows)
    this.#directory.push(varint(this.#rows.length), varint(block.length))
    this.#rows = []
    this.#size = 0
    return this.#sink.write(block)
  }

  /** The directory's `offset` counts from the start of the section. */
  async finish() {
    if (this.#rows.length > 0) await this.#flush()
    const offset = this.#sink.position
    const raw = concatBytes(this.#directory)
    const bytes = zstdCompress(raw, LEVEL)
    await this.#sink.write(bytes)
    const directory = { offset, length: bytes.length, crc32: crcHex(bytes) }
    return {
      type: FRAGMENTS.type,
      directory,
      params: { blocks: this.#directory.length / 2, directoryBytes: raw.length },
    }
  }
}
