/** Finds the rows whose documents may contain a text, from the trigram index. */
import { firstWhere } from '../binary-search.ts'
import { corrupt } from '../errors.ts'
import { paramCount, type SectionDescriptor } from '../format/segment/descriptor.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { type BlockShelf, eachAtMost, type SectionSource, stretches, wordsOf } from '../format/segment/source.ts'
import { RowSet } from '../format/row-set.ts'
import { TRIGRAMS } from './layout.ts'
import { LEAST_TEXT, type TextQuery } from './text-query.ts'
import { type Found, TrigramBlock } from './trigram-block.ts'
import { DIRECTORY_ENTRY_BYTES } from './trigram-writer.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 16
const VERIFIED_AT_ONCE = 128
/** Trigrams of a long text that are looked up. Each further one would rule out hardly any more rows. */
const MOST_TRIGRAMS = 16

export interface TrigramDirectory {
  blocks: number
  /** First trigram of each block. */
  pairs: Uint32Array
  thirds: Uint32Array
  /** Number of trigrams of each block. */
  trigrams: Uint32Array
  /** Offset of each block in the section, then that of the directory. */
  offsets: Float64Array
}

interface Trigram {
  pair: number
  third: number
}

export class TrigramReader {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #shelf: BlockShelf | undefined
  readonly #rows: number
  readonly #rowsPerGroup: number
  #directory: Promise<TrigramDirectory> | undefined

  private constructor(reader: SegmentReader, section: SectionDescriptor) {
    this.#source = reader.source
    this.#section = section
    this.#shelf = reader.source.shelf(section)
    this.#rows = reader.rows
    this.#rowsPerGroup = paramCount(section, 'rowsPerGroup')
  }

  /** @returns undefined for a segment without a trigram index @throws SiltstoneError `corrupt` (`descriptor-damaged`) */
  static of(reader: SegmentReader): TrigramReader | undefined {
    const section = reader.section(TRIGRAMS.name, TRIGRAMS.type)
    return section && new TrigramReader(reader, section)
  }

