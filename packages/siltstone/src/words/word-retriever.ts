/**
 * The best documents for the words of a text, or the best sparse vectors for another one, in one view. The answer is that of
 * reading and scoring every admitted record, to the bit, ties in the order of insertion.
 *
 * Rounds of dependent reads, after pointer and manifest: pages of terms and lengths; lists; ordinals of what may be answered.
 * A prefix takes those of `live-words.ts` before these.
 * Records that the log or an overlay changed are counted in memory. Rows of a segment without a word index are counted once, which
 * reads its documents.
 */
import { RowSet } from '../format/row-set.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { WordPart } from '../model/search.ts'
import { Pacer, type Pause } from '../pacer.ts'
import type { Selection } from '../query/selection.ts'
import { documentAnalyzer } from '../text/analyzer.ts'
import { keyOfTerm } from '../word-index/count-terms.ts'
import type { PostingList } from '../word-index/posting-list.ts'
import { BestSums } from './best-sums.ts'
import { amountsOf, countedDocument } from './counted-record.ts'
import { joinedList } from './joined-list.ts'
import { PREFIX_KEY, termsOf, type WordQuery } from './query-terms.ts'
import { type QueryTerms, type Scoring, SparseScoring, WordScoring } from './score.ts'
import { SegmentScan } from './segment-scan.ts'
import { TermCursor } from './term-cursor.ts'
import {
  type CountedRef,
  type IndexedSegment,
  indexIn,
  visibleCount,
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

interface Scored {
  ref: RecordRef
  score: number
}

/** Documents (`#document`) for texts, or the sparse vectors of a metadata key. */
export class WordRetriever {
  readonly #view: View
  readonly #key: string
  readonly #pause: Pause

  constructor(view: View, key: string, pause: Pause) {
    this.#view = view
    this.#key = key
    this.#pause = pause
  }

  /**
   * @param admitted the records that may be found
   * @returns at most `limit` records that share a term with the query, by score, then by order of insertion
   */
  async top(query: WordQuery, admitted: Selection, limit: number): Promise<RankedRecord[]> {
    const terms = await termsOf(query, this.#view, this.#pause)
    const k = Math.min(limit, this.#view.liveRecords)
    if (k === 0 || terms.keys.length === 0) return []
    const { state, lists, scoring } = await this.#prepared(query, terms)
    const best = new BestSums(k)
    const found = this.#counted(state.counted, admitted, terms, scoring, best)
    const pacer = new Pacer(PAUSE_AFTER, this.#pause)
    const kept: { segment: IndexedSegment; lists: (PostingList | undefined)[]; rows: number[]; sums: number[] }[] = []
    const margin = marginOf(terms, scoring, state, lists)
    const bySize = state.indexed.map((segment, i) => ({ segment, lists: lists[i] as (PostingList | undefined)[] }))
    // The largest first: it raises the bar for the others.
    bySize.sort((a, b) => b.segment.segment.rows - a.segment.segment.rows)
    for (const { segment, lists: ofSegment } of bySize) {
      const cursors = ofSegment.flatMap((list, t) => (list ? [new TermCursor(list, t, scoring, segment)] : []))
      if (cursors.length === 0) continue
      const rows = (admitted.rows[segment.number] as RowSet).copy().intersect(segment.visible)
      const canPrune = segment.index.params.leastWeight === 0 && scoring.weights.every((weight) => weight >= 0)
      const scan = new SegmentScan(cursors, rows, best, margin, canPrune)
      kept.push({ segment, lists: ofSegment, ...(await scan.run(pacer)) })
    }
    const least = best.least - margin
    for (const { segment, lists: ofSegment, rows, sums } of kept)
      found.push(
        ...exactScores(
          segment,
          ofSegment,
          rows.filter((_, i) => (sums[i] as number) >= least),
          scoring,
        ),
      )
    return this.#ranked(found, k)
  }

  /**
   * What each word of a text adds to the score of some documents.
   * @param documents as the view has them
   */
  async parts(text: string, documents: readonly (string | null)[]): Promise<WordPart[][]> {
    const query = { kind: 'text', text } as const
    const terms = await termsOf(query, this.#view, this.#pause)
    const { scoring } = await this.#prepared(query, terms)
    const words = new Map<number, string>()
    documentAnalyzer().each(text, (term, word) => {
      const key = keyOfTerm(term)
      if (!words.has(key)) words.set(key, word)
    })
    words.set(PREFIX_KEY, `${documentAnalyzer().query(text).prefix ?? ''}*`)
    const amounts = new Float64Array(terms.keys.length)
    return documents.map((document) => {
      if (document === null || scoring.kind !== 'words') return []
      const counted = countedDocument(documentAnalyzer(), document)
      amountsOf(counted, terms, amounts)
      return terms.keys
        .flatMap((key, t): WordPart[] => {
          const amount = amounts[t] as number
          if (Number.isNaN(amount)) return []
          const word = words.get(key) ?? ''
          return [
            { word, count: amount + 1, idf: scoring.idf[t] as number, adds: scoring.part(t, amount, counted.length) },
          ]
        })
        .sort((a, b) => b.adds - a.adds)
    })
  }

  /** How many live documents have each of some terms, and how many documents there are. @param keys of the terms */
  async documentsWith(keys: readonly number[]): Promise<{ having: ArrayLike<number>; documents: number }> {
    const terms = { keys, weights: [] }
    const { state, lists } = await this.#read(terms)
    return { having: havingOf(terms, state, lists), documents: state.documents }
  }

  async #prepared(query: WordQuery, terms: QueryTerms) {
    const { state, lists } = await this.#read(terms)
    return { state, lists, scoring: this.#scoring(query, terms, state, lists) }
  }

  async #read(terms: QueryTerms) {
    const { keys, prefix } = terms
    const single = prefix ? keys.slice(0, -1) : keys
    const all = prefix ? [...single, ...prefix] : single
    // Concurrently: lengths and weights are read in the same rounds as lists.
    const [state, listsOf] = await Promise.all([
      wordStateOf(this.#view, this.#key, this.#pause),
      Promise.all(this.#view.base.segments.map(async (segment) => indexIn(segment, this.#key)?.lists(all))),
    ])
    const lists = state.indexed.map(({ number, lengths }) => {
      const ofSegment = listsOf[number] ?? []
      if (!prefix || !lengths) return ofSegment
      return [...ofSegment.slice(0, single.length), joinedList(ofSegment.slice(single.length), lengths)]
    })
    return { state, lists }
  }

  #scoring(
    query: WordQuery,
    terms: QueryTerms,
    state: WordState,
    lists: readonly (readonly (PostingList | undefined)[])[],
  ): Scoring {
    if (query.kind === 'sparse' && query.idf !== true) return new SparseScoring(terms)
    const having = havingOf(terms, state, lists)
    return query.kind === 'text'
      ? new WordScoring(terms, having, state)
      : new SparseScoring(terms, { records: this.#view.liveRecords, having })
  }

  /** The scores of admitted records that no index has. */
  #counted(
    counted: readonly CountedRef[],
    admitted: Selection,
    terms: QueryTerms,
    scoring: Scoring,
    best: BestSums,
  ): Scored[] {
    const changed = new Set(admitted.changed)
    const amounts = new Float64Array(terms.keys.length)
    const found: Scored[] = []
    for (const { ref, place, changed: own, record } of counted) {
      const isAdmitted = place ? admitted.rows[place.segment]?.has(place.row) : own && changed.has(own)
      if (isAdmitted !== true || !amountsOf(record, terms, amounts)) continue
      const score = scoring.score(amounts, record.length)
      best.offer(1 - score)
      found.push({ ref, score })
    }
    return found
  }

  /** Ordinals are read only of records that may be among the first k. */
  async #ranked(found: Scored[], k: number): Promise<RankedRecord[]> {
    found.sort((a, b) => a.score - b.score)
    const last = found[Math.min(k, found.length) - 1]?.score ?? 0
    const open = found.filter(({ score }) => score <= last)
    const ordinals = await this.#view.ordinals(open.map(({ ref }) => ref))
    return open
      .map(({ ref, score }, i): RankedRecord => ({ ref, score, ordinal: ordinals[i] as number }))
      .sort((a, b) => a.score - b.score || a.ordinal - b.ordinal)
      .slice(0, k)
  }
}

/** How many live records have each term. */
function havingOf(
  terms: QueryTerms,
  state: WordState,
  lists: readonly (readonly (PostingList | undefined)[])[],
): Float64Array {
  const having = new Float64Array(terms.keys.length)
  for (const [i, segment] of state.indexed.entries())
    for (const [t, list] of (lists[i] ?? []).entries())
      if (list) having[t] = (having[t] as number) + visibleCount(segment, keyAt(terms, t), list)
  const amounts = new Float64Array(terms.keys.length)
  for (const { record } of state.counted) {
    if (!amountsOf(record, terms, amounts)) continue
    for (let t = 0; t < amounts.length; t++)
      if (!Number.isNaN(amounts[t] as number)) having[t] = (having[t] as number) + 1
  }
  return having
}

/** undefined: the prefix, whose list is made for the query */
function keyAt({ keys, prefix }: QueryTerms, t: number): number | undefined {
  return prefix && t === keys.length - 1 ? undefined : keys[t]
}

/** The most by which a sum in 64 bits and any order can differ from 1 − score, twice. */
function marginOf(
  { keys }: QueryTerms,
  scoring: Scoring,
  { indexed, counted }: WordState,
  lists: readonly (readonly (PostingList | undefined)[])[],
): number {
  let total = 0
  for (let t = 0; t < keys.length; t++) {
    const weight = Math.abs(scoring.weights[t] as number)
    if (scoring.kind === 'words') {
      total += weight
      continue
    }
    let most = 0
    for (const [i, { index }] of indexed.entries()) {
      most = Math.max(most, -index.params.leastWeight)
      const list = lists[i]?.[t]
      for (let block = 0; block < (list?.blocks ?? 0); block++) most = Math.max(most, floatOf(list?.bound(block) ?? 0))
    }
    for (const { record } of counted) for (const amount of record.amounts) most = Math.max(most, Math.abs(amount))
    total += weight * most
  }
  return (keys.length + 4) * 2 ** -23 * (1 + total)
}

const bits = new Uint32Array(1)
const float = new Float32Array(bits.buffer)

function floatOf(stored: number): number {
  bits[0] = stored
  return float[0] as number
}

/** @param rows ascending */
function exactScores(
  { number, index, lengths, weights }: IndexedSegment,
  lists: readonly (PostingList | undefined)[],
  rows: readonly number[],
  scoring: Scoring,
): Scored[] {
  const amounts = rows.map(() => new Float64Array(lists.length).fill(Number.NaN))
  for (const [t, list] of lists.entries())
    list?.find(rows, (i, payload) => {
      const amount = index.isOfDocuments ? payload : weights ? (weights[payload] as number) : floatOf(payload)
      ;(amounts[i] as Float64Array)[t] = amount
    })
  return rows.map((row, i) => ({
    ref: { changed: null, row: { segment: number, row } },
    score: scoring.score(amounts[i] as Float64Array, lengths ? (lengths[row] as number) - 1 : 0),
  }))
}
