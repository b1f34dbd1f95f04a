/** One collection of the engine: its operations, composed of log, snapshot, query and compaction. */
import { conflict, invalid, unsupported } from '../errors.ts'
import { changedSince } from '../log/changes-since.ts'
import type { CollectionState } from '../log/collection-state.ts'
import type { View } from '../log/view.ts'
import type { EvaluationState, LogWriter } from '../log/writer.ts'
import { inDocumentsLanguage } from '../filter/phrase.ts'
import { get, prepare } from '../query/get.ts'
import { matchingRefs } from '../query/matching-refs.ts'
import { metadataKeys } from '../query/metadata-keys.ts'
import { Correction } from '../ivf/search/correction.ts'
import { SearchRecorder } from '../ivf/search/search-recorder.ts'
import { examineExactly, search as nearestTo } from '../query/search.ts'
import { inSlices, SLICE_RECORDS } from '../query/slices.ts'
import { search } from '../search/search.ts'
import { yieldToEventLoop } from '#codec'
import type { RecordOp } from '../model/record.ts'
import { checkRecordLimits, type RecordLimits } from '../records/record-limits.ts'
import { CollectionViews } from './collection-views.ts'
import type { History } from './history.ts'
import { checkDimension, deletion, sizeOf } from './operations.ts'
import { readAhead } from './read-ahead.ts'
import { RealQueries } from './real-queries.ts'
import type { RecallSampler } from './recall-sampler.ts'
import { sampleVectors } from './sample-vectors.ts'
import { decodePageToken, decodeReadToken, encodePageToken, encodeReadToken } from './tokens.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { GetRequest, GetResponse, QueryRequest, QueryResponse, ReadOptions } from '../model/read.ts'
import type { SearchHits, SearchRequest, SearchResponse } from '../model/search.ts'
import type { Collection, CollectionContent, CollectionState as StateInfo, SnapshotInfo } from '../model/store.ts'
import { indexingOf, stateOf } from './view-state.ts'
import type { ConditionalCommit, DeleteRequest, IndexingStatus, WriteResult } from '../model/write.ts'
import { VectorFiller } from './vector-filler.ts'

export interface CollectionOptions {
  info: CollectionInfo
  state: CollectionState
  writer: LogWriter
  history: History
  boundedStalenessMs: number
  recordLimits: RecordLimits
  recall?: RecallSampler
  fork(info: CollectionInfo, newName: string): Promise<CollectionInfo>
  forkCount(info: CollectionInfo): Promise<number>
}

export class EngineCollection implements Collection {
  info: CollectionInfo
  readonly #options: CollectionOptions
  readonly #state: CollectionState
  readonly #filler = new VectorFiller()
  readonly #views: CollectionViews
  /** What sampled queries needed. */
  readonly #correction = new Correction()
  readonly realQueries = new RealQueries()

  constructor(options: CollectionOptions) {
    this.info = options.info
    this.#options = options
    this.#state = options.state
    this.#views = new CollectionViews(options.state, options.boundedStalenessMs, options.info.forkOf !== undefined)
  }