  get groups(): number {
    return Math.ceil(this.#rows / this.#rowsPerGroup)
  }

  fail(reason: string, cause?: unknown): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: section ${this.#section.name}: ${reason}`, { key, cause })
  }

  /** Takes one request, which does not depend on the query. @throws SiltstoneError `corrupt` */
  directory(): Promise<TrigramDirectory> {
    this.#directory ??= this.#readDirectory().catch((error: unknown) => {
      // The next call tries again.
      this.#directory = undefined
      throw error
    })
    return this.#directory
  }

  async #readDirectory(): Promise<TrigramDirectory> {
    const { directory, offset: start } = this.#section
    if (!directory || directory.length % DIRECTORY_ENTRY_BYTES !== 0) return this.fail('it has no directory')
    const words = wordsOf(await this.#source.checked(this.#section, directory, 'the directory'))
    const blocks = directory.length / DIRECTORY_ENTRY_BYTES
    const column = (at: number) => Uint32Array.from({ length: blocks }, (_, b) => words[4 * b + at] as number)
    const offsets = new Float64Array(blocks + 1)
    for (let b = 0; b < blocks; b++) offsets[b + 1] = (offsets[b] as number) + (words[4 * b + 2] as number)
    if (offsets[blocks] !== directory.offset - start) this.fail('its blocks do not end where its directory begins')
    return { blocks, pairs: column(0), thirds: column(1), trigrams: column(3), offsets }
  }

  /** @returns the rows whose documents may match; undefined if the index cannot tell @throws SiltstoneError `corrupt` */
  async rows(query: TextQuery): Promise<RowSet | undefined> {
    if (query.kind === 'all') return undefined
    if (query.kind === 'text') return this.candidates(query.text)
    const parts = await Promise.all(query.parts.map((part) => this.rows(part)))
    const known = parts.filter((rows) => rows !== undefined)
    if (query.kind === 'and') return known.length === 0 ? undefined : known.reduce((all, rows) => all.intersect(rows))
    if (known.length < parts.length) return undefined
    return known.reduce((all, rows) => all.unite(rows))
  }

  /** @returns the rows whose documents may contain the text; undefined if the index cannot tell @throws SiltstoneError `corrupt` */
  async candidates(text: string): Promise<RowSet | undefined> {
    const wanted = trigramsOf(text)
    if (wanted.length === 0) return undefined
    const directory = await this.directory()
    const byBlock = new Map<number, Trigram[]>()
    for (const trigram of wanted) {
      const block = blockOf(directory, trigram)
      // The trigram sorts before the first one of the index: no row has it.
      if (block < 0) return new RowSet(this.#rows)
      const list = byBlock.get(block)
      if (list) list.push(trigram)
      else byBlock.set(block, [trigram])
    }
    let groups: RowSet | undefined
    await this.read(
      [...byBlock.keys()].sort((a, b) => a - b),
      (number, block) => {
        for (const { pair, third } of byBlock.get(number) ?? []) {
          const listed = this.#listed(number, block, pair, third)
          if (listed) groups = groups ? groups.intersect(listed) : listed
        }
      },
    )
    return groups && this.#rowsOf(groups)
  }

  /** @returns the groups that contain a trigram; undefined if it is too frequent to be listed */
  #listed(number: number, block: TrigramBlock, pair: number, third: number): RowSet | undefined {
    const found = block.find(pair, third)
    if (found?.kind === 'frequent') return undefined
    const groups = new RowSet(this.groups)
    if (found) this.#eachGroup(number, block, found, (group) => groups.add(group))
    return groups
  }

  /** @throws SiltstoneError `corrupt` */
  #eachGroup(
    number: number,
    block: TrigramBlock,
    found: Extract<Found, { kind: 'list' }>,
    take: (group: number) => void,
  ): void {
    const count = block.each(found, (group) => {
      if (group >= this.groups) this.fail(`block ${number} names group ${group}, and there are ${this.groups} groups`)
      take(group)
    })
    if (count !== found.count) this.fail(`a list in block ${number} has ${count} groups instead of ${found.count}`)
  }

  #rowsOf(groups: RowSet): RowSet {
    const rows = new RowSet(this.#rows)
    for (const group of groups) {
      const end = Math.min(this.#rows, (group + 1) * this.#rowsPerGroup)
      for (let row = group * this.#rowsPerGroup; row < end; row++) rows.add(row)
    }
    return rows
  }

  /** @param blocks ascending @throws SiltstoneError `corrupt` */
  async read(blocks: readonly number[], take: (number: number, block: TrigramBlock) => void): Promise<void> {
    const { offsets } = await this.directory()
    const missing: number[] = []
    for (const block of blocks) {
      const cached = this.#shelf?.get(block) as TrigramBlock | undefined
      if (cached) take(block, cached)
      else missing.push(block)
    }
    const wanted = new Set(missing)
    const start = (block: number): number => offsets[block] as number
    await eachAtMost(
      stretches(missing, start, this.#source.gapBytes, MAX_READ_BYTES),
      PARALLEL_READS,
      async ({ first, end }) => {
        const offset = this.#section.offset + start(first)
        const bytes = await this.#source.range(this.#section, offset, start(end) - start(first))
        for (let number = first; number < end; number++) {
          if (!wanted.has(number)) continue
          const stored = bytes.subarray(start(number) - start(first), start(number + 1) - start(first))
          const block = TrigramBlock.parse(stored, (reason, cause) => this.fail(`block ${number} ${reason}`, cause))
          this.#shelf?.set(number, block, block.sizeBytes)
          take(number, block)
        }
      },
    )
  }

  /** Reads and checks the whole index. @throws SiltstoneError `corrupt` at the first damage */
  async verify(): Promise<void> {
    const { blocks, pairs, thirds, trigrams } = await this.directory()
    let last: Trigram = { pair: -1, third: 0 }
    for (let first = 0; first < blocks; first += VERIFIED_AT_ONCE) {
      const some = Array.from({ length: Math.min(VERIFIED_AT_ONCE, blocks - first) }, (_, i) => first + i)
      const read = new Map<number, TrigramBlock>()
      await this.read(some, (number, block) => read.set(number, block))
      for (const number of some) {
        const block = read.get(number) as TrigramBlock
        const isNamed =
          block.trigrams === trigrams[number] &&
          block.compare(0, pairs[number] as number, thirds[number] as number) === 0
        if (!isNamed) this.fail(`block ${number} does not match the directory`)
        if (block.compare(0, last.pair, last.third) <= 0) this.fail(`block ${number} is out of order`)
        for (let i = 0; i < block.trigrams; i++) {
          last = { pair: block.pair(i), third: block.third(i) }
          const found = block.find(last.pair, last.third)
          if (found && found.kind !== 'frequent') this.#eachGroup(number, block, found, () => undefined)
        }
      }
    }
  }
}

/** At most `MOST_TRIGRAMS` trigrams of a text, evenly spread so that they overlap little. */
function trigramsOf(text: string): Trigram[] {
  const all = Math.max(0, text.length - LEAST_TEXT + 1)
  const taken = Math.min(all, MOST_TRIGRAMS)
  const found = new Map<string, Trigram>()
  for (let i = 0; i < taken; i++) {
    const at = Math.floor((i * all) / taken)
    const pair = text.charCodeAt(at) * 65_536 + text.charCodeAt(at + 1)
    const third = text.charCodeAt(at + 2)
    found.set(`${pair} ${third}`, { pair, third })
  }
  return [...found.values()]
}

/** The block that would contain a trigram; −1 if it sorts before the first block. */
function blockOf({ blocks, pairs, thirds }: TrigramDirectory, { pair, third }: Trigram): number {
  const isAfter = (block: number) =>
    (pairs[block] as number) > pair || (pairs[block] === pair && (thirds[block] as number) > third)
  return firstWhere(blocks, isAfter) - 1
}
