/** Reads the dictionary of a segment: see `layout.ts`. All that is read is verified by its checksum. */
import { firstWhere } from '../../binary-search.ts'
import { readUint32 } from '../../codec/bytes.ts'
import { corrupt } from '../../errors.ts'
import { crcHex } from '../../format/checksum.ts'
import { decodeFrontCoded } from '../../format/front-coded.ts'
import type { SectionDescriptor } from '../../format/segment/descriptor.ts'
import type { SegmentReader } from '../../format/segment/reader.ts'
import { type BlockShelf, eachAtMost, type SectionSource, stretches } from '../../format/segment/source.ts'
import { DOCUMENT_KEY } from '../../model/schema.ts'
import { compareKeys } from '../../ports/object-key.ts'
import { decodeBlock } from './block.ts'
import { DICTIONARY, WHOLE_BYTES, type WordRows } from './layout.ts'
import { ENTRY_BYTES } from './write-dictionary.ts'

const MAX_READ_BYTES = 4 << 20
const PARALLEL_READS = 16
/** Of a word in memory, besides its characters. */
const WORD_BYTES = 60

interface Directory {
  /** Of each block. */
  firsts: readonly string[]
  words: readonly number[]
  /** Of each block in the section, then that of the directory. */
  offsets: readonly number[]
}

export class WordDictionary {
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #shelf: BlockShelf | undefined
  readonly #rows: number
  #directory: Promise<Directory> | undefined
  #whole: Promise<Uint8Array> | undefined

  private constructor(reader: SegmentReader, section: SectionDescriptor) {
    this.#source = reader.source
    this.#section = section
    this.#shelf = reader.source.shelf(section)
    this.#rows = reader.rows
  }

  /** All dictionaries of a segment. */
  static all(reader: SegmentReader): WordDictionary[] {
    return reader.descriptor.sections.filter(isDictionary).map((section) => new WordDictionary(reader, section))
  }

  /** The dictionary of documents (`#document`) or of the texts under a metadata key; undefined if the segment has none. */
  static of(reader: SegmentReader, key: string): WordDictionary | undefined {
    let known = opened.get(reader)
    if (!known) opened.set(reader, (known = new Map()))
    let dictionary = known.get(key)
    const section = reader.descriptor.sections.find((it) => isDictionary(it) && keyOfDictionary(it) === key)
    if (!dictionary && section) known.set(key, (dictionary = new WordDictionary(reader, section)))
    return dictionary
  }

