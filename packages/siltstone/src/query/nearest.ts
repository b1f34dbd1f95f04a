/**
 * Nearest neighbours among selected records of one view: the rows of all segments and the records that the log changed, in one top-k
 * for each query. Segments that have an inverted file are searched through it, others are scanned; every distance that
 * is answered was measured exactly.
 */
import { invalid } from '../errors.ts'
import type { RowSet } from '../format/row-set.ts'
import { type Ivf, ivfOf } from '../ivf/ivf.ts'
import { effortOf } from '../ivf/search/effort.ts'
import type { CorrectionFactors, NeededEffort } from '../ivf/search/correction.ts'
import type { IndexedSegment } from '../ivf/search/indexed-segment.ts'
import { IvfSearch } from '../ivf/search/ivf-search.ts'
import type { Probe } from '../ivf/search/probe.ts'
import { SearchRecorder } from '../ivf/search/search-recorder.ts'
import type { ChangedRecord } from '../log/log-overlay.ts'
import type { RecordRef, View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import type { Include, QueryHits, QueryRequest } from '../model/read.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import { chooseAccessPaths, type SearchedSegment } from './access-path.ts'
import { measureChanged } from './changed-vectors.ts'
import { ColumnPrefetch } from './column-prefetch.ts'
import { measureRows, measureSegments } from './exact-scan.ts'
import { type RankedQuery, Ranking } from './rank.ts'
import { RecordTags } from './record-tags.ts'
import { everything, type Selection } from './selection.ts'
import { columnsInSlices, SLICE_RECORDS } from './slices.ts'
import type { Pause } from '../pacer.ts'

/** What a caller of `nearest` does with the records that may be the nearest, before any of them is measured. */
export interface HandedOver {
  /** Columns that it will read: their directories are read together with the index. */
  include: Include
  /**
   * Called instead of measuring them, where that takes a round of reads.
   * @param candidates with estimates of their distances, −∞ where none holds
   */
  take(candidates: readonly RankedRef[]): Promise<void>
}

/** The nearest of some records. */
export interface RankedRef {
  ref: RecordRef
  distance: number
}

/**
 * The nearest of the selected records, without their columns.
 * @param request `kept`, at least `k`: so many of the records that a search for `k` measures; `handOver`: those are left out
 * @param selected of the same view
 * @throws SiltstoneError `invalid` dimension-mismatch, bad-recall
 */
export async function nearest(
  view: View,
  space: Space,
  request: Pick<QueryRequest, 'k' | 'search'> & {
    vector: Float32Array
    field: string
    kept?: number
    handOver?: HandedOver
  },
  selected: Selection,
  pause: Pause,
  recorder = new SearchRecorder(),
): Promise<RankedRef[]> {
  const { vector, field, ...rest } = request
  checkDimension(view, vector, field)
  checkRecall(request.search?.recall)
  const found = new NearestSearch(view, space, { ...rest, vectors: [vector], include: null }, pause, recorder)
  await found.rank(selected)
  return found.refs()
}

/** The distances of some records, the nearest first. */
export async function distancesOf(
  view: View,
  space: Space,
  vector: Float32Array,
  refs: readonly RecordRef[],
  pause: Pause,
): Promise<RankedRef[]> {
  const request = { vectors: [vector], k: refs.length, include: null }
  const found = new NearestSearch(view, space, request, pause, new SearchRecorder())
  await found.rankRefs(refs)
  return found.refs()
}

export function checkRecall(recall: number | undefined): void {
  if (recall === undefined || (recall > 0 && recall <= 1)) return
  throw invalid('bad-recall', `search.recall is ${recall}; give a number above 0, at most 1, such as 0.95`, {
    field: 'search.recall',
  })
}

/** With null, only `refs` will be asked for. */
export type NearestRequest = Omit<QueryRequest, 'include' | 'ids' | 'filter'> & {
  include: Include | null
  kept?: number
  handOver?: HandedOver
}

export class NearestSearch {
  readonly #view: View
  readonly #space: Space
  readonly #request: NearestRequest
  readonly #pause: Pause
  readonly #recorder: SearchRecorder
  readonly #k: number
  readonly #ranking: Ranking
  readonly #tags = new RecordTags()
  readonly #prefetch: ColumnPrefetch
  readonly #correction: CorrectionFactors | undefined

  constructor(
    view: View,
    space: Space,
    request: NearestRequest,
    pause: Pause,
    recorder: SearchRecorder,
    correction?: CorrectionFactors,
  ) {
    this.#correction = correction
    this.#view = view
    this.#space = space
    this.#request = request
    this.#pause = pause
    this.#recorder = recorder
    this.#k = Math.min(request.k, view.liveRecords)
    this.#ranking = Ranking.of(space, request.vectors, Math.max(this.#k, request.kept ?? 0), pause)
    this.#prefetch = new ColumnPrefetch(request.handOver?.include ?? request.include)
  }

  /** Whether an answer can have a record. */
  get asks(): boolean {
    return this.#request.vectors.length > 0 && this.#k > 0
  }

  /** @param selecting the admitted records; they may still be read while the indexes are opened */
  async rank(selecting: Selection | Promise<Selection>): Promise<void> {
    if (!this.asks) return
    const [selection, indexes] = await Promise.all([
      selecting,
      Promise.all(this.#view.base.segments.map((segment) => this.#openIndex(segment))),
    ])
    this.#recorder.endStage('filter')
    await this.#rankSelection(selection, indexes)
  }

  /** Also reads the directories of the columns that will be answered. @returns undefined: measure each row */
  async #openIndex(segment: OpenSegment): Promise<Ivf | undefined> {
    const { exact, recall } = this.#request.search ?? {}
    const isExact = exact === true || recall === 1
    const [ivf] = await Promise.all([isExact ? undefined : ivfOf(segment.reader), this.#prefetch.directories(segment)])
    return ivf?.directory.space === this.#space ? ivf : undefined
  }

  async #rankSelection({ rows, counts, changed }: Selection, indexes: readonly (Ivf | undefined)[]): Promise<void> {
    const { segments } = this.#view.base
    const { stats } = this.#recorder
    const searched = segments.map(
      (segment, i): SearchedSegment => ({
        segment,
        ivf: indexes[i],
        rows: rows[i] as RowSet,
        count: counts[i] as number,
        firstTag: this.#tags.addSegment(segment.rows),
      }),
    )
    stats.segments += segments.length
    const { exact, indexed } = chooseAccessPaths(searched, this.#k)
    for (const { count } of exact) stats.scannedRows += count
    await measureSegments(exact, this.#ranking)
    stats.freshRecords += changed.length
    await this.#rankChanged(changed)
    if (indexed.length > 0) await this.#rankIndexed(indexed)
  }

  /** Call after `rank`, for a request without a filter. */
  async needed(): Promise<NeededEffort[]> {
    const { segments } = this.#view.base
    const { rows, counts } = everything(this.#view)
    const indexed: IndexedSegment[] = []
    let firstTag = 0
    for (const [i, segment] of segments.entries()) {
      const ivf = await ivfOf(segment.reader)
      const count = counts[i] as number
      if (ivf?.directory.space === this.#space && count > 0)
        indexed.push({ ivf, rows: rows[i] as RowSet, count, firstTag })
      firstTag += segment.rows
    }
    if (indexed.length === 0 || this.#k === 0) return []
    const search = new IvfSearch(indexed, this.#k, effortOf(), this.#recorder)
    const needed: NeededEffort[] = []
    for (const { vector, nearest } of this.#ranking.queries) {
      const tags = nearest.sorted().map(({ tag }) => tag)
      needed.push(await search.neededEffort(vector, tags))
      await this.#pause()
    }
    return needed
  }

  #rankChanged(changed: readonly ChangedRecord[]): Promise<void> {
    return measureChanged(this.#view, changed, this.#ranking, (i) =>
      this.#tags.addRecord({ changed: changed[i] as ChangedRecord }),
    )
  }

  async #rankIndexed(indexed: readonly (SearchedSegment & IndexedSegment)[]): Promise<void> {
    const ivf = new IvfSearch(indexed, this.#k, effortOf(this.#request.search), this.#recorder, this.#correction)
    const isLocal = indexed.every(({ segment }) => segment.reader.source.isLocal)
    const { stats } = this.#recorder
    const { queries } = this.#ranking
    for (const query of queries) {
      const { vector, nearest } = query
      const examination = await ivf.examine(
        vector,
        nearest.sorted(),
        isLocal ? undefined : (probes) => this.#prepareRows(probes),
      )
      if (isLocal) {
        // A local read takes microseconds: the distances of the likeliest tell which of the others are worth reading.
        for (let level = 0; level < examination.levels; level++) {
          examination.scan(level, nearest)
          for (;;) {
            const tags = examination.take(level, nearest)
            if (tags.length === 0) break
            const due = this.#measure(tags, query)
            if (due) await due
          }
        }
      } else {
        // A round trip takes longer than reading more. When lists had to be read, the columns are not in memory either.
        const isCold = stats.listsRead > 0
        const { tags, likeliest, estimates } = examination.all()
        const { handOver } = this.#request
        if (handOver)
          await handOver.take(tags.map((tag, i) => ({ ref: this.#tags.ref(tag), distance: estimates[i] as number })))
        else await Promise.all([this.#measure(tags, query), this.#prefetchColumns(isCold ? likeliest : [])])
      }
      if (queries.length > 1) await this.#pause()
    }
  }

  /** @param tags of rows */
  #measure(tags: readonly number[], query: RankedQuery): Promise<void> | undefined {
    this.#recorder.stats.measured += tags.length
    const ranking = this.#ranking.only(query)
    return this.#eachSegment(tags, (segment, rows, firstTag) => measureRows(segment, rows, firstTag, ranking))
  }

  /** Reads what tells where the columns of the rows in some clusters lie. */
  async #prepareRows(probes: readonly Probe[]): Promise<void> {
    if (!this.#prefetch.isWanted) return
    const ends = probes.flatMap(({ segment: { ivf, firstTag }, cluster }) => {
      const [first, end] = [ivf.directory.firstRows[cluster] as number, ivf.directory.firstRows[cluster + 1] as number]
      return end > first ? [firstTag + first, firstTag + end - 1] : []
    })
    await this.#eachSegment(ends, ({ reader }, rows) => reader.prepareRows(rows))
  }

  async #prefetchColumns(tags: readonly number[]): Promise<void> {
    await this.#eachSegment(tags, (segment, rows) => this.#prefetch.rows(segment, rows))
  }

  /** @param task returns undefined if it is done at once @returns undefined if all are */
  #eachSegment(
    tags: readonly number[],
    task: (segment: OpenSegment, rows: readonly number[], firstTag: number) => Promise<void> | undefined,
  ): Promise<void> | undefined {
    const waiting: Promise<void>[] = []
    for (const { segment, rows, firstTag } of this.#tags.bySegment(tags)) {
      const due = task(this.#view.base.segments[segment] as OpenSegment, rows, firstTag)
      if (due) waiting.push(due)
    }
    return waiting.length === 0 ? undefined : allDone(waiting)
  }

  /** Instead of `rank`: measures these records alone. */
  async rankRefs(refs: readonly RecordRef[]): Promise<void> {
    if (refs.length === 0) return
    const blocks = await this.#view.vectors(refs)
    const rows = { dimension: this.#view.dimension as number, blocks, starts: new Uint32Array(blocks.length) }
    await this.#ranking.eachQuery(blocks.length * rows.dimension, (ranking) =>
      ranking.offerScattered(rows, (i) => this.#tags.addRecord(refs[i] as RecordRef)),
    )
  }

  /** The answer to the only query. */
  refs(): RankedRef[] {
    const [query] = this.#ranking.queries
    return query?.nearest.sorted().map(({ distance, tag }) => ({ ref: this.#tags.ref(tag), distance })) ?? []
  }

  /** The answer to each query, with its columns. */
  async hits(): Promise<QueryHits[]> {
    const lists: Ranked[] = []
    let results = 0
    for (const { nearest } of this.#ranking.queries) {
      const list = nearest.sorted()
      lists.push(list)
      results += list.length
      if (list.length > SLICE_RECORDS / 4) await this.#pause()
    }
    // Columns of all answers are read together if they are few, in as few rounds as possible.
    if (results <= SLICE_RECORDS) return this.#withColumns(lists)
    const hits: QueryHits[] = []
    for (const list of lists) {
      hits.push(...(await this.#withColumns([list])))
      await this.#pause()
    }
    return hits
  }

  async #withColumns(lists: readonly Ranked[]): Promise<QueryHits[]> {
    const refs = lists.flat().map(({ tag }) => this.#tags.ref(tag))
    const columns = await columnsInSlices(this.#view, refs, this.#request.include ?? {}, this.#pause)
    let end = 0
    return lists.map((list) => {
      const start = end
      end += list.length
      const part = <T>(values: T[]): T[] => values.slice(start, end)
      return {
        ids: part(columns.ids),
        distances: list.map(({ distance }) => distance),
        ...(columns.embeddings && { embeddings: part(columns.embeddings) }),
        ...(columns.documents && { documents: part(columns.documents) }),
        ...(columns.metadatas && { metadatas: part(columns.metadatas) }),
        ...(columns.uris && { uris: part(columns.uris) }),
      }
    })
  }
}

export function checkDimension({ dimension }: View, vector: Float32Array, field: string): void {
  if (dimension !== null && vector.length !== dimension)
    throw invalid(
      'dimension-mismatch',
      `Collection expecting embedding with dimension of ${dimension}, got ${vector.length}`,
      { field },
    )
}

async function allDone(tasks: readonly Promise<void>[]): Promise<void> {
  await Promise.all(tasks)
}

type Ranked = ReturnType<Ranking['queries'][number]['nearest']['sorted']>
