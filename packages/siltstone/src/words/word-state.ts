/**
 * What a view has of some sources of words, found once for each view: the rows that word indexes answer for, the records that are
 * counted one by one, and the statistics that need no query. Several sources are several fields of one record, so all of
 * them have the same rows and the same counted records.
 *
 * Rows of a segment are *hidden* from its indexes when they are deleted, changed by the log, or changed by an overlay in a
 * column of one of the sources. Hidden rows are still in the lists, so lists are corrected for them.
 */
import { RowSet } from '../format/row-set.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import { memoize } from '../memo.ts'
import type { Pause } from '../pacer.ts'
import { Pacer } from '../pacer.ts'
import { everything } from '../query/selection.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { usableIndexOf } from '../word-index/indexed-keys.ts'
import type { WordIndex } from '../word-index/word-index.ts'
import { columnOf, nameOf, type WordSource } from '../word-index/word-source.ts'
import { type CountedRecord, countedUnder, withRoundedLength } from './counted-record.ts'

const SLICE_ROWS = 1_024
/** Characters that are counted between two pauses. */
const PAUSE_AFTER = 200_000

/** Of each source; undefined where the record has nothing of it. */
export type CountedRecords = readonly (CountedRecord | undefined)[]

export interface CountedRef {
  ref: RecordRef
  /** Of a row. */
  place?: { segment: number; row: number }
  changed?: ChangedRecord
  /** At least one is there. */
  records: CountedRecords
}

export interface IndexedSource {
  index: WordIndex
  /** Of each row: words of its text, plus 1; 0 without one. */
  lengths: Uint8Array | Uint16Array | Uint32Array | undefined
  /** The table of weights. */
  weights: Float32Array | undefined
}

export interface IndexedSegment {
  /** In the view. */
  number: number
  segment: OpenSegment
  sources: readonly IndexedSource[]
  /** Rows that are not hidden. */
  visible: RowSet
  /** Hidden for each view of this segment. */
  hidden: RowSet
  /** How many these are. */
  hiddenRows: number
  /** Hidden by the log, and by nothing else; ascending. */
  changed: Uint32Array
}

export interface SourceStatistics {
  /** Records that have the source. */
  documents: number
  /** The words of all. */
  totalLength: number
}

export interface WordState {
  indexed: readonly IndexedSegment[]
  counted: readonly CountedRef[]
  /** Records that have at least one of the sources. */
  documents: number
  /** Of each source. */
  statistics: readonly SourceStatistics[]
}

const states = new WeakMap<View, Map<string, Promise<WordState>>>()

export function wordStateOf(view: View, sources: readonly WordSource[], pause: Pause): Promise<WordState> {
  let ofView = states.get(view)
  if (!ofView) states.set(view, (ofView = new Map()))
  return memoize(ofView, namesOf(sources), () => new Reading(view, sources, pause).state())
}

function namesOf(sources: readonly WordSource[]): string {
  return sources.map(nameOf).join(' ')
}

const countedRecords = new WeakMap<ChangedRecord, Map<string, CountedRecord | null>>()
const countedRows = new WeakMap<OpenSegment, Map<string, Promise<ReadonlyMap<number, CountedRecords>>>>()

/** How many rows a search counts, because their segments do not have the indexes of all sources. */
export function rowsToCount(view: View, sources: readonly WordSource[]): number {
  return view.base.segments.reduce((sum, segment) => sum + (indexesIn(segment, sources) ? 0 : segment.liveRows), 0)
}

/** The indexes of all sources; undefined if one is missing. */
export function indexesIn({ reader }: OpenSegment, sources: readonly WordSource[]): WordIndex[] | undefined {
  const indexes = sources.map((source) => usableIndexOf(reader, source)).filter((index) => index !== undefined)
  return indexes.length === sources.length ? indexes : undefined
}

class Reading {
  readonly #view: View
  readonly #sources: readonly WordSource[]
  readonly #pacer: Pacer

  constructor(view: View, sources: readonly WordSource[], pause: Pause) {
    this.#view = view
    this.#sources = sources
    this.#pacer = new Pacer(PAUSE_AFTER, pause)
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
    const statistics = this.#sources.map((_, i) => statisticsOf(indexed, counted, i))
    const [only] = statistics
    const documents =
      only && statistics.length === 1
        ? only.documents
        : counted.length + indexed.reduce((sum, segment) => sum + documentsIn(segment), 0)
    return { indexed, counted, documents, statistics }
  }

