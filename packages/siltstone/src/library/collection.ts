/** A collection with the methods of the `chromadb` JavaScript client, and some more, in process. */
import type { EmbedderRegistry } from '../embed/registry.ts'
import type { Embedder } from '../embed/port.ts'
import type { CollectionInfo, Space } from '../model/collection.ts'
import { fieldsOf } from '../engine/fields.ts'
import { saysKeys, withTexts } from '../model/schema.ts'
import type { Language } from '../model/text-fields.ts'
import type { FieldsReport, KeepRequest, Maintenance, RecallReport, RestorePoint } from '../model/maintenance.ts'
import type { VerifyReport } from '../model/verify.ts'
import type {
  Collection as EngineCollection,
  CollectionState,
  CompactionOutcome,
  SnapshotInfo,
} from '../model/store.ts'
import type { IndexingStatus } from '../model/write.ts'
import { invalid } from '../errors.ts'
import { metadataToPlain, type Op, type RecordOp } from '../records/index.ts'
import {
  checkIds,
  checkInclude,
  collectionMetadata,
  columnsOf,
  filterFrom,
  readFrom,
  recordsFrom,
  vectorFrom,
} from './arguments.ts'
import { checkArguments, checkList, checkResults } from './check-arguments.ts'
import { changedConfiguration, type UpdateConfiguration } from './configuration.ts'
import { embedTexts, type EmbeddingFunction, type Purpose } from './embedding-function.ts'
import { GetResult, QueryResult } from './results.ts'
import { prepare } from '../search/index.ts'
import { searchFrom } from './search-arguments.ts'
import { SearchResult } from './search-result.ts'
import type { SearchInput, SearchSettings } from './search-types.ts'
import type {
  CollectionMetadata,
  DeleteArguments,
  FieldsArguments,
  FilterArguments,
  GetArguments,
  Metadata,
  QueryArguments,
  ReadArguments,
  RecordArguments,
  SearchOptions,
  Written,
} from './types.ts'

/** The part of a store that its collections use. */
export interface CollectionHost {
  registry: EmbedderRegistry
  maintenance: Maintenance
  /** @throws SiltstoneError `invalid` (store-closed) */
  checkOpen(): void
  open(info: CollectionInfo): Promise<EngineCollection>
  info(collection: CollectionInfo): Promise<CollectionInfo>
  change(
    collection: CollectionInfo,
    change: { newName?: string; newMetadata?: string | null; newConfiguration?: Record<string, unknown> },
  ): Promise<void>
  compact(collection: CollectionInfo, options: { merge?: boolean; full?: boolean }): Promise<CompactionOutcome>
}

const RECORDS = ['ids', 'embeddings', 'metadatas', 'documents', 'uris']
const FILTERS = ['where', 'whereDocument']
const READS = ['readLevel', 'atLeast', 'at']
const GET = ['ids', ...FILTERS, ...READS, 'limit', 'offset', 'include', 'pageToken']
const QUERY = ['queryEmbeddings', 'queryTexts', 'ids', 'nResults', ...FILTERS, ...READS, 'include', 'search', 'explain']

export class StoreCollection {
  readonly id: string
  readonly tenant: string
  readonly database: string
  /** undefined: the embedder of the collection's configuration; null: none. */
  readonly embeddingFunction: EmbeddingFunction | null | undefined
  readonly #host: CollectionHost
  #info: CollectionInfo
  #engine: Promise<EngineCollection> | undefined

  constructor(host: CollectionHost, info: CollectionInfo, embeddingFunction: EmbeddingFunction | null | undefined) {
    this.id = info.id
    this.tenant = info.tenant
    this.database = info.database
    this.embeddingFunction = embeddingFunction
    this.#host = host
    this.#info = info
  }

  get name(): string {
    return this.#info.name
  }