  /** The name of the analyzer that cut the words. */
  get analyzer(): string {
    return String(this.#section.params['analyzer'])
  }

  /** The number of its words, as the descriptor says. */
  get words(): number {
    return Number(this.#section.params['words'])
  }

  /** @throws SiltstoneError `corrupt` (`section-damaged`) */
  fail(reason: string, cause?: unknown): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: section ${this.#section.name} ${reason}`, { key, cause })
  }

  /** All words that begin with a text, in byte order. Reads the directory, then their blocks. @throws SiltstoneError `corrupt` */
  async startingWith(text: string): Promise<WordRows[]> {
    const { firsts } = await this.#readDirectory()
    // The last block that begins at or before the text may have the first of the words.
    const first = Math.max(0, firstWhere(firsts.length, (b) => compareKeys(firsts[b] as string, text) > 0) - 1)
    const end =
      first +
      firstWhere(firsts.length - first, (i) => {
        const word = firsts[first + i] as string
        return compareKeys(word, text) > 0 && !word.startsWith(text)
      })
    const found: WordRows[] = []
    for (const block of await this.blocks(first, end))
      for (const one of block) if (one.word.startsWith(text)) found.push(one)
    return found
  }

  /** The number of blocks. @throws SiltstoneError `corrupt` */
  async blockCount(): Promise<number> {
    return (await this.#readDirectory()).firsts.length
  }

  /** The blocks from `first` on, before `end`. @throws SiltstoneError `corrupt` */
  async blocks(first: number, end: number): Promise<(readonly WordRows[])[]> {
    const directory = await this.#readDirectory()
    const blocks = new Array<readonly WordRows[]>(end - first)
    const missing: number[] = []
    for (let b = first; b < end; b++) {
      const known = this.#shelf?.get(b) as readonly WordRows[] | undefined
      if (known) blocks[b - first] = known
      else missing.push(b)
    }
    const offsetOf = (b: number) => directory.offsets[b] as number
    await eachAtMost(
      stretches(missing, offsetOf, this.#source.gapBytes, MAX_READ_BYTES),
      PARALLEL_READS,
      async (stretch) => {
        const start = offsetOf(stretch.first)
        const bytes = await this.#bytes(start, offsetOf(stretch.end) - start)
        for (let b = stretch.first; b < stretch.end; b++) {
          if (blocks[b - first]) continue
          const block = this.#parsed(bytes.subarray(offsetOf(b) - start, offsetOf(b + 1) - start), b, directory)
          this.#shelf?.set(
            b,
            block,
            block.reduce((sum, { word }) => sum + WORD_BYTES + 2 * word.length, 0),
          )
          blocks[b - first] = block
        }
      },
    )
    return blocks
  }

  #parsed(stored: Uint8Array, b: number, { firsts, words }: Directory): WordRows[] {
    const block = decodeBlock(stored, (reason, cause) => this.fail(`: block ${b} ${reason}`, cause))
    if (block.length !== words[b] || block[0]?.word !== firsts[b])
      this.fail(`: block ${b} is not what the directory says`)
    const wrong = block.find(({ rows }) => rows === 0 || rows > this.#rows)
    if (wrong) this.fail(`: block ${b} has a word in ${wrong.rows} of ${this.#rows} documents`)
    return block
  }

  /** @param offset in the section */
  async #bytes(offset: number, length: number): Promise<Uint8Array> {
    const { length: all, offset: start } = this.#section
    if (all > WHOLE_BYTES) return this.#source.range(this.#section, start + offset, length)
    this.#whole ??= this.#source.range(this.#section, start, all).catch((error: unknown) => {
      // A failure is not kept: the next caller tries again.
      this.#whole = undefined
      throw error
    })
    return (await this.#whole).subarray(offset, offset + length)
  }

  #readDirectory(): Promise<Directory> {
    this.#directory ??= this.#checkedDirectory().catch((error: unknown) => {
      this.#directory = undefined
      throw error
    })
    return this.#directory
  }

  async #checkedDirectory(): Promise<Directory> {
    const { directory, offset: start, length, params } = this.#section
    const blocks = Number(params['blocks'])
    if (!directory || !Number.isSafeInteger(blocks) || blocks < 0 || blocks * ENTRY_BYTES > directory.length)
      return this.fail('has no directory of its blocks')
    const place = directory.offset - start
    if (place < 0 || place + directory.length !== length) this.fail('does not end with its directory')
    const bytes = await this.#bytes(place, directory.length)
    if (crcHex(bytes) !== directory.crc32) this.fail(': its directory does not match its checksum')
    const firsts = decodeFrontCoded(bytes.subarray(blocks * ENTRY_BYTES), blocks)
    if (!firsts) return this.fail(': its directory is damaged')
    const words: number[] = []
    const offsets = [0]
    for (let b = 0; b < blocks; b++) {
      offsets.push((offsets[b] as number) + readUint32(bytes, b * ENTRY_BYTES))
      words.push(readUint32(bytes, b * ENTRY_BYTES + 4))
    }
    if (offsets[blocks] !== place) this.fail(': its blocks do not end where its directory begins')
    if (firsts.some((word, b) => b > 0 && compareKeys(word, firsts[b - 1] as string) <= 0))
      this.fail(': its directory is out of order')
    return { firsts, words, offsets }
  }

  /** Reads all of it, and checks what can be checked without the documents. @throws SiltstoneError `corrupt` (`section-damaged`) */
  async verify(): Promise<void> {
    const blocks = await this.blockCount()
    let count = 0
    let last = ''
    for (let b = 0; b < blocks; b++) {
      const [block = []] = await this.blocks(b, b + 1)
      if (b > 0 && compareKeys(block[0]?.word ?? '', last) <= 0) this.fail(`: block ${b} is out of order`)
      last = block.at(-1)?.word ?? ''
      count += block.length
    }
    if (count !== this.words) this.fail(`has ${count} words, and its parameters say ${this.words}`)
  }
}

export function isDictionary({ type, version }: SectionDescriptor): boolean {
  return type === DICTIONARY.type && version === 1
}

/** The key of the texts whose words it has. */
export function keyOfDictionary({ params }: SectionDescriptor): string {
  return String(params['key'] ?? DOCUMENT_KEY)
}

const opened = new WeakMap<SegmentReader, Map<string, WordDictionary>>()
