/**
 * The best records for the words of a text, or the best sparse vectors for another one, in one view. The answer is that of
 * reading and scoring every admitted record, to the bit, ties in the order of insertion.
 *
 * Rounds of dependent reads, after pointer and manifest: pages of terms and lengths; lists; ordinals of what may be answered.
 * A prefix takes those of `live-words.ts` before these.
 * Records that the log or an overlay changed are counted in memory. Rows of a segment without the word indexes are counted once,
 * which reads their texts.
 */
import type { RowSet } from '../format/row-set.ts'
import { nameOfRef, type RecordRef, type View } from '../log/view.ts'
import type { WordPart } from '../model/search.ts'
import { Pacer, type Pause } from '../pacer.ts'
import type { Selection } from '../query/selection.ts'
import { columnOf, nameOf, type TextSource, type WordSource } from '../word-index/word-source.ts'
import { BestSums } from './best-sums.ts'
import { amountOf, countedUnder, withRoundedLength } from './counted-record.ts'
import { cursorOver } from './cursor-over.ts'
import { exactScores, type Lists, type Scored } from './exact-scores.ts'
import { FieldsCursor } from './fields-cursor.ts'
import { joinedList } from './joined-list.ts'
import { floatOf } from './list-scoring.ts'
import { dimensionsOf, type SparseQuery, termsOf, type TextTerm } from './query-terms.ts'
import type { RowCursor } from './row-cursor.ts'
import { type Amounts, FieldsScoring, type QueryTerm, type Scoring, SparseScoring, WordScoring } from './score.ts'
import { SegmentScan } from './segment-scan.ts'
import { visibleCount } from './visible-counts.ts'
import {
  type CountedRecords,
  type CountedRef,
  type IndexedSegment,
  type IndexedSource,
  indexesIn,
  type WordState,
  wordStateOf,
} from './word-state.ts'

/** Postings that are read between two pauses: a few milliseconds. */
const PAUSE_AFTER = 500_000

export interface RankedRecord {
  ref: RecordRef
  /** Position in the order of insertion; unique among the records of a view. */
  ordinal: number
  /** A 32-bit float; lower is better. */
  score: number
}

interface Read {
  state: WordState
  /** In the order of `state.indexed`. */
  lists: readonly Lists[]
}

export interface Found {
  /** By score: at most `limit`, and those that are as good as the last of them. */
  records: readonly Scored[]
  /** Of any records of the view; 1 of one that shares no term with the query. */
  scores(refs: readonly RecordRef[]): number[]
}

const NO_TERMS = 1
const NOTHING: Found = { records: [], scores: (refs) => refs.map(() => NO_TERMS) }

/** One text, sparse vectors, or several fields with their weights. */
export type Searched =
  | { kind: 'sparse'; key: string }
  | { kind: 'text'; source: TextSource }
  | { kind: 'fields'; fields: readonly { source: TextSource; weight: number }[] }

export class WordRetriever {
  readonly #view: View
  readonly #sources: readonly WordSource[]
  /** Of fields. */
  readonly #weights: readonly number[] | undefined
  readonly #pause: Pause

  constructor(view: View, searched: Searched, pause: Pause) {
    this.#view = view
    this.#sources = sourcesOf(searched)
    this.#weights = searched.kind === 'fields' ? searched.fields.map(({ weight }) => weight) : undefined
    this.#pause = pause
  }

  /**
   * @param query a text for texts, a vector for vectors
   * @param admitted the records that may be found
   * @param whenFound called before the order of equal ones is known; what it reads costs no round of its own
   * @returns at most `limit` records that share a term with the query, by score, then by order of insertion
   */
  async top(
    query: string | SparseQuery,
    admitted: Selection,
    limit: number,
    whenFound?: (refs: readonly RecordRef[]) => Promise<void>,
  ): Promise<RankedRecord[]> {
    const { records } = await this.found(query, admitted, limit)
    if (records.length === 0) return []
    return this.#ranked(records, limit, whenFound)
  }

