/**
 * Builds the word indexes of a segment, and the dictionaries of its texts, while its rows are written. Memory: 24 MB for the
 * postings of each index, 4 bytes per row, and some 100 bytes per term and word. The rest goes to the scratch disk.
 */
import type { Pending, Sink } from '../format/segment/sink.ts'
import { STORED_LAYOUT } from '../format/segment/layout.ts'
import type { SectionContent, SegmentWriter } from '../format/segment/writer.ts'
import type { Metadata } from '../model/record.ts'
import { memoryScratch, type Scratch } from '../ports/scratch.ts'
import { isSparseVector } from '../records/metadata.ts'
import type { Analyzer } from '../text/analyzer.ts'
import { Inverter } from './inverter.ts'
import { KeyNumbers } from './key-numbers.ts'
import { DIMENSION_KEYS, dimensionKey, WORD_KEYS } from './keys.ts'
import {
  DOCUMENT_WORDS,
  FLOAT_WEIGHTS,
  MOST_WEIGHTS,
  sparseSectionName,
  TABLE_WEIGHTS,
  textSectionName,
} from './layout.ts'
import { DICTIONARY, textDictionaryName } from './dictionary/layout.ts'
import { WordCounter } from './dictionary/word-counter.ts'
import { writeDictionary } from './dictionary/write-dictionary.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import { wordBound } from './posting-list.ts'
import { type TermLayout, writeWordSection } from './section-writer.ts'
import { roundedLength } from './rounded-length.ts'
import { TermCounter } from './term-counter.ts'
import { toPlanes } from '../codec/planes.ts'
import { type TextSource, textUnder } from './word-source.ts'

/** The indexes to build. */
export interface WantedIndexes {
  /** Of documents and of texts under metadata keys. */
  texts: readonly TextSource[]
  /** Metadata keys whose sparse vectors are indexed. */
  sparseKeys: readonly string[]
}

export interface BuilderOptions {
  scratch?: Scratch | undefined
  /** The most postings of an index in memory. */
  maxPostings?: number
  /** The most words of the dictionary in memory. */
  maxWords?: number
  /** Default: that of stores. */
  layout?: TermLayout | undefined
}

export class WordIndexBuilder {
  readonly #texts: readonly TextIndexBuilder[]
  readonly #sparse: readonly SparseIndexBuilder[]

