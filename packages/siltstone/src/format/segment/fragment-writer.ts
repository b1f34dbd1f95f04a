/** A section of fragments: blocks, then where they lie (`fragment-directory.ts`). */
import { encodeDirectory } from './fragment-directory.ts'
import { encodeFragments, FRAGMENT_COLUMNS, FRAGMENTS, type FragmentRow } from './fragments.ts'
import type { Pending, Sink } from './sink.ts'

const MOST_ROWS = 8192

export class FragmentWriter {
  readonly #sink: Sink
  readonly #targetBytes: number
  #rows: FragmentRow[] = []
  #size = 0
  readonly #blocks: { rows: number; length: number }[] = []

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
    this.#blocks.push({ rows: this.#rows.length, length: block.length })
    this.#rows = []
    this.#size = 0
    return this.#sink.write(block)
  }

  /** The directory's `offset` counts from the start of the section. */
  async finish() {
    if (this.#rows.length > 0) await this.#flush()
    const { bytes, directory, params } = encodeDirectory(this.#blocks)
    const offset = this.#sink.position + directory.offset
    await this.#sink.write(bytes)
    return { type: FRAGMENTS.type, version: FRAGMENTS.version, directory: { ...directory, offset }, params }
  }
}