  /** As `top`, without the order of insertion, which may be a round of reads. */
  async found(query: string | SparseQuery, admitted: Selection, limit: number): Promise<Found> {
    const terms = typeof query === 'string' ? await this.#terms(query) : dimensionsOf(query)
    const k = Math.min(limit, this.#view.liveRecords)
    if (k === 0 || terms.length === 0) return NOTHING
    const read = await this.#read(terms)
    const scoring = this.#scoring(query, terms, read)
    const best = new BestSums(k)
    const found = this.#counted(read.state.counted, admitted, terms, scoring, best)
    const pacer = new Pacer(PAUSE_AFTER, this.#pause)
    const kept: { segment: IndexedSegment; lists: Lists; rows: number[]; sums: number[] }[] = []
    const margin = marginOf(terms, scoring, read)
    const bySize = read.state.indexed.map((segment, i) => ({ segment, lists: read.lists[i] as Lists }))
    // The largest first: it raises the bar for the others.
    bySize.sort((a, b) => b.segment.segment.rows - a.segment.segment.rows)
    for (const { segment, lists } of bySize) {
      const cursors = terms.map((_, t) => cursorOf(t, segment, lists, scoring)).filter((one) => one !== undefined)
      if (cursors.length === 0) continue
      const canPrune =
        segment.sources.every(({ index }) => index.params.leastWeight === 0) &&
        Array.from(scoring.weights).every((weight) => weight >= 0)
      const scan = new SegmentScan(cursors, {
        admitted: admitted.rows[segment.number] as RowSet,
        admittedRows: admitted.counts[segment.number] as number,
        visible: segment.visible,
        best,
        margin,
        canPrune,
      })
      kept.push({ segment, lists, ...(await scan.run(pacer)) })
    }
    const least = best.least - margin
    for (const { segment, lists, rows, sums } of kept) {
      const open: number[] = []
      for (const [i, row] of rows.entries()) {
        const sum = sums[i] as number
        if (sum < least) continue
        const score = scoring.ofSum(sum)
        if (score === undefined) open.push(row)
        else found.push({ ref: { changed: null, row: { segment: segment.number, row } }, score })
      }
      open.sort((a, b) => a - b)
      // One by one: a call takes about 120,000 arguments, and these may be more.
      for (const record of exactScores(segment, lists, open, scoring)) found.push(record)
    }
    found.sort((a, b) => a.score - b.score)
    const last = found[Math.min(k, found.length) - 1]?.score ?? 0
    return {
      records: found.filter(({ score }) => score <= last),
      scores: (refs) => scoresOf(refs, { read, terms, scoring }),
    }
  }

  /** What each word of a text adds to the score of some records. */
  async parts(text: string, refs: readonly RecordRef[]): Promise<WordPart[][]> {
    const terms = await this.#terms(text)
    const scoring = this.#scoring(text, terms, await this.#read(terms))
    const records = await this.#recordsOf(refs)
    return records.map((own) => {
      const { amounts, lengths } = amountsIn(own, terms)
      return terms
        .flatMap(({ word }, t): WordPart[] => {
          const counts = amounts.map((ofSource) => (Number.isNaN(ofSource[t]) ? 0 : (ofSource[t] as number) + 1))
          const count = counts.reduce((sum, one) => sum + one, 0)
          if (count === 0) return []
          const idf = scoring.idf?.[t] as number
          const part = { word, count, idf, adds: addedBy(t, scoring, amounts, lengths) }
          return [this.#weights ? { ...part, fields: this.#fieldCounts(counts) } : part]
        })
        .sort((a, b) => b.adds - a.adds)
    })
  }

  #fieldCounts(counts: readonly number[]): { key: string; count: number }[] {
    return this.#sources.map(({ key }, s) => ({ key, count: counts[s] as number })).filter(({ count }) => count > 0)
  }

  async #recordsOf(refs: readonly RecordRef[]): Promise<CountedRecords[]> {
    const columns = new Map(
      await Promise.all(
        [...new Set(this.#sources.map(columnOf))].map(
          async (column) =>
            [column, await (column === 'documents' ? this.#view.documents(refs) : this.#view.metadatas(refs))] as const,
        ),
      ),
    )
    return refs.map((ref, i) => {
      const isRounded = ref.changed === null && this.#view.base.segments[ref.row.segment]?.reader.isCompact === true
      return this.#sources.map((source) => {
        const stored = columns.get(columnOf(source))?.[i] ?? null
        const record = stored === null ? undefined : countedUnder(source, stored)
        return isRounded ? withRoundedLength(record) : record
      })
    })
  }

  /** How many live records have each of some terms, and how many have a text. @param keys of the terms, in the first source */
  async recordsWith(keys: readonly number[]): Promise<{ having: ArrayLike<number>; documents: number }> {
    const terms = keys.map((key) => ({ weight: 1, keys: [[key]] }))
    const read = await this.#read(terms)
    return { having: this.#having(terms, read), documents: read.state.documents }
  }

  #terms(text: string): Promise<TextTerm[]> {
    const sources = this.#sources.filter((source) => source.kind === 'text')
    return termsOf(text, sources, this.#view, this.#pause)
  }

  async #read(terms: readonly QueryTerm[]): Promise<Read> {
    const keys = this.#sources.map((_, s) => terms.flatMap((term) => term.keys[s] ?? []))
    // Concurrently: lengths and weights are read in the same rounds as lists.
    const [state, listsOf] = await Promise.all([
      wordStateOf(this.#view, this.#sources, this.#pause),
      Promise.all(
        this.#view.base.segments.map(async (segment) => {
          const indexes = indexesIn(segment, this.#sources) ?? []
          return Promise.all(indexes.map((index, s) => index.lists(keys[s] ?? [])))
        }),
      ),
    ])
    const lists = state.indexed.map(({ number, sources }) =>
      sources.map(({ lengths }, s) => {
        const own = listsOf[number]?.[s] ?? []
        let at = 0
        return terms.map((term) => {
          const count = term.keys[s]?.length ?? 0
          const ofTerm = own.slice(at, (at += count))
          return lengths ? joinedList(ofTerm, lengths) : ofTerm[0]
        })
      }),
    )
    return { state, lists }
  }

  #scoring(query: string | SparseQuery, terms: readonly QueryTerm[], read: Read): Scoring {
    if (typeof query !== 'string' && query.idf !== true) return new SparseScoring(terms)
    const having = this.#having(terms, read)
    if (typeof query !== 'string') return new SparseScoring(terms, { records: this.#view.liveRecords, having })
    const { state } = read
    if (this.#weights) return new FieldsScoring(terms, having, this.#weights, state)
    return new WordScoring(terms, having, state.statistics[0] as WordState['statistics'][number])
  }

  /** How many live records have each term. */
  #having(terms: readonly QueryTerm[], { state, lists }: Read): Float64Array {
    const names = this.#sources.map(nameOf).join(' ')
    return Float64Array.from(terms, ({ keys }, t) => {
      const name = keys.every((own) => own.length <= 1) ? `${names} ${keys.join()}` : undefined
      let having = 0
      for (const [i, segment] of state.indexed.entries()) {
        const own = (lists[i] as Lists).map((ofSource) => ofSource[t]).filter((list) => list !== undefined)
        having += visibleCount(segment, name, own)
      }
      for (const { records } of state.counted)
        if (records.some((record, s) => record && !Number.isNaN(amountOf(record, keys[s] ?? [])))) having++
      return having
    })
  }

  /** The scores of admitted records that no index has. */
  #counted(
    counted: readonly CountedRef[],
    admitted: Selection,
    terms: readonly QueryTerm[],
    scoring: Scoring,
    best: BestSums,
  ): Scored[] {
    const changed = new Set(admitted.changed)
    const found: Scored[] = []
    for (const { ref, place, changed: own, records } of counted) {
      const isAdmitted = place ? admitted.rows[place.segment]?.has(place.row) : own && changed.has(own)
      if (isAdmitted !== true) continue
      const { amounts, lengths, hasAny } = amountsIn(records, terms)
      if (!hasAny) continue
      const score = scoring.score(amounts, lengths)
      best.offer(1 - score)
      found.push({ ref, score })
    }
    return found
  }

  async #ranked(
    open: readonly Scored[],
    limit: number,
    whenFound?: (refs: readonly RecordRef[]) => Promise<void>,
  ): Promise<RankedRecord[]> {
    const refs = open.map(({ ref }) => ref)
    const [ordinals] = await Promise.all([this.#view.ordinals(refs), whenFound?.(refs)])
    return open
      .map(({ ref, score }, i): RankedRecord => ({ ref, score, ordinal: ordinals[i] as number }))
      .sort((a, b) => a.score - b.score || a.ordinal - b.ordinal)
      .slice(0, limit)
  }
}

export function sourcesOf(searched: Searched): WordSource[] {
  switch (searched.kind) {
    case 'sparse':
      return [searched]
    case 'text':
      return [searched.source]
    case 'fields':
      return searched.fields.map(({ source }) => source)
  }
}

/** What a record has of each term in each source. */
function amountsIn(
  records: CountedRecords,
  terms: readonly QueryTerm[],
): { amounts: Amounts[]; lengths: number[]; hasAny: boolean } {
  const amounts = records.map((record, s) =>
    Float64Array.from(terms, ({ keys }) => (record ? amountOf(record, keys[s] ?? []) : Number.NaN)),
  )
  const lengths = records.map((record) => record?.length ?? 0)
  return { amounts, lengths, hasAny: amounts.some((ofSource) => ofSource.some((amount) => !Number.isNaN(amount))) }
}

/** What one term adds, in 64 bits. */
function addedBy(term: number, scoring: Scoring, amounts: readonly Amounts[], lengths: readonly number[]): number {
  let sum = 0
  for (const [s, ofSource] of amounts.entries()) {
    const frequency = (ofSource[term] as number) + 1
    const list = scoring.list(term, s)
    if (Number.isNaN(frequency) || list.kind !== 'words') continue
    const { weight, saturation, base, perWord } = list
    sum += (weight * frequency) / (saturation * frequency + base + perWord * (lengths[s] as number))
  }
  return scoring.together(term, sum)
}

function cursorOf(
  term: number,
  { sources, segment: { rows } }: IndexedSegment,
  lists: Lists,
  scoring: Scoring,
): RowCursor | undefined {
  const cursors = sources.flatMap((source, s) => {
    const list = lists[s]?.[term]
    return list ? [cursorOver(list, scoring.list(term, s), source, rows)] : []
  })
  if (cursors.length === 0) return undefined
  return scoring instanceof FieldsScoring ? new FieldsCursor(cursors, (sum) => scoring.together(term, sum)) : cursors[0]
}

/** The most by which a sum in 64 bits and any order can differ from 1 − score, twice. */
function marginOf(terms: readonly QueryTerm[], scoring: Scoring, { state, lists }: Read): number {
  let total = 0
  for (let t = 0; t < terms.length; t++) {
    const weight = Math.abs(scoring.weights[t] as number)
    if (scoring.idf) {
      total += weight
      continue
    }
    let most = 0
    for (const [i, { sources }] of state.indexed.entries()) {
      most = Math.max(most, -(sources[0] as IndexedSource).index.params.leastWeight)
      const list = lists[i]?.[0]?.[t]
      for (let block = 0; block < (list?.blocks ?? 0); block++) most = Math.max(most, floatOf(list?.bound(block) ?? 0))
    }
    for (const { records } of state.counted)
      for (const amount of records[0]?.amounts ?? []) most = Math.max(most, Math.abs(amount))
    total += weight * most
  }
  return (terms.length + 4) * 2 ** -23 * (1 + total)
}

interface Searching {
  read: Read
  terms: readonly QueryTerm[]
  scoring: Scoring
}

function scoresOf(refs: readonly RecordRef[], { read: { state, lists }, terms, scoring }: Searching): number[] {
  const scores = new Map<unknown, number>()
  for (const [i, segment] of state.indexed.entries()) {
    const rows = refs.flatMap(({ changed, ...at }) =>
      changed === null && 'row' in at && at.row.segment === segment.number ? [at.row.row] : [],
    )
    const ascending = [...new Set(rows)].sort((a, b) => a - b)
    for (const one of exactScores(segment, lists[i] as Lists, ascending, scoring))
      scores.set(nameOfRef(one.ref), one.score)
  }
  for (const { ref, records } of state.counted) {
    const { amounts, lengths, hasAny } = amountsIn(records, terms)
    if (hasAny) scores.set(nameOfRef(ref), scoring.score(amounts, lengths))
  }
  return refs.map((ref) => scores.get(nameOfRef(ref)) ?? NO_TERMS)
}