  get metadata(): CollectionMetadata | undefined {
    return (metadataToPlain(this.#info.metadata) as CollectionMetadata | null) ?? undefined
  }

  get configuration(): Record<string, unknown> {
    return this.#info.configuration
  }

  get space(): Space {
    return this.#info.space
  }

  /** Adds records; existing ids are ignored. Documents without an embedding are embedded. */
  add(args: RecordArguments): Promise<Written> {
    return this.#write('add', args)
  }

  /** Adds records or changes existing ones: metadata is merged key by key. */
  upsert(args: RecordArguments): Promise<Written> {
    return this.#write('upsert', args)
  }

  /** Changes records; missing ids are ignored. Fields that are undefined or null stay as they are. */
  update(args: RecordArguments): Promise<Written> {
    return this.#write('update', args)
  }

  /**
   * Deletes records by ids, by a filter, or by both.
   * @returns the exact number of deleted records
   */
  async delete(args: DeleteArguments): Promise<Written & { deleted: number }> {
    checkArguments('delete', args, ['ids', 'limit', ...FILTERS], "delete({ ids: ['a'] })")
    const { ids, limit } = args
    const filter = filterFrom(args)
    if (!filter && !ids?.length)
      throw invalid('nothing-to-delete', 'ids is missing or empty; give ids, where or whereDocument', { field: 'ids' })
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0))
      throw invalid('bad-limit', `limit is ${limit}; give an integer of 0 or more`, { field: 'limit' })
    return (await this.#open()).delete({
      ...(ids && { ids: checkIds(ids) }),
      ...(filter && { filter }),
      ...(limit !== undefined && { limit }),
    })
  }

  /** Reads records in insertion order. */
  /** Reads ahead what a first `get` with a filter needs, so that it takes fewer rounds of requests to a distant store. */
  async prepare({ include = ['documents', 'metadatas'] }: Pick<GetArguments, 'include'> = {}): Promise<void> {
    await (await this.#open()).prepare(columnsOf(checkInclude(include)))
  }

  async get<TMeta extends Metadata = Metadata>(args: GetArguments = {}): Promise<GetResult<TMeta>> {
    checkArguments('get', args, GET, 'get({ limit: 10 })')
    const { ids, limit, offset, pageToken } = args
    const include = checkInclude(args.include ?? ['documents', 'metadatas'])
    const filter = filterFrom(args)
    const response = await (await this.#open()).get({
      ...readFrom(args),
      ...(ids && { ids: checkIds(ids) }),
      ...(filter && { filter }),
      ...(limit !== undefined && { limit }),
      ...(offset !== undefined && { offset }),
      ...(pageToken !== undefined && { pageToken }),
      include: columnsOf(include),
    })
    return new GetResult<TMeta>(response, include)
  }

  /** Reads the first records. */
  async peek(args: { limit?: number } = {}): Promise<GetResult> {
    checkArguments('peek', args, ['limit'], 'peek({ limit: 10 })')
    return this.get({ limit: args.limit ?? 10 })
  }

  /** Finds the nearest records to each query. */
  async query<TMeta extends Metadata = Metadata>(args: QueryArguments): Promise<QueryResult<TMeta>> {
    this.#host.checkOpen()
    checkArguments('query', args, QUERY, "query({ queryTexts: ['a question'] })")
    const { ids, nResults = 10 } = args
    const include = checkInclude(args.include ?? ['metadatas', 'documents', 'distances'])
    checkResults(nResults)
    const filter = filterFrom(args)
    const vectors = await this.#queryVectors(args)
    const response = await (await this.#open()).query({
      ...readFrom(args),
      vectors,
      k: nResults,
      ...(ids && { ids: checkIds(ids) }),
      ...(filter && { filter }),
      include: columnsOf(include),
      ...(args.search && { search: args.search }),
      ...(args.explain === true && { explain: true }),
    })
    return new QueryResult<TMeta>(response, include)
  }

  /**
   * Ranks records by expressions over nearest-neighbour searches, dense and sparse. A sparse vector can be searched under
   * any metadata key of a collection that was made without a schema of keys.
   */
  async search<TMeta extends Metadata = Metadata>(
    searches: SearchInput | readonly SearchInput[],
    settings: SearchSettings = {},
  ): Promise<SearchResult<TMeta>> {
    const { explain, effort } = settings
    const list = Array.isArray(searches) ? (searches as readonly SearchInput[]) : [searches as SearchInput]
    const parsed = list.map((input, i) => searchFrom(input, `searches[${i}]`))
    const { schema } = this.#info
    const prepared = await prepare(
      parsed.map(({ search }) => search),
      { schema, needsIndex: saysKeys(schema), embed: (texts) => this.#embed(texts, 'queries') },
    )
    const response = await (await this.#open()).search({
      ...readFrom(settings),
      searches: prepared,
      ...(effort && { effort }),
      ...(explain === true && { explain: true }),
    })
    return new SearchResult<TMeta>(
      response,
      parsed.map(({ select }) => select),
    )
  }

  async count(args: ReadArguments = {}): Promise<number> {
    return (await this.#open()).count(readFrom(args))
  }

  async getIndexingStatus(): Promise<IndexingStatus> {
    return (await this.#open()).indexingStatus()
  }

  /** Renames it, replaces its metadata, changes its configuration, or names texts: their index is built by the next merges. */
  async modify(args: {
    name?: string | undefined
    metadata?: CollectionMetadata | undefined
    configuration?: UpdateConfiguration | undefined
    text?: Readonly<Record<string, Language>> | undefined
  }): Promise<void> {
    checkArguments('modify', args, ['name', 'metadata', 'configuration', 'text'], "modify({ name: 'notes' })")
    const { name, metadata, configuration, text } = args
    await this.#host.change(this.#info, {
      ...(name !== undefined && { newName: name }),
      ...(metadata !== undefined && { newMetadata: collectionMetadata(metadata) }),
      ...(configuration && { newConfiguration: changedConfiguration(this.#info.configuration, configuration) }),
      ...(text && { newSchema: withTexts(this.#info.schema, text) }),
    })
    this.#info = await this.#host.info(this.#info)
  }

  /** Creates a copy that shares the stored segments; later writes to one do not change the other. */
  async fork({ name }: { name: string }): Promise<StoreCollection> {
    const info = await (await this.#open()).fork(name)
    return new StoreCollection(this.#host, info, this.embeddingFunction)
  }

  async forkCount(): Promise<number> {
    return (await this.#open()).forkCount()
  }

  /** Lists the kept versions, newest first. */
  async snapshots(): Promise<SnapshotInfo[]> {
    return (await this.#open()).snapshots()
  }

  /** Restores the records of a kept snapshot (a `name` of `snapshots`) as a new version. */
  async rollback(snapshotName: string): Promise<Written> {
    return (await this.#open()).rollback(snapshotName)
  }

  /** Version, counts and size, of one strong read. */
  async state(): Promise<CollectionState> {
    return (await this.#open()).state()
  }

  /** The keys of the metadata with their types and most frequent values. It reads the metadata of up to `maxRecords` records. */
  async fields(args: FieldsArguments = {}): Promise<FieldsReport> {
    const { key, values, maxRecords } = args
    const filter = filterFrom(args)
    return fieldsOf(await this.#open(), {
      ...readFrom(args),
      ...(key !== undefined && { key }),
      ...(filter && { filter }),
      ...(values !== undefined && { values }),
      ...(maxRecords !== undefined && { maxRecords }),
    })
  }

  /** Lists the snapshots that are kept by name, newest first. */
  async restorePoints(): Promise<RestorePoint[]> {
    return this.#host.maintenance.restorePoints(this.#info)
  }

  /**
   * Keeps a snapshot by name, beyond the history: the state of now, or one of `snapshots`.
   * @throws SiltstoneError `conflict` (restore-point-exists), `not-found` (snapshot-missing), `invalid` (bad-name, bad-until)
   */
  async keepSnapshot(request: KeepRequest): Promise<RestorePoint> {
    return this.#host.maintenance.keep(this.#info, request)
  }

  /** @throws SiltstoneError `not-found` (restore-point-missing) */
  async releaseSnapshot(name: string): Promise<void> {
    return this.#host.maintenance.release(this.#info, name)
  }

  /** Checks objects, references and counts; `deep` reads every byte. Damage is reported, not thrown. */
  async verify({ deep = false }: { deep?: boolean } = {}): Promise<VerifyReport> {
    return this.#host.maintenance.verify(this.#info, { deep })
  }

  /** Measures which part of the nearest records searches find, with the vectors of random records. */
  async measureRecall(
    args: FilterArguments & { k?: number; samples?: number; search?: SearchOptions } = {},
  ): Promise<RecallReport> {
    const { k = 10, samples = 100, search } = args
    const filter = filterFrom(args)
    return this.#host.maintenance.recall(this.#info, {
      k,
      samples,
      ...(filter && { filter }),
      ...(search && { search }),
    })
  }

  /**
   * Folds the log into a snapshot and merges segments that are due, now. The background compaction does the same.
   * @param options.merge false: fold only
   * @param options.full merge all segments into one, for the fastest queries; it rewrites the collection
   */
  compact(options: { merge?: boolean; full?: boolean } = {}): Promise<CompactionOutcome> {
    return this.#host.compact(this.#info, options)
  }

  async #write(op: Exclude<Op, 'delete'>, args: RecordArguments): Promise<Written> {
    this.#host.checkOpen()
    checkArguments(op, args, RECORDS, `${op}({ ids: ['a'], documents: ['a text'] })`)
    const records = recordsFrom(op, args)
    await this.#embedMissing(records)
    return (await this.#open()).write(records)
  }

  async #embedMissing(records: RecordOp[]): Promise<void> {
    const missing = records.filter(({ vector, document }) => vector === null && document !== null)
    if (missing.length > 0) {
      const texts = missing.map(({ document }) => document as string)
      const vectors = await this.#embed(texts, 'documents')
      missing.forEach((record, i) => {
        record.vector = vectors[i] as Float32Array
      })
    }
    const bare = records.findIndex(({ op, vector }) => op !== 'update' && vector === null)
    if (bare >= 0)
      throw invalid(
        'embedding-missing',
        `the record ${JSON.stringify(records[bare]?.id)} has neither an embedding nor a document to embed`,
        { field: `embeddings[${bare}]` },
      )
  }

  async #queryVectors({ queryEmbeddings, queryTexts }: QueryArguments): Promise<Float32Array[]> {
    checkList('queryEmbeddings', queryEmbeddings)
    checkList('queryTexts', queryTexts)
    if (queryEmbeddings)
      return queryEmbeddings.map((embedding, i) => {
        const vector = vectorFrom(embedding, `queryEmbeddings[${i}]`)
        if (!vector)
          throw invalid('bad-embedding', `queryEmbeddings[${i}] is missing; give a list of numbers`, {
            field: `queryEmbeddings[${i}]`,
          })
        return vector
      })
    if (!queryTexts)
      throw invalid('nothing-to-query', 'give queryEmbeddings or queryTexts', { field: 'queryEmbeddings' })
    return this.#embed(queryTexts, 'queries')
  }

  async #embed(texts: readonly string[], purpose: Purpose): Promise<Float32Array[]> {
    return embedTexts(this.embeddingFunction ?? (await this.#embedder()), texts, purpose)
  }

  async #embedder(): Promise<Embedder> {
    if (this.embeddingFunction === null)
      throw invalid(
        'embedding-missing',
        `the collection ${this.name} was opened with embeddingFunction null; give embeddings`,
        { field: 'embeddings' },
      )
    const dimension = await (await this.#open()).dimension()
    return this.#host.registry.forCollection({
      embeddingFunction: this.#info.configuration['embedding_function'],
      dimension,
    })
  }

  async #open(): Promise<EngineCollection> {
    this.#host.checkOpen()
    this.#engine ??= this.#host.open(this.#info).catch((error: unknown) => {
      this.#engine = undefined
      throw error
    })
    return this.#engine
  }
}
