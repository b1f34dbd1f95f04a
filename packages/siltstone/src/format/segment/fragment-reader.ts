import { firstWhere } from '../../binary-search.ts'
import type { SectionDescriptor } from './descriptor.ts'
import { type BlockPlaces, FragmentDirectory } from './fragment-directory.ts'
import { FragmentBlock, type FragmentColumn } from './fragments.ts'
import { type BlockShelf, eachAtMost, scanAhead, type SectionSource, stretches } from './source.ts'
import type { ColumnReader, Texts } from './text-columns.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 128

/** Columns whose texts lie together: a block that one column has read is in memory for the others. */
export class FragmentReader {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #shelf: BlockShelf | undefined
  readonly #reading = new Map<number, Promise<FragmentBlock>>()
  readonly #directory: FragmentDirectory

  constructor(source: SectionSource, section: SectionDescriptor, rows: number) {
    this.#source = source
    this.#section = section
    this.#shelf = source.shelf(section)
    this.#directory = new FragmentDirectory(source, section, rows)
  }

  column(name: FragmentColumn): ColumnReader {
    return {
      prepare: () => this.#directory.prepare(),
      prepareRows: async (rows) => {
        const parts = await this.#directory.partsOf(rows)
        await Promise.all(parts.map(({ places }) => places))
      },
      values: (rows) => this.#values(name, rows),
      scan: () => this.#scan(name),
    }
  }

  async #values(name: FragmentColumn, rows: ArrayLike<number>): Promise<(string | null)[]> {
    if (rows.length === 0) return []
    const values = new Array<string | null>(rows.length)
    const parts = await this.#directory.partsOf(rows)
    await Promise.all(
      parts.map(async ({ places, indices }) => {
        const known = await places
        const { firstBlock, firstRow, blocks: count } = known
        const blockOf = (i: number) =>
          firstBlock + firstWhere(count, (block) => (firstRow[block + 1] as number) > (rows[i] as number))
        const own = indices.map(blockOf)
        const blocks = await this.#blocks(
          known,
          [...new Set(own)].sort((a, b) => a - b),
        )
        indices.forEach((i, k) => {
          values[i] = (blocks.get(own[k] as number) as FragmentBlock).get(name, rows[i] as number)
        })
      }),
    )
    return values
  }

  /** @param wanted ascending */
  async #blocks(places: BlockPlaces, wanted: readonly number[]): Promise<Map<number, FragmentBlock>> {
    const found = new Map<number, FragmentBlock | Promise<FragmentBlock>>()
    const missing: number[] = []
    for (const block of wanted) {
      const known = (this.#shelf?.get(block) as FragmentBlock | undefined) ?? this.#reading.get(block)
      if (known) found.set(block, known)
      else missing.push(block)
    }
    // Columns are asked for at once: the second waits for what the first reads.
    const waiting = new Map(missing.map((block) => [block, Promise.withResolvers<FragmentBlock>()]))
    for (const [block, { promise }] of waiting) {
      this.#reading.set(block, promise)
      found.set(block, promise)
      promise.then(
        (read) => this.#shelf?.set(block, read, read.sizeBytes),
        () => undefined,
      )
    }
    const start = (block: number): number => places.offset[block - places.firstBlock] as number
    const groups = stretches(missing, start, this.#source.gapBytes, MAX_READ_BYTES)
    try {
      await eachAtMost(groups, PARALLEL_READS, async ({ first, end }) => {
        const bytes = await this.#range(start(first), start(end))
        for (const block of missing)
          if (block >= first && block < end)
            waiting.get(block)?.resolve(this.#parse(places, block, bytes, start(first)))
      })
    } catch (error) {
      for (const { reject } of waiting.values()) reject(error)
      throw error
    } finally {
      for (const block of missing) this.#reading.delete(block)
    }
    return new Map(await Promise.all([...found].map(async ([block, one]) => [block, await one] as const)))
  }

  #range(start: number, end: number): Promise<Uint8Array> {
    return this.#source.range(this.#section, this.#section.offset + start, end - start)
  }

  #parse(
    { firstBlock, firstRow, offset }: BlockPlaces,
    block: number,
    bytes: Uint8Array,
    start: number,
  ): FragmentBlock {
    const i = block - firstBlock
    const [from, to] = [offset[i] as number, offset[i + 1] as number]
    const first = firstRow[i] as number
    const where = `block ${block} of section ${this.#section.name}`
    const stored = bytes.subarray(from - start, to - start)
    const key = this.#source.key(this.#section)
    return FragmentBlock.parse(stored, first, (firstRow[i + 1] as number) - first, where, key)
  }

  /** All blocks in order, without the cache, reading ahead. */
  async *#scan(name: FragmentColumn): AsyncGenerator<Texts> {
    const places = await this.#directory.whole()
    const start = (block: number): number => places.offset[block] as number
    const reads = scanAhead(places.blocks, start, (from, to) => this.#range(from, to))
    for await (const { first, end, bytes } of reads)
      for (let block = first; block < end; block++) {
        const parsed = this.#parse(places, block, bytes, start(first))
        const { firstRow, rows } = parsed
        yield { firstRow, rows, get: (row) => parsed.get(name, row) }
      }
  }
}
