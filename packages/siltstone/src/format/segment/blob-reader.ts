import { corrupt } from '../../errors.ts'
import { TextBlock } from './blob-block.ts'
import { DIRECTORY_ENTRY_BYTES } from './blob-writer.ts'
import type { SectionDescriptor } from './descriptor.ts'
import type { ColumnReader } from './text-columns.ts'
import { type BlockShelf, eachAtMost, scanAhead, type SectionSource, stretches, wordsOf } from './source.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 128
const EMPTY_ROWS = 1 << 16
const CACHED_AT_ONCE = 16

interface Directory {
  blocks: number
  /** First row of block b; entry `blocks` is the number of rows. */
  firstRow: Uint32Array
  /** Of block b, from the start of the section; entry `blocks` is where the directory begins. */
  offset: Float64Array
}

/** A column of texts by row. A section that was left out reads as all null. */
export class BlobReader implements ColumnReader {
  readonly name: string
  readonly #source: SectionSource
  readonly #section: SectionDescriptor | undefined
  readonly #shelf: BlockShelf | undefined
  readonly #rows: number
  #directory: Promise<Directory> | undefined

  constructor(source: SectionSource, name: string, section: SectionDescriptor | undefined, rows: number) {
    this.#source = source
    this.name = name
    this.#section = section
    this.#shelf = section && source.shelf(section)
    this.#rows = rows
  }

  /** Reads the directory unless it is in memory: one request that can run before the rows are known. */
  async prepare(): Promise<void> {
    if (this.#section !== undefined) await this.#open(this.#section)
  }

  #open(section: SectionDescriptor): Promise<Directory> {
    this.#directory ??= this.#readDirectory(section).catch((error: unknown) => {
      // A failure is not kept: the next call tries again.
      this.#directory = undefined
      throw error
    })
    return this.#directory
  }

  async #readDirectory(section: SectionDescriptor): Promise<Directory> {
    const { directory } = section
    const key = this.#source.key(section)
    if (directory === undefined || directory.length % DIRECTORY_ENTRY_BYTES !== 0 || directory.length === 0) {
      throw corrupt('descriptor-damaged', `${key}: section ${section.name} has no directory`, { key })
    }
    const words = wordsOf(await this.#source.checked(section, directory, 'the directory'))
    const blocks = directory.length / DIRECTORY_ENTRY_BYTES
    const firstRow = new Uint32Array(blocks + 1)
    const offset = new Float64Array(blocks + 1)
    for (let b = 0; b < blocks; b++) {
      firstRow[b] = words[b * 4] as number
      offset[b] = (words[b * 4 + 2] as number) + (words[b * 4 + 3] as number) * 2 ** 32
    }
    firstRow[blocks] = this.#rows
    offset[blocks] = directory.offset - section.offset
    for (let b = 0; b < blocks; b++) {
      const contiguous = (offset[b + 1] as number) - (offset[b] as number) === words[b * 4 + 1]
      if (
        firstRow[0] !== 0 ||
        offset[0] !== 0 ||
        !contiguous ||
        (firstRow[b + 1] as number) <= (firstRow[b] as number)
      ) {
        throw corrupt('section-damaged', `${key}: the directory of section ${section.name} is wrong at block ${b}`, {
          key,
        })
      }
    }
    return { blocks, firstRow, offset }
  }

  #parse(section: SectionDescriptor, directory: Directory, block: number, stored: Uint8Array): TextBlock {
    const firstRow = directory.firstRow[block] as number
    const rows = (directory.firstRow[block + 1] as number) - firstRow
    const where = `block ${block} of section ${section.name}`
    return TextBlock.parse(stored, firstRow, rows, where, this.#source.key(section))
  }

  /** Values of rows, in any order; each block is read once. @throws SiltstoneError `corrupt` (`block-damaged` …) */
  async values(rows: ArrayLike<number>): Promise<(string | null)[]> {
    const out = new Array<string | null>(rows.length).fill(null)
    if (this.#section === undefined || rows.length === 0) return out
    const section = this.#section
    const directory = await this.#open(section)
    const byBlock = new Map<number, number[]>()
    for (let i = 0; i < rows.length; i++) {
      const block = blockOf(directory, rows[i] as number)
      const places = byBlock.get(block)
      if (places === undefined) byBlock.set(block, [i])
      else places.push(i)
    }
    const take = (block: number, texts: TextBlock): void => {
      for (const i of byBlock.get(block) ?? []) out[i] = texts.get(rows[i] as number)
    }
    const shelf = this.#shelf
    const missing: number[] = []
    for (const block of [...byBlock.keys()].sort((a, b) => a - b)) {
      const cached = shelf?.get(block)
      if (cached === undefined) missing.push(block)
      else take(block, cached as TextBlock)
    }
    if (missing.length === 0) return out
    const start = (block: number): number => directory.offset[block] as number
    await eachAtMost(
      stretches(missing, start, this.#source.gapBytes, MAX_READ_BYTES),
      PARALLEL_READS,
      async ({ first, end }) => {
        const bytes = await this.#source.range(section, section.offset + start(first), start(end) - start(first))
        for (let block = first; block < end; block++) {
          if (!byBlock.has(block)) continue
          const stored = bytes.subarray(start(block) - start(first), start(block + 1) - start(first))
          const texts = this.#parse(section, directory, block, stored)
          shelf?.set(block, texts, texts.sizeBytes)
          take(block, texts)
        }
      },
    )
    return out
  }

  async cacheAll(isOver: () => boolean): Promise<void> {
    if (this.#section === undefined) return
    const { blocks, firstRow } = await this.#open(this.#section)
    for (let block = 0; block < blocks && !isOver(); block += CACHED_AT_ONCE)
      await this.values(firstRow.subarray(block, Math.min(block + CACHED_AT_ONCE, blocks)))
  }

  /** All blocks in order, without the cache, reading ahead. */
  async *scan(): AsyncGenerator<TextBlock> {
    const section = this.#section
    if (section === undefined) {
      for (let row = 0; row < this.#rows; row += EMPTY_ROWS) {
        yield TextBlock.empty(row, Math.min(EMPTY_ROWS, this.#rows - row))
      }
      return
    }
    const directory = await this.#open(section)
    const start = (block: number): number => directory.offset[block] as number
    const reads = scanAhead(directory.blocks, start, (from, to) =>
      this.#source.range(section, section.offset + from, to - from),
    )
    for await (const { first, end, bytes } of reads) {
      for (let block = first; block < end; block++) {
        const stored = bytes.subarray(start(block) - start(first), start(block + 1) - start(first))
        yield this.#parse(section, directory, block, stored)
      }
    }
  }
}

function blockOf(directory: Directory, row: number): number {
  let low = 0
  let high = directory.blocks
  if (!(row >= 0 && row < (directory.firstRow[high] as number)))
    throw new RangeError(`row ${row} is outside the segment`)
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if ((directory.firstRow[middle] as number) <= row) low = middle
    else high = middle
  }
  return low
}
