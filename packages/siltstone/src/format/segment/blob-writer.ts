/**
 * A section of texts: blocks, then a directory of u32 first row, u32 stored length, u64 offset in the section per
 * block. Nothing is written for a column without any value.
 */
import { crcHex } from '../checksum.ts'
import { BlockBuilder, MAX_ROWS_PER_BLOCK } from './blob-block.ts'
import type { Pending, Sink } from './sink.ts'

export const DIRECTORY_ENTRY_BYTES = 16

export class BlobWriter {
  readonly #sink: Sink
  readonly #targetBytes: number
  readonly #block = new BlockBuilder()
  #directory = new Uint32Array(4 * 64)
  #blocks = 0
  #firstRow = 0
  /** Number of rows before the first one that has a value. */
  #leadingNulls = 0
  #any = false

  /** @param targetBytes raw size of a block */
  constructor(sink: Sink, targetBytes: number) {
    this.#sink = sink
    this.#targetBytes = targetBytes
  }

  append(value: string | null): Pending {
    if (!this.#any) {
      if (value === null) {
        this.#leadingNulls++
        return undefined
      }
      this.#any = true
      return this.#begin(value)
    }
    return this.#add(value)
  }

  async #begin(value: string): Promise<void> {
    for (let i = 0; i < this.#leadingNulls; i++) await this.#add(null)
    await this.#add(value)
  }

  #add(value: string | null): Pending {
    const block = this.#block
    // A large text gets a block of its own, so that reading its neighbours stays cheap.
    const crowded = value !== null && block.rows > 0 && block.rawBytes + value.length > 2 * this.#targetBytes
    const before = crowded ? this.#flush() : undefined
    if (before !== undefined) return before.then(() => this.#put(value))
    return this.#put(value)
  }

  #put(value: string | null): Pending {
    this.#block.add(value)
    const full = this.#block.rawBytes >= this.#targetBytes || this.#block.rows === MAX_ROWS_PER_BLOCK
    return full ? this.#flush() : undefined
  }

  #flush(): Pending {
    const rows = this.#block.rows
    const stored = this.#block.finish()
    const at = this.#blocks++ * 4
    if (at === this.#directory.length) {
      const larger = new Uint32Array(this.#directory.length * 2)
      larger.set(this.#directory)
      this.#directory = larger
    }
    const offset = this.#sink.position
    this.#directory.set([this.#firstRow, stored.length, offset >>> 0, Math.floor(offset / 2 ** 32)], at)
    this.#firstRow += rows
    return this.#sink.write(stored)
  }

  /** @returns undefined when no row has a value; the directory's `offset` counts from the start of the section */
  async finish(): Promise<{ offset: number; length: number; crc32: string } | undefined> {
    if (!this.#any) return undefined
    if (this.#block.rows > 0) await this.#flush()
    const offset = this.#sink.position
    const bytes = new Uint8Array(this.#directory.buffer, 0, this.#blocks * DIRECTORY_ENTRY_BYTES)
    const directory = { offset, length: bytes.length, crc32: crcHex(bytes) }
    await this.#sink.write(bytes)
    return directory
  }
}
