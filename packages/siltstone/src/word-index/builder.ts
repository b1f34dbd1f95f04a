/**
 * Builds the word indexes of a segment, and the dictionaries of its texts, while its rows are written. Rows that were in other
 * segments keep what the indexes of these say of them: the indexes are merged, which takes no look at the rows' texts. Memory: `memoryBytes` for the
 * postings of each index, 4 bytes per row, and some 100 bytes per term and word; while indexes are merged, 16 MB and 8 bytes per
 * row. The rest goes to the scratch disk.
 */
import type { OldSegment } from '../format/segment/old-segment.ts'
import { both, type Pending } from '../format/segment/sink.ts'
import { STORED_LAYOUT } from '../format/segment/layout.ts'
import type { SegmentWriter } from '../format/segment/writer.ts'
import type { Metadata } from '../model/record.ts'
import { memoryScratch, type Scratch } from '../ports/scratch.ts'
import { Inverter, POSTING_BYTES } from './inverter.ts'
import { DOCUMENT_WORDS, sparseSectionName, textSectionName } from './layout.ts'
import { DICTIONARY, textDictionaryName } from './dictionary/layout.ts'
import { WordCounter } from './dictionary/word-counter.ts'
import type { TermLayout } from './section-writer.ts'
import { SparseIndexBuilder } from './sparse-index-builder.ts'
import { TextIndexBuilder } from './text-index-builder.ts'
import { usableDictionaryOf, usableIndexOf } from './indexed-keys.ts'
import type { WantedIndexes } from './word-source.ts'

const MEMORY_BYTES = 40 * 1024 * 1024

export interface BuilderOptions {
  scratch?: Scratch | undefined
  /** For the postings of an index. Default 40 MB. */
  memoryBytes?: number | undefined
  /** The most postings of an index in memory. Default: as many as `memoryBytes` holds. */
  maxPostings?: number
  /** The most words of the dictionary in memory. */
  maxWords?: number
  /** The most different weights of a table. Default: as the format allows. */
  mostWeights?: number
  /** Default: that of stores. */
  layout?: TermLayout | undefined
  /** Segments that rows come from. */
  old?: readonly OldSegment[] | undefined
}

export class WordIndexBuilder {
  readonly #texts: readonly TextIndexBuilder[]
  readonly #sparse: readonly SparseIndexBuilder[]

  constructor({ texts, sparseKeys }: WantedIndexes, options: BuilderOptions = {}) {
    const { scratch = memoryScratch, memoryBytes = MEMORY_BYTES, maxWords, layout = STORED_LAYOUT, old = [] } = options
    const { maxPostings = Math.ceil(memoryBytes / POSTING_BYTES) } = options
    const inverter = () => new Inverter(scratch, maxPostings)
    const counter = () => new WordCounter(scratch, maxWords)
    // Indexes of segments for pages have other lengths.
    const mergeable = layout.isCompact ? [] : old
    this.#texts = texts.map((source) => {
      const segments = mergeable.map((segment) => {
        const [index, dictionary] = [usableIndexOf(segment.reader, source), usableDictionaryOf(segment.reader, source)]
        return index && dictionary && !index.hasRoundedLengths ? { segment, index, dictionary } : undefined
      })
      return new TextIndexBuilder({
        source,
        inverter: inverter(),
        words: counter(),
        removed: counter(),
        layout,
        old: segments,
      })
    })
    this.#sparse = sparseKeys.map((key) => {
      const segments = mergeable.map((segment) => {
        const index = usableIndexOf(segment.reader, { kind: 'sparse', key })
        return index && { segment, index }
      })
      return new SparseIndexBuilder({
        key,
        inverter: inverter(),
        mostWeights: options.mostWeights,
        layout,
        old: segments,
      })
    })
  }

  /** Whether a row's metadata must be given. @param origin see `originOf`; undefined: it was in no segment */
  needsMetadata(origin: number | undefined): boolean {
    return (
      this.#texts.some((builder) => !builder.isOfDocuments && !builder.knows(origin)) ||
      this.#sparse.some((builder) => !builder.knows(origin))
    )
  }

  /**
   * Rows come in order, from 0; metadata as `parseForFilter` gives them. If a promise is returned, wait for it before the next call.
   * @param origin see `originOf`; undefined: the row was in no segment
   */
  add(row: number, metadata: Metadata | null, document: string | null, origin?: number): Pending {
    let pending: Pending
    for (const builder of this.#texts)
      if (!builder.knows(origin)) pending = both(pending, builder.add(row, metadata, document))
    for (const builder of this.#sparse) if (!builder.knows(origin)) pending = both(pending, builder.add(row, metadata))
    return pending
  }

  /** Call after the last row, when the maps of old segments are filled. */
  async sections(writer: SegmentWriter): Promise<void> {
    let metadataKeys = 0
    for (const builder of this.#texts) {
      const i = builder.isOfDocuments ? undefined : metadataKeys++
      const [words, dictionary] =
        i === undefined ? [DOCUMENT_WORDS, DICTIONARY.name] : [textSectionName(i), textDictionaryName(i)]
      await writer.addSection(words, (sink) => builder.section(sink, writer.rows))
      await writer.addSection(dictionary, (sink) => builder.dictionary(sink))
    }
    for (const [i, builder] of this.#sparse.entries())
      await writer.addSection(sparseSectionName(i), (sink) => builder.section(sink, writer.rows))
  }

  /** Frees the scratch disk. */
  async close(): Promise<void> {
    await Promise.all([...this.#texts, ...this.#sparse].map((builder) => builder.close()))
  }
}
