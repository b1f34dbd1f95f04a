import type { CollectionInfo } from '../model/collection.ts'
import type {
  GetRequest,
  GetResponse,
  Include,
  QueryHits,
  QueryRequest,
  QueryResponse,
  ReadOptions,
} from '../model/read.ts'
import type { ValueKind } from '../model/schema.ts'
import type { SearchRequest, SearchResponse } from '../model/search.ts'
import type { Collection, CollectionContent, CollectionState, SnapshotInfo } from '../model/store.ts'
import type { ConditionalCommit, DeleteRequest, IndexingStatus, WriteResult } from '../model/write.ts'
import { conflict, invalid, notFound, type SiltstoneError, unavailable } from '../errors.ts'
import { compileFilter } from '../filter/evaluate.ts'
import type { Filter } from '../model/filter.ts'
import { kindOf } from '../query/metadata-keys.ts'
import type { RecordState } from '../records/apply.ts'
import { parseMetadata } from '../records/metadata.ts'
import type { RecordOp } from '../model/record.ts'
import {
  applyOperations,
  copyState,
  emptyState,
  type ModelEntry,
  modelDistance,
  type ModelState,
  replay,
} from './model-state.ts'
import { modelSearch } from './model-search.ts'

type Row = [id: string, state: RecordState]

/** One collection's log and newest state. Handles (`ModelCollection`) share it. */
export class ModelStore {
  readonly base: ModelState
  readonly log: ModelEntry[] = []
  state: ModelState
  deleted = false
  /** Shared by the collections of a lineage. */
  readonly lineage: { forks: number }

  constructor(base: ModelState = emptyState(), lineage = { forks: 0 }) {
    this.lineage = lineage
    this.base = copyState(base)
    this.state = copyState(base)
  }

  append(entry: ModelEntry): number {
    this.log.push(entry)
    if (entry.kind === 'records') applyOperations(this.state, entry.operations)
    else this.state = replay(this.base, this.log, entry.version)
    return this.log.length
  }
}

/** All writes are folded at once, so each version is a snapshot and all read levels agree. */
export class ModelCollection implements Collection {
  readonly info: CollectionInfo
  readonly #store: ModelStore
  readonly #fork: (newName: string, state: ModelState) => CollectionInfo

  constructor(info: CollectionInfo, store: ModelStore, fork: (newName: string, state: ModelState) => CollectionInfo) {
    this.info = info
    this.#store = store
    this.#fork = fork
  }

  async write(operations: readonly RecordOp[]): Promise<WriteResult> {
    const store = this.#live()
    checkDimensions(operations, store.state.dimension)
    const copies = operations.map((op) => ({ ...op, vector: op.vector?.slice() ?? null }))
    return { version: copies.length === 0 ? store.log.length : store.append({ kind: 'records', operations: copies }) }
  }

  async delete(request: DeleteRequest): Promise<WriteResult & { deleted: number }> {
    const store = this.#live()
    const { ids, filter, limit } = request
    if (limit !== undefined && filter === undefined) {
      throw invalid('limit-without-filter', 'limit can only be specified when a where clause is provided', {
        field: 'limit',
      })
    }
    const all = ids === undefined && filter === undefined
    const rows = all ? [] : select(store.state, ids, filter).slice(0, limit)
    const operations = rows.map(([id]) => deletion(id))
    const version = operations.length === 0 ? store.log.length : store.append({ kind: 'records', operations })
    return { version, deleted: operations.length }
  }

  async get(request: GetRequest): Promise<GetResponse> {
    const token = request.pageToken === undefined ? undefined : parsePageToken(request.pageToken)
    const { state, version } = this.#read(token === undefined ? request : { ...request, at: token.version })
    const start = token?.position ?? request.offset ?? 0
    const rows = select(state, request.ids, request.filter)
    const end = request.limit === undefined ? rows.length : start + request.limit
    const page = rows.slice(start, end)
    const response: GetResponse = { ids: page.map(([id]) => id), ...columns(page, request.include), version }
    if (end < rows.length) response.pageToken = `model.${version}.${end}`
    return response
  }