  async write(given: readonly RecordOp[]): Promise<WriteResult> {
    if (given.length === 0) return { version: (await this.#state.strongView()).version }
    // Not awaited without need: writes of one process keep the order of the calls.
    const filling = this.#filler.fill(this.info.schema, given)
    const operations = filling instanceof Promise ? await filling : filling
    const checking = checkRecordLimits(operations, this.#options.recordLimits)
    if (checking) await checking
    const { version } = await this.#options.writer.append(
      (at) => {
        checkDimension(at, operations)
        return { records: operations, result: null }
      },
      { sizeBytes: sizeOf(operations), records: operations },
    )
    return { version }
  }

  async delete(request: DeleteRequest): Promise<WriteResult & { deleted: number }> {
    const { ids, filter, limit } = request
    if (limit !== undefined && !filter)
      throw invalid('limit-without-filter', 'limit can only be specified when a where clause is provided', {
        field: 'limit',
      })
    if (!ids && !filter) return { version: (await this.#state.strongView()).version, deleted: 0 }
    const { version, result } = await this.#options.writer.append(
      async (at) => {
        const view = await at.view()
        const named = await inDocumentsLanguage(request, this.info.schema)
        const refs = await matchingRefs(view, named, yieldToEventLoop)
        const found = await inSlices(
          limit === undefined ? refs : refs.slice(0, limit),
          SLICE_RECORDS,
          yieldToEventLoop,
          (slice) => view.ids(slice),
        )
        return { records: found.map(deletion), result: found.length }
      },
      { sizeBytes: 1 + (ids?.length ?? 0) * 16 },
    )
    return { version, deleted: result }
  }

  async get(given: GetRequest): Promise<GetResponse> {
    const request = await inDocumentsLanguage(given, this.info.schema)
    if (request.pageToken !== undefined) return this.#nextPage(request, request.pageToken)
    return this.#views.read(request, async (view) =>
      paged(view, await get(view, request, yieldToEventLoop), request.offset ?? 0),
    )
  }

  prepare(include: GetRequest['include']): Promise<void> {
    return this.#views.read({}, (view) => prepare(view, include))
  }

  async #nextPage(request: GetRequest, pageToken: string): Promise<GetResponse> {
    const token = decodePageToken(pageToken, this.#state.path)
    return this.#views.readPage(token, async (view) =>
      paged(view, await get(view, { ...request, offset: token.offset }, yieldToEventLoop), token.offset),
    )
  }

  async query(given: QueryRequest): Promise<QueryResponse> {
    const request = await inDocumentsLanguage(given, this.info.schema)
    if (!Number.isSafeInteger(request.k) || request.k < 0)
      throw invalid('bad-k', `n_results is ${request.k}; give an integer of 1 or more`, { field: 'n_results' })
    if (request.explain === true) return this.#explained(request)
    const { recall } = this.#options
    const { space } = this.info
    return this.#views.read(request, async (view) => {
      const answer = await nearestTo(view, space, request, yieldToEventLoop, { correction: this.#correction })
      recall?.offer(this.#state.path, request, answer, async () => {
        this.realQueries.add(request.vectors)
        if (request.filter)
          return nearestTo(view, space, { ...request, include: {}, search: { exact: true } }, yieldToEventLoop)
        const { answer: exact, needed } = await examineExactly(view, space, request, yieldToEventLoop)
        for (const one of needed) this.#correction.add(one)
        return exact
      })
      return answer
    })
  }

  /** See `readAhead`. */
  readAhead(roomBytes: number, isOver: () => boolean): Promise<void> {
    return this.#views.read({ level: 'index' }, (view) => readAhead(view, roomBytes, isOver))
  }

  /** See `sampleVectors`. */
  sampleVectors(count: number): Promise<Float32Array[]> {
    return this.#views.read({ level: 'index' }, (view) => sampleVectors(view, count))
  }

