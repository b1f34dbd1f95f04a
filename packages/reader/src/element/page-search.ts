/** What a search box asks: one text, by meaning and by words, and hits that can be shown. */
import {
  crc32,
  decodePublished,
  filesOf,
  partKey,
  FetchObjectStore,
  type HybridHit,
  HybridSearch,
  PublishedSource,
  type Where,
} from 'siltstone/page-reading'
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

/** What is needed to know the files of a folder. */
export const folderFormat = { crc32, decodePublished, filesOf, partKey } as const

export class PageSearch {
  readonly #search: HybridSearch
  /** Where relative addresses lead. */
  readonly #base: string
  /** The words that were expected last. */
  #expected = ''

  private constructor(search: HybridSearch, base: string) {
    this.#search = search
    this.#base = base
  }

  /** @param folder that `siltstone publish` wrote @param base the page's address */
  static async open(folder: string, base: string, options: Pick<OpenOptions, 'fetch'> = {}): Promise<PageSearch> {
    const store = new FetchObjectStore(folder, { gapBytes: PUBLISHED_GAP_BYTES, ...options })
    const source = await PublishedSource.open(store, { cacheBytes: CACHE_BYTES })
    const search = new HybridSearch(source)
    // What every query needs comes while the visitor types. A failure is told by the query that meets it again.
    Promise.all([source.prepare(), search.prepare()]).catch(() => undefined)
    return new PageSearch(search, base)
  }

  /**
   * Reads what the complete words of a text need while more of it is typed, so that its search waits for less. A failure is told
   * by the search.
   */
  async expect(text: string): Promise<void> {
    const complete = /^.*[^\p{L}\p{N}]/su.exec(text)?.[0].trim() ?? ''
    if (complete === this.#expected || complete === '') return
    this.#expected = complete
    await this.#search.expect(complete).catch(() => undefined)
  }

  /** Best first. A text without a letter or digit finds nothing. @throws SiltstoneError `unavailable`, `corrupt` */
  async search(text: string, limit: number, where?: Where): Promise<PageHit[]> {
    if (!/[\p{L}\p{N}]/u.test(text)) return []
    const hits = await this.#search.search(text, limit, where)
    return hits.map((hit) => this.#hitOf(hit))
  }

  /** Records that match, without a text, in the order of insertion. @throws as `search` */
  async list(limit: number, where?: Where): Promise<PageHit[]> {
    const hits = await this.#search.list(limit, where)
    return hits.map((hit) => this.#hitOf(hit))
  }

  /** The text as it may have been meant; undefined: there is nothing to suggest. @throws as `search` */
  didYouMean(text: string): Promise<string | undefined> {
    return this.#search.didYouMean(text)
  }

  #hitOf({ id, document, metadata: stored, score }: HybridHit): PageHit {
    const metadata = JSON.parse(stored ?? '{}') as Record<string, unknown>
    const { url, title } = metadata
    return {
      id,
      url: typeof url === 'string' ? followable(url, this.#base) : undefined,
      title: typeof title === 'string' && title !== '' ? title : id,
      text: document ?? '',
      metadata,
      score,
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
