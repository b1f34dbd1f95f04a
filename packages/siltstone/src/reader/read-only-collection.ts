/** The reading methods of the library's collections, over a snapshot that is not written. */
import { yieldToEventLoop } from '#codec'
import { invalid, unsupported } from '../errors.ts'
import { inDocumentsLanguage } from '../filter/phrase.ts'
import { loadRegexFor } from '../filter/regex.ts'
import { checkIds, checkInclude, columnsOf, filterFrom, vectorFrom } from '../library/arguments.ts'
import { checkArguments, checkList, checkResults } from '../library/check-arguments.ts'
import { GetResult, QueryResult } from '../library/results.ts'
import { searchFrom } from '../library/search-arguments.ts'
import { SearchResult } from '../library/search-result.ts'
import type { SearchInput, SearchSettings } from '../library/search-types.ts'
import type { CollectionMetadata, GetArguments, Metadata, QueryArguments, ReadArguments } from '../library/types.ts'
import type { View } from '../log/view.ts'
import type { Space } from '../model/collection.ts'
import { metadataToPlain } from '../records/index.ts'
import { get } from '../query/get.ts'
import { search as nearestTo } from '../query/search.ts'
import { prepare } from '../search/prepare.ts'
import { search } from '../search/search.ts'
import type { SearchHits } from '../model/search.ts'
import type { ReadSource } from './read-source.ts'
import { recovering } from './recovering.ts'

const COMMON = ['ids', 'where', 'whereDocument', 'include', 'readLevel', 'atLeast', 'at']
const GET = [...COMMON, 'limit', 'offset']
const QUERY = [...COMMON, 'queryEmbeddings', 'queryTexts', 'nResults', 'search']

/** One collection as of a snapshot. Answers have the shapes of the library; their `version` is that of the snapshot. */
export class ReadOnlyCollection {
  readonly #source: ReadSource

  constructor(source: ReadSource) {
    this.#source = source
  }

  get name(): string {
    return this.#source.described.name
  }

  get space(): Space {
    return this.#source.described.space
  }

