/**
 * The different words of a view's documents, or of the texts under a metadata key, and how many records have each: exact over
 * log, deletions and segments, so no fold and no merge changes an answer.
 *
 * A segment's dictionary counts all its rows. What it counts of rows that are *hidden* (see `word-state.ts`) is subtracted,
 * for which their stored texts are read, once for each state of the segment; words that no visible row has are left out.
 * Records that no index has are counted in memory.
 *
 * Rounds of dependent reads, after pointer and manifest: directories of the dictionaries and lengths; blocks; documents of
 * hidden rows, if there are any.
 */
import { unsupported } from '../errors.ts'
import type { View } from '../log/view.ts'
import { memoize } from '../memo.ts'
import type { KnownWord } from '../model/search.ts'
import { Pacer, type Pause } from '../pacer.ts'
import { compareKeys } from '../ports/object-key.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { eachWord, fold } from '../text/words.ts'
import { usableDictionaryOf } from '../word-index/indexed-keys.ts'
import type { WordRows } from '../word-index/dictionary/layout.ts'
import { type TextSource, columnOf, nameOf } from '../word-index/word-source.ts'
import { type CountedRecord, textIn } from './counted-record.ts'
import { type IndexedSegment, type WordState, wordStateOf } from './word-state.ts'

const SLICE_ROWS = 1_024
/** Characters that are cut into words between two pauses. */
const PAUSE_AFTER = 200_000
/** Rows of segments without a dictionary whose words are counted in memory. */
const MOST_COUNTED = 50_000

/** Words without the difference of case, with the number of documents that have them. */
type WordCounts = Map<string, number>

const opened = new WeakMap<View, Map<string, LiveWords>>()
/** Of the rows of a segment that are hidden in each view. */
const hiddenWords = new WeakMap<OpenSegment, Map<string, Promise<WordCounts>>>()
const wordsOfRecords = new WeakMap<CountedRecord, readonly string[]>()

export class LiveWords {
  readonly #view: View
  readonly #source: TextSource
  readonly #pause: Pause
  readonly #counted = new Map<'', Promise<WordCounts>>()
  readonly #changed = new Map<IndexedSegment, Promise<WordCounts>>()

  private constructor(view: View, source: TextSource, pause: Pause) {
    this.#view = view
    this.#source = source
    this.#pause = pause
  }

  static of(view: View, source: TextSource, pause: Pause): LiveWords {
    let ofView = opened.get(view)
    if (!ofView) opened.set(view, (ofView = new Map()))
    let words = ofView.get(nameOf(source))
    if (!words) ofView.set(nameOf(source), (words = new LiveWords(view, source, pause)))
    return words
  }