  constructor({ texts, sparseKeys }: WantedIndexes, options: BuilderOptions = {}) {
    const { scratch = memoryScratch, maxPostings, maxWords, layout = STORED_LAYOUT } = options
    const inverter = () => new Inverter(scratch, maxPostings)
    this.#texts = texts.map(
      (source) => new TextIndexBuilder(source, inverter(), new WordCounter(scratch, maxWords), layout),
    )
    this.#sparse = sparseKeys.map((key) => new SparseIndexBuilder(key, inverter(), layout))
  }

  /** Rows come in order, from 0; metadata as `parseForFilter` gives them. If a promise is returned, wait for it before the next call. */
  add(row: number, metadata: Metadata | null, document: string | null): Pending {
    let pending: Pending
    const wait = (added: Pending) => {
      if (added) pending = pending ? Promise.all([pending, added]).then(() => undefined) : added
    }
    for (const builder of this.#texts)
      wait(builder.add(row, builder.isOfDocuments ? document : (textUnder(metadata, builder.key) ?? null)))
    if (metadata === null) return pending
    for (const builder of this.#sparse) {
      const value = metadata.get(builder.key)
      if (isSparseVector(value)) wait(builder.add(row, value.indices, value.values))
    }
    return pending
  }

  /** Call after the last row. */
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
      await writer.addSection(sparseSectionName(i), (sink) => builder.section(sink))
  }

  /** Frees the scratch disk. */
  async close(): Promise<void> {
    await Promise.all([...this.#texts, ...this.#sparse].map((builder) => builder.close()))
  }
}

class TextIndexBuilder {
  readonly key: string
  readonly #analyzer: Analyzer
  readonly #inverter: Inverter
  readonly #words: WordCounter
  readonly #layout: TermLayout
  readonly #counter: TermCounter
  readonly #take: (term: number, count: number) => void
  #row = 0
  /** Of each row: the words of its text, plus 1; 0 without a text. */
  #lengths = new Uint32Array(1 << 10)
  #valued = 0
  #totalLength = 0

  constructor({ key, analyzer }: TextSource, inverter: Inverter, words: WordCounter, layout: TermLayout) {
    this.key = key
    this.#layout = layout
    this.#analyzer = analyzer
    this.#inverter = inverter
    this.#words = words
    this.#counter = new TermCounter(analyzer, (term) => inverter.numberOf(term), words)
    this.#take = (term, count) => this.#inverter.addNumbered(term, this.#row, count - 1)
  }

  get isOfDocuments(): boolean {
    return this.key === DOCUMENT_KEY
  }

  add(row: number, text: string | null): Pending {
    while (row >= this.#lengths.length) {
      const larger = new Uint32Array(2 * this.#lengths.length)
      larger.set(this.#lengths)
      this.#lengths = larger
    }
    if (text === null) return undefined
    this.#row = row
    const counted = this.#counter.count(row, text, this.#take)
    const length = this.#layout.isCompact ? roundedLength(counted) : counted
    this.#lengths[row] = length + 1
    this.#valued++
    this.#totalLength += length
    const [postings, words] = [this.#inverter.endRow(), this.#words.endRow()]
    if (!postings && !words) return undefined
    // The numbers of terms or words begin again.
    this.#counter.clear()
    return Promise.all([postings, words]).then(() => undefined)
  }

  dictionary(sink: Sink): Promise<SectionContent> {
    return writeDictionary(sink, this.#words.words(), { key: this.key, analyzer: this.#analyzer.name })
  }

  section(sink: Sink, rows: number): Promise<SectionContent> {
    const lengths = this.#lengths.subarray(0, rows)
    const most = lengths.reduce((max, length) => Math.max(max, length), 0)
    const lengthBytes = most < 2 ** 8 ? 1 : most < 2 ** 16 ? 2 : 4
    const stored =
      lengthBytes === 1 ? Uint8Array.from(lengths) : lengthBytes === 2 ? Uint16Array.from(lengths) : lengths.slice()
    const tail = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength)
    return writeWordSection(this.#inverter, sink, {
      keys: WORD_KEYS,
      payloadsOf: (payloads) => payloads,
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
      tail: this.#layout.isCompact ? toPlanes(tail, lengthBytes) : tail,
      layout: this.#layout,
      params: {
        key: this.key,
        kind: this.#analyzer.name,
        valued: this.#valued,
        totalLength: this.#totalLength,
        lengthBytes,
        leastWeight: 0,
      },
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.#inverter.close(), this.#words.close()])
  }
}

const float = new Float32Array(1)
const floatBits = new Uint32Array(float.buffer)

class SparseIndexBuilder {
  readonly key: string
  readonly #layout: TermLayout
  readonly #inverter: Inverter
  /** Numbers the bits of the different weights, as long as there are few. */
  #weights: KeyNumbers | undefined = new KeyNumbers()
  #least = 0
  #valued = 0

  constructor(key: string, inverter: Inverter, layout: TermLayout) {
    this.#layout = layout
    this.key = key
    this.#inverter = inverter
  }

  add(row: number, indices: readonly number[], values: readonly number[]): Pending {
    for (let i = 0; i < indices.length; i++) {
      float[0] = values[i] as number
      const bits = floatBits[0] as number
      this.#least = Math.min(this.#least, float[0] as number)
      this.#weights?.of(bits)
      this.#inverter.add(dimensionKey(indices[i] as number), row, bits)
    }
    if (this.#weights && this.#weights.count > MOST_WEIGHTS) this.#weights = undefined
    this.#valued++
    return this.#inverter.endRow()
  }

  section(sink: Sink): Promise<SectionContent> {
    const weights = this.#weights
    const table = weights && ascendingFloats(Array.from({ length: weights.count }, (_, number) => weights.key(number)))
    const codes = new Uint32Array(table?.bits.length ?? 0)
    table?.bits.forEach((bits, code) => (codes[weights?.of(bits) ?? 0] = code))
    return writeWordSection(this.#inverter, sink, {
      keys: DIMENSION_KEYS,
      payloadsOf: (payloads) => (weights ? payloads.map((bits) => codes[weights.of(bits)] as number) : payloads),
      areFloats: !weights,
      // The bits of the largest weight.
      boundOf: (_, payloads) => {
        let most = Number.NEGATIVE_INFINITY
        for (const payload of payloads) {
          if (table) most = Math.max(most, table.floats[payload] as number)
          else {
            floatBits[0] = payload
            most = Math.max(most, float[0] as number)
          }
        }
        float[0] = most
        return floatBits[0] as number
      },
      tail: table && new Uint8Array(table.bits.buffer),
      layout: this.#layout,
      params: {
        key: this.key,
        kind: table ? TABLE_WEIGHTS : FLOAT_WEIGHTS,
        valued: this.#valued,
        totalLength: 0,
        lengthBytes: 0,
        leastWeight: this.#least,
      },
    })
  }

  close(): Promise<void> {
    return this.#inverter.close()
  }
}

/** By value, then by bits: −0 and 0 differ. */
function ascendingFloats(bits: readonly number[]): { bits: Uint32Array<ArrayBuffer>; floats: Float32Array } {
  const valueOf = (some: number): number => {
    floatBits[0] = some
    return float[0] as number
  }
  const sorted = Uint32Array.from(bits.toSorted((a, b) => valueOf(a) - valueOf(b) || a - b))
  return { bits: sorted, floats: new Float32Array(sorted.buffer) }
}