  async query(request: QueryRequest): Promise<QueryResponse> {
    const { state, version } = this.#read(request)
    for (const vector of request.vectors) {
      if (state.dimension !== null && vector.length !== state.dimension)
        throw wrongDimension(state.dimension, vector.length)
    }
    for (const id of request.ids ?? []) {
      if (!request.filter && !state.records.has(id)) {
        throw notFound('id-missing', `Error finding id: [${id}] is not in collection [${this.info.name}]`, {
          field: 'ids',
        })
      }
    }
    const rows = select(state, request.ids, request.filter)
    const hits = request.vectors.map((vector) => rank(rows, vector, request, this.info))
    return { hits, version }
  }

  async search(request: SearchRequest): Promise<SearchResponse> {
    const { state, version } = this.#read(request)
    const { space } = this.info
    const results = request.searches.map((one) => {
      const admitted = new Set(select(state, undefined, one.filter).map(([id]) => id))
      const rows = [...state.records]
      return modelSearch(one, { rows, admits: ([id]) => admitted.has(id), space, dimension: state.dimension })
    })
    return { results, version }
  }

  async prepare(): Promise<void> {
    this.#live()
  }

  async count(options: ReadOptions = {}): Promise<number> {
    return this.#read(options).state.records.size
  }

  async dimension(): Promise<number | null> {
    return this.#live().state.dimension
  }