  async #explained(request: QueryRequest): Promise<QueryResponse> {
    const { clock, tracer } = this.#state.env
    if (!tracer)
      throw unsupported('not-traced', 'explain needs an environment that traces requests; see `instrumented`')
    const recorder = new SearchRecorder(() => clock.monotonicMs())
    const { result, trace } = await tracer.trace(() =>
      this.#views.read(request, (view) => {
        recorder.endStage('freshness')
        return nearestTo(view, this.info.space, request, yieldToEventLoop, { recorder, correction: this.#correction })
      }),
    )
    const { requests, bytes, rounds } = trace
    const explanation = { ...recorder.stats, requests, bytesRead: bytes, rounds, timesMs: recorder.timesMs }
    return { ...result, explanation }
  }

  async search(request: SearchRequest): Promise<SearchResponse> {
    const { clock, tracer } = this.#state.env
    if (request.explain !== true || !tracer) return this.#search(request)
    // Searches by meaning and by words run at the same time, so only the stages around them have a time.
    const stages = new SearchRecorder(() => clock.monotonicMs())
    const recorder = new SearchRecorder()
    const { result, trace } = await tracer.trace(() =>
      this.#search(request, recorder, () => stages.endStage('freshness')),
    )
    stages.endStage('search')
    const work = { requests: trace.requests, bytesRead: trace.bytes, rounds: trace.rounds }
    return { ...result, explanation: { ...recorder.stats, ...work, timesMs: stages.timesMs } }
  }

  async #search(request: SearchRequest, recorder?: SearchRecorder, whenFresh?: () => void): Promise<SearchResponse> {
    const { searches, effort, explain = false } = request
    return this.#views.read(request, async (view) => {
      whenFresh?.()
      const given = { explain, ...(effort && { effort }), ...(recorder && { recorder }) }
      const context = { view, space: this.info.space, pause: yieldToEventLoop, ...given }
      const results: SearchHits[] = []
      for (const one of searches) results.push(await search(one, context))
      return { results, version: view.version }
    })
  }

  async count(options: ReadOptions = {}): Promise<number> {
    return this.#views.read(options, async (view) => view.liveRecords)
  }

  async dimension(): Promise<number | null> {
    return (await this.#state.strongView()).dimension
  }

  content(): Promise<CollectionContent> {
    return this.#views.read({}, async (view) => ({
      version: view.version,
      watermark: view.manifest.watermark,
      metadataKeys: await metadataKeys(view, yieldToEventLoop),
    }))
  }

  async indexingStatus(): Promise<IndexingStatus> {
    return indexingOf(await this.#state.strongView())
  }

  async state(): Promise<StateInfo> {
    return stateOf(await this.#state.strongView())
  }

  async readToken(): Promise<string> {
    return encodeReadToken((await this.#state.strongView()).version)
  }

  async commitIf(request: ConditionalCommit): Promise<WriteResult & { recordCount: number }> {
    const { readIds } = request
    const operations = await this.#filler.fill(this.info.schema, request.operations)
    const checking = checkRecordLimits(operations, this.#options.recordLimits)
    if (checking) await checking
    const since = request.readToken === undefined ? undefined : decodeReadToken(request.readToken)
    const { version } = await this.#options.writer.append(
      async (at) => {
        checkDimension(at, operations)
        if (since !== undefined) await this.#checkUnchanged(at, since, readIds)
        return { records: operations, result: null }
      },
      { sizeBytes: sizeOf(operations) },
    )
    return { version, recordCount: operations.length }
  }

  async #checkUnchanged(at: EvaluationState, since: number, readIds: readonly string[]): Promise<void> {
    const changed = since > at.version ? undefined : await changedSince(this.#state, since, at.version)
    if (!changed)
      throw conflict('stale-read', 'the read token is too old, or of another state; read again', {
        field: 'read_token',
      })
    // Changes by the deltas that this entry sequences, and by earlier requests of its group, have no number yet.
    const view = await at.view()
    for (const id of readIds) {
      if (changed.has(id) || (view.overlay.get(id)?.version ?? 0) > at.version)
        throw conflict(
          'conditional-write-conflict',
          `record ${JSON.stringify(id)} changed since it was read; read again and decide again`,
          { field: 'read_ids' },
        )
    }
  }

  fork(newName: string): Promise<CollectionInfo> {
    return this.#options.fork(this.info, newName)
  }

  forkCount(): Promise<number> {
    return this.#options.forkCount(this.info)
  }

  snapshots(): Promise<SnapshotInfo[]> {
    return this.#options.history.list()
  }

  async rollback(snapshotName: string): Promise<WriteResult> {
    const manifestKey = await this.#options.history.pinForReset(snapshotName)
    const { version } = await this.#options.writer.append(
      () => ({ records: [], control: { kind: 'reset' as const, manifestKey }, result: null }),
      { sizeBytes: 0 },
    )
    return { version }
  }
}

function paged(view: View, answer: Omit<GetResponse, 'pageToken'> & { more: boolean }, offset: number): GetResponse {
  const { more, ...response } = answer
  return more && response.ids.length > 0
    ? { ...response, pageToken: encodePageToken(view, offset + response.ids.length) }
    : response
}