  /**
   * All words that begin with a text, in byte order.
   * @param text without the difference of case; see `fold`
   * @throws SiltstoneError `unsupported` (`words-not-indexed`)
   */
  async startingWith(text: string): Promise<KnownWord[]> {
    this.#checkIndexed()
    const start = text.toWellFormed()
    const [state, listed] = await Promise.all([
      wordStateOf(this.#view, [this.#source], this.#pause),
      Promise.all(
        this.#view.base.segments.map(async ({ reader }) =>
          usableDictionaryOf(reader, this.#source)?.startingWith(start),
        ),
      ),
    ])
    const counts: WordCounts = new Map()
    const add = (word: string, documents: number) => counts.set(word, (counts.get(word) ?? 0) + documents)
    await Promise.all(
      state.indexed.map(async (segment) => {
        for (const { word, rows } of await this.#visible(segment, start, listed[segment.number])) add(word, rows)
      }),
    )
    const counted = await memoize(this.#counted, '', () => this.#countedWords(state))
    for (const [word, documents] of counted) if (word.startsWith(start)) add(word, documents)
    return Array.from(counts, ([word, documents]) => ({ word, documents })).sort((a, b) => compareKeys(a.word, b.word))
  }

  #checkIndexed(): void {
    const rows = this.#view.base.segments.reduce(
      (sum, segment) => sum + (usableDictionaryOf(segment.reader, this.#source) ? 0 : segment.liveRows),
      0,
    )
    if (rows <= MOST_COUNTED) return
    throw unsupported(
      'words-not-indexed',
      `${rows} records are in segments without a dictionary of their words, and the words of at most ${MOST_COUNTED} are counted without one; a segment gets it when it is merged next, and at once with \`siltstone compact --full\``,
      { field: 'query' },
    )
  }

  /** What visible rows of an indexed segment have. @param listed by its dictionary; undefined: it has none */
  async #visible(segment: IndexedSegment, start: string, listed: readonly WordRows[] | undefined): Promise<WordRows[]> {
    if (!listed) {
      const counted = await this.#countRows(segment.segment, segment.visible.toArray())
      return Array.from(counted, ([word, rows]) => ({ word, rows })).filter(({ word }) => word.startsWith(start))
    }
    const { hidden, changed } = segment
    const [always, now] = await Promise.all([
      hidden.count() === 0 ? undefined : this.#hidden(segment),
      changed.length === 0
        ? undefined
        : memoize(this.#changed, segment, () => this.#countRows(segment.segment, Array.from(changed))),
    ])
    if (!always && !now) return [...listed]
    return listed
      .map(({ word, rows }) => ({ word, rows: rows - (always?.get(word) ?? 0) - (now?.get(word) ?? 0) }))
      .filter(({ rows }) => rows > 0)
  }

  #hidden({ segment, hidden }: IndexedSegment): Promise<WordCounts> {
    let known = hiddenWords.get(segment)
    if (!known) hiddenWords.set(segment, (known = new Map()))
    return memoize(known, nameOf(this.#source), () => this.#countRows(segment, hidden.toArray()))
  }

  /** Counts the words of rows as they are stored, whatever overlays say. */
  async #countRows({ reader }: OpenSegment, rows: readonly number[]): Promise<WordCounts> {
    const counts: WordCounts = new Map()
    const pacer = new Pacer(PAUSE_AFTER, this.#pause)
    for (let i = 0; i < rows.length; i += SLICE_ROWS)
      for (const stored of await reader.column(columnOf(this.#source), rows.slice(i, i + SLICE_ROWS))) {
        for (const word of this.#differentWords(stored)) counts.set(word, (counts.get(word) ?? 0) + 1)
        const due = pacer.spend(stored?.length ?? 0)
        if (due) await due
      }
    return counts
  }

  async #countedWords({ counted }: WordState): Promise<WordCounts> {
    const pacer = new Pacer(PAUSE_AFTER, this.#pause)
    const recordOf = ({ records }: WordState['counted'][number]) => records[0] as CountedRecord
    const missing = counted.filter((one) => !wordsOfRecords.has(recordOf(one)))
    for (let i = 0; i < missing.length; i += SLICE_ROWS) {
      const slice = missing.slice(i, i + SLICE_ROWS)
      const refs = slice.map(({ ref }) => ref)
      const stored = await (columnOf(this.#source) === 'documents'
        ? this.#view.documents(refs)
        : this.#view.metadatas(refs))
      for (const [k, one] of slice.entries()) {
        wordsOfRecords.set(recordOf(one), this.#differentWords(stored[k] ?? null))
        const due = pacer.spend(stored[k]?.length ?? 0)
        if (due) await due
      }
    }
    const counts: WordCounts = new Map()
    for (const one of counted)
      for (const word of wordsOfRecords.get(recordOf(one)) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1)
    return counts
  }

  /** @param stored the document, or the metadata's text */
  #differentWords(stored: string | null): readonly string[] {
    if (stored === null) return []
    return differentWords(columnOf(this.#source) === 'documents' ? stored : (textIn(stored, this.#source.key) ?? ''))
  }
}

function differentWords(document: string): readonly string[] {
  const words = new Set<string>()
  eachWord(document, (word) => words.add(fold(word).toWellFormed()))
  return [...words]
}
