/** Builds the word index and the dictionary of the texts of a segment's rows. */
import { toPlanes } from '../codec/planes.ts'
import { GONE, type IndexedColumn, type OldSegment, segmentThatKnows } from '../format/segment/old-segment.ts'
import type { Pending, Sink } from '../format/segment/sink.ts'
import type { SectionContent } from '../format/segment/writer.ts'
import type { Metadata } from '../model/record.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import { eachWord, fold } from '../text/words.ts'
import { mergedWords } from './dictionary/merged-words.ts'
import type { WordCounter } from './dictionary/word-counter.ts'
import type { WordDictionary } from './dictionary/word-dictionary.ts'
import { writeDictionary } from './dictionary/write-dictionary.ts'
import type { Inverter, TermPostings } from './inverter.ts'
import { WORD_KEYS } from './keys.ts'
import { mergedLists } from './merged-lists.ts'
import { wordBound } from './posting-list.ts'
import { roundedLength } from './rounded-length.ts'
import { type TermLayout, writeWordSection } from './section-writer.ts'
import { TermCounter } from './term-counter.ts'
import type { WordIndex } from './word-index.ts'
import { type TextSource, textUnder } from './word-source.ts'

/** Texts that are read at a time. */
const TEXT_BATCH = 1_024

/** A segment whose index and dictionary are merged into the new ones. */
export interface OldTexts {
  segment: OldSegment
  index: WordIndex
  dictionary: WordDictionary
}

export interface TextIndexParts {
  source: TextSource
  inverter: Inverter
  words: WordCounter
  /** Words of rows of old segments that are not in the new one. */
  removed: WordCounter
  layout: TermLayout
  /** By the place of the segment; undefined: its texts are cut again. */
  old: readonly (OldTexts | undefined)[]
}

export class TextIndexBuilder {
  readonly column: IndexedColumn
  readonly #parts: TextIndexParts
  readonly #counter: TermCounter
  readonly #take: (term: number, count: number) => void
  #row = 0
  /** Of each row: the words of its text, plus 1; 0 without a text. */
  #lengths = new Uint32Array(1 << 10)
  #valued = 0
  #totalLength = 0
  #removedRows = 0

  constructor(parts: TextIndexParts) {
    const { source, inverter, words } = parts
    this.#parts = parts
    this.column = source.key === DOCUMENT_KEY ? 'documents' : 'metadata'
    this.#counter = new TermCounter(source.analyzer, (term) => inverter.numberOf(term), words)
    this.#take = (term, count) => inverter.addNumbered(term, this.#row, count - 1)
  }

  get isOfDocuments(): boolean {
    return this.column === 'documents'
  }

  /** Whether an index that is merged knows the row. */
  knows(origin: number | undefined): boolean {
    return this.#parts.old[segmentThatKnows(origin, this.column)] !== undefined
  }

  /** A row that no index knows. */
  add(row: number, metadata: Metadata | null, document: string | null): Pending {
    const { inverter, words, layout } = this.#parts
    const text = this.#textOf(metadata, document)
    if (text === null) return undefined
    this.#row = row
    const counted = this.#counter.count(row, text, this.#take)
    this.#setLength(row, layout.isCompact ? roundedLength(counted) : counted)
    const [postings, counts] = [inverter.endRow(), words.endRow()]
    if (!postings && !counts) return undefined
    // The numbers of terms or words begin again.
    this.#counter.clear()
    return Promise.all([postings, counts]).then(() => undefined)
  }

  #textOf(metadata: Metadata | null, document: string | null): string | null {
    return this.isOfDocuments ? document : (textUnder(metadata, this.#parts.source.key) ?? null)
  }

  #setLength(row: number, words: number): void {
    this.#reserve(row + 1)
    this.#lengths[row] = words + 1
    this.#valued++
    this.#totalLength += words
  }

  #reserve(rows: number): void {
    if (rows <= this.#lengths.length) return
    const larger = new Uint32Array(2 ** Math.ceil(Math.log2(rows)))
    larger.set(this.#lengths)
    this.#lengths = larger
  }

  get #old(): OldTexts[] {
    return this.#parts.old.filter((it) => it !== undefined)
  }

  /** Call once, after `section`. */
  async dictionary(sink: Sink): Promise<SectionContent> {
    const { source, words, removed } = this.#parts
    const { key, analyzer } = source
    const old = this.#old
    for (const { segment } of old) await this.#countRemoved(segment)
    const dictionaries = old.map(({ dictionary }) => dictionary)
    const all = old.length === 0 ? words.words() : mergedWords(dictionaries, words.words(), removed.words())
    return writeDictionary(sink, all, { key, analyzer: analyzer.name })
  }

  async #countRemoved(segment: OldSegment): Promise<void> {
    const { removed } = this.#parts
    const rows = segment.leftOut(this.column)
    for (let first = 0; first < rows.length; first += TEXT_BATCH) {
      const some = rows.slice(first, first + TEXT_BATCH)
      for (const value of await segment.reader.column(this.column, some)) {
        if (value === null) continue
        const text = this.isOfDocuments ? value : this.#textOf(parseForFilter(value), null)
        if (text === null) continue
        const row = this.#removedRows++
        eachWord(text, (word) => removed.see(removed.numberOf(fold(word)), row))
        await removed.endRow()
      }
    }
  }

  async section(sink: Sink, rows: number): Promise<SectionContent> {
    const { source, layout } = this.#parts
    this.#reserve(rows)
    for (const old of this.#old) await this.#takeLengths(old)
    const lengths = this.#lengths.subarray(0, rows)
    const most = lengths.reduce((max, length) => Math.max(max, length), 0)
    const lengthBytes = most < 2 ** 8 ? 1 : most < 2 ** 16 ? 2 : 4
    const stored =
      lengthBytes === 1 ? Uint8Array.from(lengths) : lengthBytes === 2 ? Uint16Array.from(lengths) : lengths.slice()
    const tail = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
    return writeWordSection(this.#lists(rows), sink, {
      keys: WORD_KEYS,
      areFloats: false,
      boundOf: (some, repetitions) => {
        let frequency = 0
        let length = Number.POSITIVE_INFINITY
        for (let i = 0; i < some.length; i++) {
          frequency = Math.max(frequency, (repetitions[i] as number) + 1)
          length = Math.min(length, (lengths[some[i] as number] as number) - 1)
        }
        return wordBound(frequency, length)
      },
      tail: layout.isCompact ? toPlanes(tail, lengthBytes) : tail,
      layout,
      params: {
        key: source.key,
        kind: source.analyzer.name,
        valued: this.#valued,
        totalLength: this.#totalLength,
        lengthBytes,
        leastWeight: 0,
      },
    })
  }

  async #takeLengths({ segment, index }: OldTexts): Promise<void> {
    const lengths = await index.lengths()
    const map = segment.rowsOf(this.column)
    for (let old = 0; old < map.length; old++) {
      const length = lengths[old] as number
      if (length > 0 && map[old] !== GONE) this.#setLength(map[old] as number, length - 1)
    }
  }

  #lists(rows: number): AsyncIterable<TermPostings> {
    const { inverter } = this.#parts
    const old = this.#old.map(({ segment, index }) => ({
      index,
      rows: segment.rowsOf(this.column),
      translate: undefined,
    }))
    return old.length === 0 ? inverter.lists() : mergedLists(old, inverter.lists(), rows)
  }

  async close(): Promise<void> {
    const { inverter, words, removed } = this.#parts
    await Promise.all([inverter.close(), words.close(), removed.close()])
  }
}