  /** The column texts that the sources are in, for some records. */
  async #changed(records: readonly ChangedRecord[]): Promise<CountedRef[]> {
    const known = (record: ChangedRecord, source: WordSource) => countedRecords.get(record)?.get(nameOf(source))
    const missing = records.filter((record) => this.#sources.some((source) => known(record, source) === undefined))
    for (let i = 0; i < missing.length; i += SLICE_ROWS) {
      const slice = missing.slice(i, i + SLICE_ROWS)
      const refs = slice.map((changed): RecordRef => ({ changed }))
      await this.#countSlice(
        slice.length,
        (column) => (column === 'documents' ? this.#view.documents(refs) : this.#view.metadatas(refs)),
        (k, counted) => {
          const record = slice[k] as ChangedRecord
          let ofRecord = countedRecords.get(record)
          if (!ofRecord) countedRecords.set(record, (ofRecord = new Map()))
          for (const [s, source] of this.#sources.entries()) ofRecord.set(nameOf(source), counted[s] ?? null)
        },
      )
    }
    return records.flatMap((changed): CountedRef[] => {
      const own = this.#sources.map((source) => known(changed, source) ?? undefined)
      return own.some((record) => record) ? [{ ref: { changed }, changed, records: own }] : []
    })
  }

  /** @param read gives a column of the slice */
  async #countSlice(
    count: number,
    read: (column: 'documents' | 'metadata') => Promise<readonly (string | null)[]>,
    take: (i: number, records: CountedRecords) => void,
  ): Promise<void> {
    const columns = [...new Set(this.#sources.map(columnOf))]
    const texts = new Map(await Promise.all(columns.map(async (column) => [column, await read(column)] as const)))
    for (let i = 0; i < count; i++) {
      take(
        i,
        this.#sources.map((source) => {
          const text = texts.get(columnOf(source))?.[i] ?? null
          return text === null ? undefined : countedUnder(source, text)
        }),
      )
      const due = this.#pacer.spend(columns.reduce((sum, column) => sum + (texts.get(column)?.[i]?.length ?? 0), 0))
      if (due) await due
    }
  }

  async #segment(
    segment: OpenSegment,
    number: number,
    live: RowSet,
  ): Promise<{ indexed: IndexedSegment | undefined; counted: CountedRef[] }> {
    const indexes = indexesIn(segment, this.#sources)
    const overlaid = indexes ? await this.#overlaid(segment) : RowSet.full(segment.rows)
    const [records, sources] = await Promise.all([
      this.#countedRows(segment, overlaid),
      Promise.all(
        (indexes ?? []).map(
          async (index): Promise<IndexedSource> => ({
            index,
            lengths: index.isOfTexts ? await index.lengths() : undefined,
            weights: index.isOfTexts ? undefined : await index.weights(),
          }),
        ),
      ),
    ])
    const counted = [...records]
      .filter(([row]) => live.has(row))
      .map(([row, own]): CountedRef => {
        const place = { segment: number, row }
        return { ref: { changed: null, row: place }, place, records: own }
      })
    if (!indexes) return { indexed: undefined, counted }
    const hidden = overlaid.copy().unite(RowSet.full(segment.rows).subtract(segment.live()))
    const changed = [...(this.#view.overlay.changedRows().get(number)?.keys() ?? [])].filter((row) => !hidden.has(row))
    return {
      indexed: {
        number,
        segment,
        sources,
        visible: live.copy().subtract(overlaid),
        hidden,
        hiddenRows: hidden.count(),
        changed: Uint32Array.from(changed).sort(),
      },
      counted,
    }
  }

  async #overlaid(segment: OpenSegment): Promise<RowSet> {
    const rows = new RowSet(segment.rows)
    const columns = new Set(this.#sources.map(columnOf))
    for (const overlay of segment.overlays)
      if (overlay.descriptor.columns.some((column) => columns.has(column as 'documents' | 'metadata')))
        for (const row of (await overlay.load()).rows) rows.add(row)
    return rows
  }

  /** Counts rows that the indexes do not have as they are, deleted ones excluded. */
  #countedRows(segment: OpenSegment, overlaid: RowSet): Promise<ReadonlyMap<number, CountedRecords>> {
    let known = countedRows.get(segment)
    if (!known) countedRows.set(segment, (known = new Map()))
    return memoize(known, namesOf(this.#sources), async () => {
      const counted = new Map<number, CountedRecords>()
      const rows = segment.live().intersect(overlaid).toArray()
      for (let i = 0; i < rows.length; i += SLICE_ROWS) {
        const slice = rows.slice(i, i + SLICE_ROWS)
        await this.#countSlice(
          slice.length,
          (column) => segment.column(column, slice),
          (k, records) => {
            const own = segment.reader.isCompact ? records.map(withRoundedLength) : records
            if (own.some((record) => record)) counted.set(slice[k] as number, own)
          },
        )
      }
      return counted
    })
  }
}

/** Of one source: of the rows that are not hidden, and of counted records. */
function statisticsOf(
  segments: readonly IndexedSegment[],
  counted: readonly CountedRef[],
  source: number,
): SourceStatistics {
  const all = { documents: 0, totalLength: 0 }
  for (const { records } of counted) {
    const record = records[source]
    if (!record) continue
    all.documents++
    all.totalLength += record.length
  }
  for (const { sources, hidden, changed } of segments) {
    const { index, lengths } = sources[source] as IndexedSource
    all.documents += index.params.valued
    all.totalLength += index.params.totalLength
    if (!lengths) continue
    const subtract = (row: number) => {
      const length = lengths[row] as number
      if (length === 0) return
      all.documents--
      all.totalLength -= length - 1
    }
    for (const row of hidden) subtract(row)
    for (const row of changed) subtract(row)
  }
  return all
}

/** Visible rows with at least one of the sources. */
function documentsIn({ sources, visible }: IndexedSegment): number {
  let count = 0
  for (const row of visible) if (sources.some(({ lengths }) => (lengths?.[row] ?? 0) > 0)) count++
  return count
}
