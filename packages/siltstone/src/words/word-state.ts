/**
 * What a view has of one key, found once for each view: the rows that word indexes answer for, the records that are counted one
 * by one, and the statistics that need no query.
 *
 * Rows of a segment are *hidden* from its index when they are deleted, changed by the log, or changed by an overlay in the
 * indexed column. Hidden rows are still in the lists, so lists are corrected for them.
 */
import { RowSet } from '../format/row-set.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import { memoize } from '../memo.ts'
import type { Pause } from '../pacer.ts'
import { Pacer } from '../pacer.ts'
import { everything } from '../query/selection.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { type Analyzer, documentAnalyzer } from '../text/analyzer.ts'
import { DOCUMENT_KEY } from '../model/schema.ts'
import type { PostingList } from '../word-index/posting-list.ts'
import { usableIndexOf } from '../word-index/indexed-keys.ts'
import type { WordIndex } from '../word-index/word-index.ts'
import { type CountedRecord, countedDocument, countedVector } from './counted-record.ts'

const SLICE_ROWS = 1_024
/** Characters that are counted between two pauses. */
const PAUSE_AFTER = 200_000

export interface CountedRef {
  ref: RecordRef
  /** Of a row. */
  place?: { segment: number; row: number }
  changed?: ChangedRecord
  record: CountedRecord
}

export interface IndexedSegment {
  /** In the view. */
  number: number
  segment: OpenSegment
  index: WordIndex
  /** Rows that are not hidden. */
  visible: RowSet
  /** Hidden for each view of this segment. */
  hidden: RowSet
  /** Hidden by the log, and by nothing else; ascending. */
  changed: Uint32Array
  /** Of each row: words of its document, plus 1; 0 without one. */
  lengths: Uint8Array | Uint16Array | Uint32Array | undefined
  /** The table of weights. */
  weights: Float32Array | undefined
}

export interface WordState {
  indexed: readonly IndexedSegment[]
  counted: readonly CountedRef[]
  /** Documents, and the words of all. */
  documents: number
  totalLength: number
}

const states = new WeakMap<View, Map<string, Promise<WordState>>>()

/** @param key `#document` or a metadata key */
export function wordStateOf(view: View, key: string, pause: Pause): Promise<WordState> {
  let ofView = states.get(view)
  if (!ofView) states.set(view, (ofView = new Map()))
  return memoize(ofView, key, () => new Reading(view, key, pause).state())
}

const countedRecords = new WeakMap<ChangedRecord, Map<string, CountedRecord | null>>()
const countedRows = new WeakMap<OpenSegment, Map<string, Promise<ReadonlyMap<number, CountedRecord>>>>()

/** How many rows a search counts, because their segments have no index of the key. */
export function rowsToCount(view: View, key: string): number {
  return view.base.segments.reduce((sum, segment) => sum + (indexIn(segment, key) ? 0 : segment.liveRows), 0)
}

export function indexIn({ reader }: OpenSegment, key: string): WordIndex | undefined {
  return usableIndexOf(reader, key)
}

class Reading {
  readonly #view: View
  readonly #key: string
  readonly #analyzer: Analyzer
  readonly #pacer: Pacer

  constructor(view: View, key: string, pause: Pause) {
    this.#view = view
    this.#key = key
    this.#analyzer = documentAnalyzer()
    this.#pacer = new Pacer(PAUSE_AFTER, pause)
  }