  get metadata(): CollectionMetadata | undefined {
    return (metadataToPlain(this.#source.described.metadata) as CollectionMetadata | null) ?? undefined
  }

  get configuration(): Record<string, unknown> {
    return this.#source.described.configuration
  }

  /** Reads records in insertion order. @throws SiltstoneError `invalid`, `unavailable`, `corrupt` */
  async get<TMeta extends Metadata = Metadata>(args: Omit<GetArguments, 'pageToken'> = {}): Promise<GetResult<TMeta>> {
    checkArguments('get', args, GET, 'get({ limit: 10 })')
    checkLevel(args)
    const { ids, limit, offset } = args
    const include = checkInclude(args.include ?? ['documents', 'metadatas'])
    await loadRegexFor(args.where, args.whereDocument)
    const filter = filterFrom(args)
    const request = {
      ...(ids && { ids: checkIds(ids) }),
      ...(filter && { filter }),
      ...(limit !== undefined && { limit }),
      ...(offset !== undefined && { offset }),
      include: columnsOf(include),
    }
    const asked = await inDocumentsLanguage(request, this.#source.described.schema)
    return this.#read(async (view) => new GetResult<TMeta>(await get(view, asked, yieldToEventLoop), include))
  }

  /** Finds the nearest records to each query. @throws SiltstoneError as `get` does */
  async query<TMeta extends Metadata = Metadata>(args: Omit<QueryArguments, 'explain'>): Promise<QueryResult<TMeta>> {
    checkArguments('query', args, QUERY, "query({ queryTexts: ['a question'] })")
    checkLevel(args)
    const { ids, nResults = 10 } = args
    const include = checkInclude(args.include ?? ['metadatas', 'documents', 'distances'])
    checkResults(nResults)
    await loadRegexFor(args.where, args.whereDocument)
    const filter = filterFrom(args)
    const effort = args.search ?? this.#source.effort
    const request = {
      vectors: await this.#queryVectors(args),
      k: nResults,
      ...(ids && { ids: checkIds(ids) }),
      ...(filter && { filter }),
      include: columnsOf(include),
      ...(effort && { search: effort }),
    }
    const asked = await inDocumentsLanguage(request, this.#source.described.schema)
    return this.#read(
      async (view) => new QueryResult<TMeta>(await nearestTo(view, this.space, asked, yieldToEventLoop), include),
    )
  }

  /** Ranks records by expressions over searches by meaning, by words and by sparse vectors. @throws SiltstoneError as `get` does */
  async search<TMeta extends Metadata = Metadata>(
    searches: SearchInput | readonly SearchInput[],
    settings: SearchSettings = {},
  ): Promise<SearchResult<TMeta>> {
    checkLevel(settings)
    const { explain, effort = this.#source.effort } = settings
    const list = Array.isArray(searches) ? (searches as readonly SearchInput[]) : [searches as SearchInput]
    await loadRegexFor(list)
    const parsed = list.map((input, i) => searchFrom(input, `searches[${i}]`))
    const { schema } = this.#source.described
    const prepared = await prepare(
      parsed.map(({ search: one }) => one),
      { schema, needsIndex: schema !== null, embed: (texts) => this.#embed(texts) },
    )
    return this.#read(async (view) => {
      const { space } = this
      const context = { view, space, explain: explain === true, pause: yieldToEventLoop, ...(effort && { effort }) }
      const results: SearchHits[] = []
      for (const one of prepared) results.push(await search(one, context))
      return new SearchResult<TMeta>(
        { results, version: view.version },
        parsed.map(({ select }) => select),
      )
    })
  }

  count(): Promise<number> {
    return this.#read(async (view) => view.liveRecords)
  }

  /** The version of the snapshot: the number of the last write in it. */
  version(): Promise<number> {
    return this.#read(async (view) => view.version)
  }

  /** Looks for a newer snapshot, which later calls read. @returns whether there was one */
  refresh(): Promise<boolean> {
    return this.#source.refresh()
  }

  /** Lets go of what is kept in memory. */
  close(): Promise<void> {
    return this.#source.close()
  }

  async #queryVectors({ queryEmbeddings, queryTexts }: QueryArguments): Promise<Float32Array[]> {
    checkList('queryEmbeddings', queryEmbeddings)
    checkList('queryTexts', queryTexts)
    if (queryEmbeddings)
      return queryEmbeddings.map((embedding, i) => {
        const field = `queryEmbeddings[${i}]`
        const vector = vectorFrom(embedding, field)
        if (!vector) throw invalid('bad-embedding', `${field} is missing; give a list of numbers`, { field })
        return vector
      })
    if (!queryTexts)
      throw invalid('nothing-to-query', 'give queryEmbeddings or queryTexts', { field: 'queryEmbeddings' })
    return this.#embed(queryTexts)
  }

  /** Until it succeeds, or nothing can be done about the failure. */
  async #embed(texts: readonly string[]): Promise<Float32Array[]> {
    return recovering(this.#source, () => this.#source.embed(texts))
  }

  #read<T>(use: (view: View) => Promise<T>): Promise<T> {
    return recovering(this.#source, async () => use(await this.#source.view()))
  }
}

/** @throws SiltstoneError `unsupported` (snapshot-only) */
function checkLevel({ readLevel, at, atLeast }: ReadArguments): void {
  if ((readLevel === undefined || readLevel === 'index_only') && at === undefined && atLeast === undefined) return
  const field =
    readLevel === 'index_only' || readLevel === undefined ? (at === undefined ? 'atLeast' : 'at') : 'readLevel'
  throw unsupported(
    'snapshot-only',
    `${field} needs the log, and a reader sees a snapshot: leave it out, or open the store`,
    {
      field,
    },
  )
}