  async content(): Promise<CollectionContent> {
    const keys = new Map<string, Set<ValueKind>>()
    for (const { metadata } of this.#live().state.records.values())
      for (const [key, value] of metadata === null ? [] : parseMetadata(metadata)) {
        const kind = kindOf(value)
        if (kind !== undefined) keys.set(key, (keys.get(key) ?? new Set()).add(kind))
      }
    const { length } = this.#store.log
    return { version: length, watermark: length, metadataKeys: keys }
  }

  async indexingStatus(): Promise<IndexingStatus> {
    let totalOps = 0
    for (const entry of this.#live().log) totalOps += entry.kind === 'records' ? entry.operations.length : 0
    return { totalOps, indexedOps: totalOps, unindexedOps: 0 }
  }

  async state(): Promise<CollectionState> {
    const store = this.#live()
    return {
      version: store.log.length,
      records: store.state.records.size,
      dimension: store.state.dimension,
      indexing: await this.indexingStatus(),
      watermark: store.log.length,
      segments: 1,
      sizeBytes: 0,
      unsequencedDeltas: 0,
    }
  }

  async readToken(): Promise<string> {
    return `model.${this.#live().log.length}`
  }

  async commitIf(request: ConditionalCommit): Promise<WriteResult & { recordCount: number }> {
    const store = this.#live()
    if (request.readToken !== undefined) {
      const since = Number(/^(?:model\.)?(\d+)$/.exec(request.readToken)?.[1] ?? Number.NaN)
      if (!(since <= store.log.length)) throw badToken('readToken', request.readToken)
      const read = new Set(request.readIds)
      for (const entry of store.log.slice(since)) {
        const changed = entry.kind === 'reset' || entry.operations.some((op) => read.has(op.id))
        if (changed && read.size > 0) {
          throw conflict('conditional-write-conflict', 'An id that was read has changed since: read again and retry')
        }
      }
    }
    const { version } = await this.write(request.operations)
    return { version, recordCount: request.operations.length }
  }

  async fork(newName: string): Promise<CollectionInfo> {
    const store = this.#live()
    const info = this.#fork(newName, store.state)
    store.lineage.forks += 1
    return info
  }

  async forkCount(): Promise<number> {
    return this.#live().lineage.forks
  }

  async snapshots(): Promise<SnapshotInfo[]> {
    const store = this.#live()
    return Array.from({ length: store.log.length + 1 }, (_, version) => {
      const current = version === store.log.length
      return {
        name: snapshotName(version),
        key: `model/${this.info.id}/${snapshotName(version)}`,
        watermark: version,
        createdAtMs: this.info.createdAtMs,
        liveRecords: replay(store.base, store.log, version).records.size,
        segments: 1,
        sizeBytes: 0,
        current,
        keptBecause: [current ? 'current' : 'history'],
      }
    })
  }

  async rollback(snapshot: string): Promise<WriteResult> {
    const store = this.#live()
    const version = Number(/^\d{20}$/.exec(snapshot)?.[0] ?? Number.NaN)
    if (!(version <= store.log.length)) throw notFound('snapshot-missing', `Snapshot [${snapshot}] does not exist`)
    return { version: store.append({ kind: 'reset', version }) }
  }

  #live(): ModelStore {
    if (this.#store.deleted) throw notFound('collection-missing', `Collection [${this.info.id}] does not exist.`)
    return this.#store
  }

  #read(options: ReadOptions): { state: ModelState; version: number } {
    const { log, base, state } = this.#live()
    const newest = log.length
    const { at = newest, atLeast = 0 } = options
    if (atLeast > newest)
      throw unavailable('version-pending', `Version ${atLeast} is not there yet: the newest is ${newest}`)
    if (at > newest) throw notFound('gone', `Version ${at} is not there: the newest is ${newest}`, { field: 'at' })
    return { state: at === newest ? state : replay(base, log, at), version: at }
  }
}

function select(state: ModelState, ids: readonly string[] | undefined, filter: Filter | undefined): Row[] {
  const wanted = ids === undefined ? undefined : new Set(ids)
  const matches = filter === undefined ? () => true : compileFilter(filter)
  return [...state.records].filter(([id, { metadata, document }]) => {
    if (wanted !== undefined && !wanted.has(id)) return false
    return matches({ id, document, metadata: metadata === null ? null : parseMetadata(metadata) })
  })
}

function rank(rows: readonly Row[], vector: Float32Array, request: QueryRequest, info: CollectionInfo): QueryHits {
  const ranked = rows
    .flatMap((row) =>
      row[1].vector === null ? [] : [{ row, distance: modelDistance(info.space, vector, row[1].vector) }],
    )
    // The sort is stable: ties keep the order of insertion.
    .sort((a, b) => a.distance - b.distance)
    .slice(0, request.k)
  const hits = ranked.map(({ row }) => row)
  return {
    ids: hits.map(([id]) => id),
    distances: ranked.map(({ distance }) => distance),
    ...columns(hits, request.include),
  }
}

type Columns = Pick<GetResponse, 'embeddings' | 'documents' | 'metadatas' | 'uris'>

function columns(rows: readonly Row[], include: Include): Columns {
  const result: Columns = {}
  if (include.embeddings === true) result.embeddings = rows.map(([, state]) => state.vector)
  if (include.documents === true) result.documents = rows.map(([, state]) => state.document)
  if (include.metadatas === true) result.metadatas = rows.map(([, state]) => state.metadata)
  if (include.uris === true) result.uris = rows.map(([, state]) => state.uri)
  return result
}

/** The first vector in log order fixes the dimension. */
function checkDimensions(operations: readonly RecordOp[], known: number | null): void {
  let dimension = known
  for (const { vector } of operations) {
    if (vector === null) continue
    dimension ??= vector.length
    if (vector.length !== dimension) throw wrongDimension(dimension, vector.length)
  }
}

function wrongDimension(expected: number, got: number): SiltstoneError {
  const text = `Collection expecting embedding with dimension of ${expected}, got ${got}`
  return invalid('dimension-mismatch', text, { field: 'embeddings' })
}

function deletion(id: string): RecordOp {
  return { op: 'delete', id, vector: null, document: null, metadata: null, uri: null }
}

function snapshotName(version: number): string {
  return String(version).padStart(20, '0')
}

function parsePageToken(token: string): { version: number; position: number } {
  const parts = /^model\.(\d+)\.(\d+)$/.exec(token)
  if (parts === null) throw badToken('pageToken', token)
  return { version: Number(parts[1]), position: Number(parts[2]) }
}

function badToken(field: string, token: string): SiltstoneError {
  return invalid('bad-token', `${field} must come from an earlier answer of this collection, got '${token}'`, { field })
}
