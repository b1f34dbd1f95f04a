/** What a search box asks: one text, by meaning and by words, and hits that can be shown. */
import { FetchObjectStore, isSiltstoneError, knn, PublishedSource, ReadOnlyCollection, rrf } from 'siltstone/reading'
import { CACHE_BYTES, PUBLISHED_GAP_BYTES, type OpenOptions } from '../settings.ts'

export interface PageHit {
  id: string
  /** Only http, https and addresses relative to the page; undefined: there is none that can be followed. */
  url: string | undefined
  title: string
  text: string
  metadata: Readonly<Record<string, unknown>>
  /** Higher is better. */
  score: number
}

export type SearchWhere = NonNullable<Parameters<ReadOnlyCollection['get']>[0]>['where']

export class PageSearch {
  readonly #collection: ReadOnlyCollection
  /** Where relative addresses lead. */
  readonly #base: string
  /** Narrowed when the collection turns out to lack an embedder, or words. */
  #by: 'both' | 'meaning' | 'words' = 'both'

  private constructor(collection: ReadOnlyCollection, base: string) {
    this.#collection = collection
    this.#base = base
  }

  /** @param folder that `siltstone publish` wrote @param base the page's address */
  static async open(folder: string, base: string, options: Pick<OpenOptions, 'fetch'> = {}): Promise<PageSearch> {
    const store = new FetchObjectStore(folder, { gapBytes: PUBLISHED_GAP_BYTES, ...options })
    const source = await PublishedSource.open(store, { cacheBytes: CACHE_BYTES })
    // What every query needs comes while the visitor types. A failure is told by the query that meets it again.
    source.prepare().catch(() => undefined)
    return new PageSearch(new ReadOnlyCollection(source), base)
  }

  /** Best first. A text without a letter or digit finds nothing. @throws SiltstoneError `unavailable`, `corrupt` */
  async search(text: string, limit: number, where?: SearchWhere): Promise<PageHit[]> {
    if (!/[\p{L}\p{N}]/u.test(text)) return []
    const found = limit
    const meaning = { query: text, limit: found }
    const words = { query: text, key: '#document', limit: found }
    const rank = this.#by === 'both' ? rrf({ ranks: [meaning, words] }) : knn(this.#by === 'words' ? words : meaning)
    try {
      const answer = await this.#collection.search({
        rank,
        limit,
        select: ['#document', '#metadata', '#score'],
        ...(where && { where }),
      })
      return (answer.rows()[0] ?? []).map((row) => this.#hitOf(row))
    } catch (error) {
      if (this.#by !== 'both' || !isSiltstoneError(error, 'invalid')) throw error
      if (error.code === 'embedder-missing') this.#by = 'words'
      else if (error.code === 'index-disabled') this.#by = 'meaning'
      else throw error
      return this.search(text, limit, where)
    }
  }

  #hitOf(row: { id: string; document?: string | null; metadata?: object | null; score?: number }): PageHit {
    const { id, document, score = 0 } = row
    const metadata = (row.metadata ?? {}) as Record<string, unknown>
    const { url, title } = metadata
    const text = document ?? ''
    return {
      id,
      url: typeof url === 'string' ? followable(url, this.#base) : undefined,
      title: typeof title === 'string' && title !== '' ? title : id,
      text,
      metadata,
      score: -score,
    }
  }
}

/** An address that runs no script: records are written by others. */
export function followable(address: string, base: string): string | undefined {
  let url: URL
  try {
    url = new URL(address, base)
  } catch {
    // It is no address.
    return undefined
  }
  return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined
}
