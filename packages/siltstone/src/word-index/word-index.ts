/** Reads a word index of a segment: see `layout.ts`. All that is read is verified by its checksum. */
import { crc32, zstdDecompress } from '#codec'
import { readUint32 } from '../codec/bytes.ts'
import { corrupt } from '../errors.ts'
import type { SectionDescriptor } from '../format/segment/descriptor.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { type BlockShelf, eachAtMost, type SectionSource, stretches } from '../format/segment/source.ts'
import { DIMENSION_KEYS, type KeySpace, pageOf, WORD_KEYS } from './keys.ts'
import {
  COMPACT_VERSION,
  EXACT_COMPACT_VERSION,
  FLOAT_WEIGHTS,
  isOfTexts,
  isWordIndex,
  MOST_WEIGHTS,
  TABLE_WEIGHTS,
  type WordIndexParams,
} from './layout.ts'
import { fromPlanes } from '../codec/planes.ts'
import { PostingList, wordBound } from './posting-list.ts'
import { type TermEntry, TermPage } from './term-page.ts'

const PARALLEL_READS = 32
const MAX_READ_BYTES = 4 << 20

export class WordIndex {
  readonly params: WordIndexParams
  readonly #rows: number
  readonly #source: SectionSource
  readonly #section: SectionDescriptor
  readonly #shelf: BlockShelf | undefined
  readonly #keys: KeySpace
  #tail: Promise<Uint8Array<ArrayBuffer>> | undefined

  private constructor(reader: SegmentReader, section: SectionDescriptor) {
    this.#rows = reader.rows
    this.#source = reader.source
    this.#section = section
    this.#shelf = reader.source.shelf(section)
    this.params = this.#paramsOf(section)
    this.#keys = this.isOfTexts ? WORD_KEYS : DIMENSION_KEYS
  }

  /** All word indexes of a segment. */
  static all(reader: SegmentReader): WordIndex[] {
    return reader.descriptor.sections.filter(isWordIndex).map((section) => new WordIndex(reader, section))
  }

  /** The index of the texts or of the sparse vectors under a key; undefined if the segment has none. */
  static of(reader: SegmentReader, key: string, kind: 'text' | 'sparse'): WordIndex | undefined {
    let known = opened.get(reader)
    if (!known) opened.set(reader, (known = new Map()))
    const name = `${kind} ${key}`
    let index = known.get(name)
    const section = reader.descriptor.sections.find(
      (it) => isWordIndex(it) && it.params['key'] === key && isOfTexts(it.params['kind']) === (kind === 'text'),
    )
    if (!index && section) known.set(name, (index = new WordIndex(reader, section)))
    return index
  }

