import { firstWhere } from '../../binary-search.ts'
import { corrupt } from '../../errors.ts'
import { type Hash64, hash64 } from '../hash64.ts'
import { SplitBlockBloom } from './bloom.ts'
import type { SectionDescriptor } from './descriptor.ts'
import { PageReader, words } from './page-reader.ts'
import { type SectionSource, wordsOf } from './source.ts'

const RECORD_WORDS = 3

/** Finds rows by the hashes of ids; the caller compares the ids themselves. */
export class IdIndexReader {
  readonly pages: PageReader
  readonly #source: SectionSource
  readonly #filterSection: SectionDescriptor | undefined
  #firsts: Promise<Uint32Array> | undefined
  #filter: Promise<SplitBlockBloom> | undefined

  constructor(source: SectionSource, index: SectionDescriptor, filter: SectionDescriptor | undefined, rows: number) {
    this.#source = source
    this.pages = new PageReader(source, index, RECORD_WORDS * 4, rows, words)
    this.#filterSection = filter
  }

  async prepare(): Promise<void> {
    await this.firsts()
  }

  /** First `hi` of every page. */
  firsts(): Promise<Uint32Array> {
    this.#firsts ??= this.#readFirsts().catch((error: unknown) => {
      this.#firsts = undefined
      throw error
    })
    return this.#firsts
  }

  async #readFirsts(): Promise<Uint32Array> {
    const { section } = this.pages
    if (section.directory?.length !== this.pages.pages * 4) {
      throw corrupt('descriptor-damaged', `section ${section.name} has no directory of its pages`)
    }
    return wordsOf(await this.#source.checked(section, section.directory, 'the directory'))
  }

  /** @returns undefined when the segment has no filter */
  async filter(): Promise<SplitBlockBloom | undefined> {
    const section = this.#filterSection
    if (section === undefined) return undefined
    this.#filter ??= this.#readFilter(section).catch((error: unknown) => {
      this.#filter = undefined
      throw error
    })
    return this.#filter
  }

  async #readFilter(section: SectionDescriptor): Promise<SplitBlockBloom> {
    const { offset, length, crc32 } = section
    if (crc32 === undefined || length % 32 !== 0 || length === 0) {
      throw corrupt('descriptor-damaged', `section ${section.name} is no filter`)
    }
    return new SplitBlockBloom(wordsOf(await this.#source.checked(section, { offset, length, crc32 }, 'the content')))
  }

  /** The filter, if it is in memory or smaller than the pages that it can save. */
  async #worthwhile(ids: number): Promise<SplitBlockBloom | undefined> {
    const bytes = this.#filterSection?.length ?? Infinity
    const saved = Math.min(ids, this.pages.pages) * this.pages.geometry.pageBytes
    return this.#filter !== undefined || bytes <= saved ? this.filter() : undefined
  }

  /** Pairs (index into `ids`, row) with equal hashes. */
  async candidates(ids: readonly string[]): Promise<{ id: number; row: number }[]> {
    const [filter, firsts] = await Promise.all([this.#worthwhile(ids.length), this.firsts()])
    const hashes: (Hash64 & { id: number })[] = []
    ids.forEach((text, id) => {
      const hash = hash64(text)
      if (filter === undefined || filter.mayHave(hash.hi, hash.lo)) hashes.push({ ...hash, id })
    })
    const wantedBy = new Map<number, (Hash64 & { id: number })[]>()
    for (const hash of hashes) {
      for (let page = firstPageOf(firsts, hash.hi); page < firsts.length; page++) {
        if ((firsts[page] as number) > hash.hi) break
        const list = wantedBy.get(page)
        if (list === undefined) wantedBy.set(page, [hash])
        else list.push(hash)
      }
    }
    const found: { id: number; row: number }[] = []
    await this.pages.each(
      [...wantedBy.keys()].sort((a, b) => a - b),
      (page, words) => {
        const { recordsPerPage } = this.pages.geometry
        const records = Math.min(recordsPerPage, this.pages.records - page * recordsPerPage)
        for (const { hi, lo, id } of wantedBy.get(page) ?? []) {
          for (let at = lowerBound(words, records, hi); at < records && words[at * RECORD_WORDS] === hi; at++) {
            if (words[at * RECORD_WORDS + 1] === lo) found.push({ id, row: words[at * RECORD_WORDS + 2] as number })
          }
        }
      },
    )
    return found
  }
}

/** The first page that can hold `hi`. Equal hashes may begin at the end of the page before the first that starts with it. */
function firstPageOf(firsts: Uint32Array, hi: number): number {
  return Math.max(0, firstWhere(firsts.length, (page) => (firsts[page] as number) >= hi) - 1)
}

function lowerBound(words: Uint32Array, records: number, hi: number): number {
  return firstWhere(records, (record) => (words[record * RECORD_WORDS] as number) >= hi)
}
