import { zstdDecompress } from '#codec'
import { readVarint } from '../../codec/varint.ts'
import { firstWhere } from '../../binary-search.ts'
import { corrupt } from '../../errors.ts'
import { paramCount, type SectionDescriptor } from './descriptor.ts'
import { FragmentBlock, type FragmentColumn } from './fragments.ts'
import { type BlockShelf, eachAtMost, scanAhead, type SectionSource, stretches } from './source.ts'
import type { ColumnReader, Texts } from './text-columns.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 128

interface Directory {
  blocks: number
  /** First row of block b; entry `blocks` is the number of rows. */
  firstRow: Uint32Array
  /** Of block b, from the start of the section; entry `blocks` is where the directory begins. */
  offset: Float64Array
}

/** Columns whose texts lie together: a block that one column has read is in memory for the others. */
export class FragmentReader {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #shelf: BlockShelf | undefined
  readonly #rows: number
  readonly #reading = new Map<number, Promise<FragmentBlock>>()
  #directory: Promise<Directory> | undefined

  constructor(source: SectionSource, section: SectionDescriptor, rows: number) {
    this.#source = source
    this.#section = section
    this.#shelf = source.shelf(section)
    this.#rows = rows
  }

  column(name: FragmentColumn): ColumnReader {
    return {
      prepare: async () => {
        await this.#open()
      },
      values: (rows) => this.#values(name, rows),
      scan: () => this.#scan(name),
    }
  }

  #open(): Promise<Directory> {
    this.#directory ??= this.#readDirectory().catch((error: unknown) => {
      // A failure is not kept: the next call tries again.
      this.#directory = undefined
      throw error
    })
    return this.#directory
  }

  async #readDirectory(): Promise<Directory> {
    const section = this.#section
    const { directory } = section
    const key = this.#source.key(section)
    if (!directory) throw corrupt('descriptor-damaged', `${key}: section ${section.name} has no directory`, { key })
    const stored = await this.#source.checked(section, directory, 'the directory')
    const raw = zstdDecompress(stored, paramCount(section, 'directoryBytes'))
    const blocks = paramCount(section, 'blocks')
    const firstRow = new Uint32Array(blocks + 1)
    const offset = new Float64Array(blocks + 1)
    let at = 0
    const number = (): number => {
      const next = readVarint(raw, at)
      at = next?.end ?? raw.length
      return next?.value ?? 0
    }
    for (let b = 0; b < blocks; b++) {
      firstRow[b + 1] = (firstRow[b] as number) + number()
      offset[b + 1] = (offset[b] as number) + number()
    }
    const isWhole = at === raw.length && firstRow[blocks] === this.#rows
    if (!isWhole || offset[blocks] !== directory.offset - section.offset)
      throw corrupt('section-damaged', `${key}: the directory of section ${section.name} does not fit its blocks`, {
        key,
      })
    return { blocks, firstRow, offset }
  }

  async #values(name: FragmentColumn, rows: ArrayLike<number>): Promise<(string | null)[]> {
    if (rows.length === 0) return []
    const directory = await this.#open()
    const blockOf = (row: number) => {
      if (!(row >= 0 && row < this.#rows)) throw new RangeError(`row ${row} is outside the segment`)
      return firstWhere(directory.blocks, (block) => (directory.firstRow[block + 1] as number) > row)
    }
    const places = Array.from(rows, blockOf)
    const blocks = await this.#blocks(
      directory,
      [...new Set(places)].sort((a, b) => a - b),
    )
    return places.map((block, i) => (blocks.get(block) as FragmentBlock).get(name, rows[i] as number))
  }

  /** @param wanted ascending */
  async #blocks(directory: Directory, wanted: readonly number[]): Promise<Map<number, FragmentBlock>> {
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
    const start = (block: number): number => directory.offset[block] as number
    const groups = stretches(missing, start, this.#source.gapBytes, MAX_READ_BYTES)
    try {
      await eachAtMost(groups, PARALLEL_READS, async ({ first, end }) => {
        const bytes = await this.#range(start(first), start(end))
        for (const block of missing)
          if (block >= first && block < end)
            waiting.get(block)?.resolve(this.#parse(directory, block, bytes, start(first)))
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

  #parse({ firstRow, offset }: Directory, block: number, bytes: Uint8Array, start: number): FragmentBlock {
    const [from, to] = [offset[block] as number, offset[block + 1] as number]
    const first = firstRow[block] as number
    const where = `block ${block} of section ${this.#section.name}`
    const stored = bytes.subarray(from - start, to - start)
    const key = this.#source.key(this.#section)
    return FragmentBlock.parse(stored, first, (firstRow[block + 1] as number) - first, where, key)
  }

  /** All blocks in order, without the cache, reading ahead. */
  async *#scan(name: FragmentColumn): AsyncGenerator<Texts> {
    const directory = await this.#open()
    const start = (block: number): number => directory.offset[block] as number
    const reads = scanAhead(directory.blocks, start, (from, to) => this.#range(from, to))
    for await (const { first, end, bytes } of reads)
      for (let block = first; block < end; block++) {
        const parsed = this.#parse(directory, block, bytes, start(first))
        const { firstRow, rows } = parsed
        yield { firstRow, rows, get: (row) => parsed.get(name, row) }
      }
  }
}