  #paramsOf({ params }: SectionDescriptor): WordIndexParams {
    const count = (name: keyof WordIndexParams): number => {
      const value = params[name]
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
        ? value
        : this.fail(`has the parameter ${name} ${JSON.stringify(value)}`)
    }
    const read = {
      key: String(params['key']),
      kind: String(params['kind']),
      valued: count('valued'),
      totalLength: count('totalLength'),
      terms: count('terms'),
      pages: count('pages'),
      pageBytes: count('pageBytes'),
      pagesOffset: count('pagesOffset'),
      tailOffset: count('tailOffset'),
      lengthBytes: count('lengthBytes'),
      leastWeight: Number(params['leastWeight']),
    }
    const isWhole =
      read.pages > 0 &&
      read.pageBytes >= 16 &&
      read.pagesOffset + read.pages * read.pageBytes === read.tailOffset &&
      read.tailOffset <= this.#section.length &&
      read.valued <= this.#rows &&
      read.leastWeight <= 0
    if (!isWhole) this.fail('has parameters that do not fit its size')
    return read
  }

  /** Of the section. */
  get name(): string {
    return this.#section.name
  }

  /** @throws SiltstoneError `corrupt` (`section-damaged`) */
  fail(reason: string): never {
    const key = this.#source.key(this.#section)
    throw corrupt('section-damaged', `${key}: section ${this.#section.name} ${reason}`, { key })
  }

  get isOfTexts(): boolean {
    return isOfTexts(this.params.kind)
  }

  /** Whether lengths are as `roundedLength` gives them. */
  get hasRoundedLengths(): boolean {
    return this.isOfTexts && this.#section.version === COMPACT_VERSION
  }

  get #areFloats(): boolean {
    return this.params.kind === FLOAT_WEIGHTS
  }

  /** The lists of some keys; undefined for keys that no row has. @throws SiltstoneError `corrupt` */
  async lists(keys: readonly number[]): Promise<(PostingList | undefined)[]> {
    const lists = new Array<PostingList | undefined>(keys.length)
    const missing: number[] = []
    keys.forEach((key, i) => {
      lists[i] = this.#shelf?.get(listPlace(key)) as PostingList | undefined
      if (!lists[i]) missing.push(i)
    })
    if (missing.length === 0) return lists
    const places = missing.map((i) => pageOf(keys[i] as number, this.#keys, this.params.pages))
    const [pages, weights] = await Promise.all([
      this.pages([...new Set(places)].sort((a, b) => a - b)),
      this.isOfTexts ? undefined : this.weights(),
    ])
    const wanted: { i: number; key: number; entry: TermEntry }[] = []
    for (const [k, i] of missing.entries()) {
      const key = keys[i] as number
      const entry = pages.get(places[k] as number)?.find(key)
      if (entry) wanted.push({ i, key, entry })
    }
    const stored = wanted.filter(({ entry }) => entry.list)
    const keep = (key: number, list: PostingList) => this.#shelf?.set(listPlace(key), list, list.sizeBytes)
    for (const { i, key, entry } of wanted) {
      if (!entry.postings) continue
      const list = this.#inlineList(entry.postings, weights)
      lists[i] = list
      keep(key, list)
    }
    stored.sort((a, b) => (a.entry.list?.offset ?? 0) - (b.entry.list?.offset ?? 0))
    await this.#readLists(
      stored.map(({ entry }) => entry),
      (k, list) => {
        const { i, key } = stored[k] as (typeof stored)[number]
        lists[i] = list
        keep(key, list)
      },
    )
    return lists
  }

  /** A bound of such a list says nothing of lengths: its postings are so few that all are scored. */
  #inlineList({ rows, payloads }: NonNullable<TermEntry['postings']>, weights: Float32Array | undefined): PostingList {
    if (rows.length > 0 && (rows.at(-1) as number) >= this.#rows) this.fail(`names row ${rows.at(-1)}`)
    return PostingList.of(rows, payloads, this.#areFloats, (_, some) => {
      if (this.isOfTexts) return wordBound(Math.max(...some) + 1, 0)
      const values = weights
        ? Float32Array.from(some, (code) => weights[code] as number)
        : new Float32Array(some.slice().buffer)
      return new Uint32Array(Float32Array.of(Math.max(...values)).buffer)[0] as number
    })
  }

  /** The lists that are stored, of the entries of one page in their order. @throws SiltstoneError `corrupt` */
  async storedLists(entries: readonly TermEntry[]): Promise<PostingList[]> {
    const lists = new Array<PostingList>(entries.length)
    await this.#readLists(entries, (i, list) => (lists[i] = list))
    return lists
  }

  /** @param entries whose lists are stored, by offset */
  async #readLists(entries: readonly TermEntry[], take: (i: number, list: PostingList) => void): Promise<void> {
    const places = entries.map(({ list }) => list as NonNullable<TermEntry['list']>)
    for (const { offset, length } of places)
      if (!(offset >= 0 && offset + length <= this.params.pagesOffset)) this.fail(`names a list at ${offset}`)
    // Not one after another, so the end of each is given as the start of a place behind it.
    const bounds = places.flatMap(({ offset, length }) => [offset, offset + length])
    const joined = stretches(
      places.map((_, i) => 2 * i),
      (i) => bounds[i] as number,
      this.#source.gapBytes,
      MAX_READ_BYTES,
    )
    await eachAtMost(joined, PARALLEL_READS, async ({ first, end }) => {
      const start = bounds[first] as number
      const stop = bounds[end] as number
      const bytes = await this.#source.range(this.#section, this.#section.offset + start, stop - start)
      for (let i = first / 2; 2 * i < end; i++) {
        const { offset, length } = places[i] as (typeof places)[number]
        const { count } = entries[i] as TermEntry
        // A copy: a view would keep the whole read in memory, and may not be aligned.
        const own = new Uint8Array(bytes.subarray(offset - start, offset - start + length))
        const list = PostingList.parse(own, count, (reason) => this.fail(`: the list at ${offset} ${reason}`))
        if (list.lastRow(list.blocks - 1) >= this.#rows)
          this.fail(`: the list at ${offset} names a row that is not there`)
        take(i, list)
      }
    })
  }

  /** @param numbers ascending @throws SiltstoneError `corrupt` */
  async pages(numbers: readonly number[]): Promise<Map<number, TermPage>> {
    const { pageBytes, pagesOffset } = this.params
    const pages = new Map<number, TermPage>()
    const missing: number[] = []
    for (const number of numbers) {
      const known = this.#shelf?.get(number) as TermPage | undefined
      if (known) pages.set(number, known)
      else missing.push(number)
    }
    await eachAtMost(
      stretches(missing, (page) => page * pageBytes, this.#source.gapBytes, MAX_READ_BYTES),
      PARALLEL_READS,
      async ({ first, end }) => {
        const offset = this.#section.offset + pagesOffset + first * pageBytes
        const bytes = await this.#source.range(this.#section, offset, (end - first) * pageBytes)
        for (let number = first; number < end; number++) {
          if (!missing.includes(number)) continue
          const own = new Uint8Array(bytes.subarray((number - first) * pageBytes, (number - first + 1) * pageBytes))
          const page = new TermPage(own, this.#keys, (reason) => this.fail(`: page ${number} ${reason}`))
          this.#shelf?.set(number, page, page.sizeBytes)
          pages.set(number, page)
        }
      },
    )
    return pages
  }

  /** Of each row: the words of its text, plus 1; 0 without one. @throws SiltstoneError `corrupt` */
  async lengths(): Promise<Uint8Array | Uint16Array | Uint32Array> {
    const { lengthBytes } = this.params
    const bytes = await this.#readTail()
    if (bytes.length !== this.#rows * lengthBytes) this.fail(`has lengths of ${bytes.length} bytes`)
    if (lengthBytes === 1) return bytes
    return lengthBytes === 2 ? new Uint16Array(bytes.buffer) : new Uint32Array(bytes.buffer)
  }

  /** The table of weights, ascending; undefined if weights are stored as floats. @throws SiltstoneError `corrupt` */
  async weights(): Promise<Float32Array | undefined> {
    if (this.params.kind !== TABLE_WEIGHTS) return undefined
    const bytes = await this.#readTail()
    if (bytes.length % 4 !== 0 || bytes.length > 4 * MOST_WEIGHTS) this.fail(`has a table of ${bytes.length} bytes`)
    return new Float32Array(bytes.buffer)
  }

  #readTail(): Promise<Uint8Array<ArrayBuffer>> {
    this.#tail ??= this.#checkedTail().catch((error: unknown) => {
      // A failure is not kept: the next caller tries again.
      this.#tail = undefined
      throw error
    })
    return this.#tail
  }

  async #checkedTail(): Promise<Uint8Array<ArrayBuffer>> {
    const { tailOffset } = this.params
    const length = this.#section.length - tailOffset
    const bytes = await this.#source.range(this.#section, this.#section.offset + tailOffset, length)
    if (length < 4 || crc32(bytes.subarray(4)) !== readUint32(bytes, 0))
      this.fail(`: what follows its pages does not match its checksum`)
    const stored = bytes.subarray(4)
    const mostBytes = this.isOfTexts ? this.#rows * this.params.lengthBytes : 4 * MOST_WEIGHTS
    // Copies: aligned, whatever the bytes are a view of.
    if (this.#section.version < EXACT_COMPACT_VERSION) return new Uint8Array(stored)
    const content = zstdDecompress(stored, mostBytes)
    return this.isOfTexts ? fromPlanes(content, this.params.lengthBytes) : new Uint8Array(content)
  }

  get keySpace(): KeySpace {
    return this.#keys
  }
}

const opened = new WeakMap<SegmentReader, Map<string, WordIndex>>()

/** Where the cache has the list of a key; pages have the places from 0 on. */
function listPlace(key: number): number {
  return -1 - key
}