  get #isOfDocuments(): boolean {
    return this.#key === DOCUMENT_KEY
  }

  async state(): Promise<WordState> {
    const live = everything(this.#view)
    const { segments } = this.#view.base
    const [changed, parts] = await Promise.all([
      this.#changed(live.changed),
      Promise.all(segments.map((segment, number) => this.#segment(segment, number, live.rows[number] as RowSet))),
    ])
    const indexed = parts.map((part) => part.indexed).filter((it) => it !== undefined)
    const counted = [...changed, ...parts.flatMap((part) => part.counted)]
    let documents = counted.length
    let totalLength = counted.reduce((sum, { record }) => sum + record.length, 0)
    for (const segment of indexed) {
      const valued = statisticsOf(segment)
      documents += valued.documents
      totalLength += valued.totalLength
    }
    return { indexed, counted, documents, totalLength }
  }

  async #changed(records: readonly ChangedRecord[]): Promise<CountedRef[]> {
    const known = (record: ChangedRecord) => countedRecords.get(record)?.get(this.#key)
    const missing = records.filter((record) => known(record) === undefined)
    for (let i = 0; i < missing.length; i += SLICE_ROWS) {
      const slice = missing.slice(i, i + SLICE_ROWS)
      const refs = slice.map((changed): RecordRef => ({ changed }))
      const texts = await (this.#isOfDocuments ? this.#view.documents(refs) : this.#view.metadatas(refs))
      for (const [k, record] of slice.entries()) {
        let ofRecord = countedRecords.get(record)
        if (!ofRecord) countedRecords.set(record, (ofRecord = new Map()))
        ofRecord.set(this.#key, this.#count(texts[k] ?? null) ?? null)
        const due = this.#pacer.spend(texts[k]?.length ?? 0)
        if (due) await due
      }
    }
    return records.flatMap((changed): CountedRef[] => {
      const record = known(changed)
      return record ? [{ ref: { changed }, changed, record }] : []
    })
  }

  #count(text: string | null): CountedRecord | undefined {
    if (text === null) return undefined
    return this.#isOfDocuments ? countedDocument(this.#analyzer, text) : countedVector(text, this.#key)
  }

  async #segment(
    segment: OpenSegment,
    number: number,
    live: RowSet,
  ): Promise<{ indexed: IndexedSegment | undefined; counted: CountedRef[] }> {
    const index = indexIn(segment, this.#key)
    const overlaid = index ? await this.#overlaid(segment) : RowSet.full(segment.rows)
    const [records, lengths, weights] = await Promise.all([
      this.#countedRows(segment, overlaid),
      index?.isOfDocuments === true ? index.lengths() : undefined,
      index?.isOfDocuments === false ? index.weights() : undefined,
    ])
    const counted = [...records]
      .filter(([row]) => live.has(row))
      .map(([row, record]): CountedRef => {
        const place = { segment: number, row }
        return { ref: { changed: null, row: place }, place, record }
      })
    if (!index) return { indexed: undefined, counted }
    const hidden = overlaid.copy().unite(RowSet.full(segment.rows).subtract(segment.live()))
    const changed = [...(this.#view.overlay.changedRows().get(number)?.keys() ?? [])].filter((row) => !hidden.has(row))
    return {
      indexed: {
        number,
        segment,
        index,
        visible: live.copy().subtract(overlaid),
        hidden,
        changed: Uint32Array.from(changed).sort(),
        lengths,
        weights,
      },
      counted,
    }
  }

  async #overlaid(segment: OpenSegment): Promise<RowSet> {
    const rows = new RowSet(segment.rows)
    const column = this.#isOfDocuments ? 'documents' : 'metadata'
    for (const overlay of segment.overlays)
      if (overlay.descriptor.columns.includes(column)) for (const row of (await overlay.load()).rows) rows.add(row)
    return rows
  }

  /** Counts rows that the index does not have as they are, deleted ones excluded. */
  #countedRows(segment: OpenSegment, overlaid: RowSet): Promise<ReadonlyMap<number, CountedRecord>> {
    let known = countedRows.get(segment)
    if (!known) countedRows.set(segment, (known = new Map()))
    return memoize(known, this.#key, async () => {
      const counted = new Map<number, CountedRecord>()
      const rows = segment.live().intersect(overlaid).toArray()
      for (let i = 0; i < rows.length; i += SLICE_ROWS) {
        const slice = rows.slice(i, i + SLICE_ROWS)
        const texts = await segment.column(this.#isOfDocuments ? 'documents' : 'metadata', slice)
        for (const [k, row] of slice.entries()) {
          const record = this.#count(texts[k] ?? null)
          if (record) counted.set(row, record)
          const due = this.#pacer.spend(texts[k]?.length ?? 0)
          if (due) await due
        }
      }
      return counted
    })
  }
}

/** Of the rows of a segment that are not hidden. */
function statisticsOf({ index, lengths, hidden, changed }: IndexedSegment): { documents: number; totalLength: number } {
  let { valued: documents, totalLength } = index.params
  if (!lengths) return { documents, totalLength }
  const subtract = (row: number) => {
    const length = lengths[row] as number
    if (length === 0) return
    documents--
    totalLength -= length - 1
  }
  for (const row of hidden) subtract(row)
  for (const row of changed) subtract(row)
  return { documents, totalLength }
}

/** For each segment, by key: how many hidden rows are in the list. */
const hiddenCounts = new WeakMap<OpenSegment, Map<string, Map<number, number>>>()

const MOST_COUNTS = 10_000

/** How many rows that are not hidden have the term. @param key undefined for a list that is not one of the index */
export function visibleCount(
  { segment, index, hidden, changed }: IndexedSegment,
  key: number | undefined,
  list: PostingList,
): number {
  let among = key === undefined ? countIn(list, hidden) : hiddenCount(segment, index.params.key, key, list, hidden)
  if (changed.length > 0) list.find(changed, () => among++)
  return list.count - among
}

function hiddenCount(segment: OpenSegment, indexed: string, key: number, list: PostingList, hidden: RowSet): number {
  let ofSegment = hiddenCounts.get(segment)
  if (!ofSegment) hiddenCounts.set(segment, (ofSegment = new Map()))
  let ofKey = ofSegment.get(indexed)
  if (!ofKey) ofSegment.set(indexed, (ofKey = new Map()))
  let count = ofKey.get(key)
  if (count === undefined) {
    if (ofKey.size >= MOST_COUNTS) ofKey.clear()
    count = countIn(list, hidden)
    ofKey.set(key, count)
  }
  return count
}

function countIn(list: PostingList, rows: RowSet): number {
  const members = rows.count()
  let count = 0
  if (members === 0) return 0
  if (members < list.count) list.find(rows.toArray(), () => count++)
  else list.each((row) => (count += rows.has(row) ? 1 : 0))
  return count
}
