/**
 * The functions of `pagefind.js` that search interfaces call, over a published folder: a page that imports
 * `/pagefind/pagefind.js` imports `/search/pagefind.js` instead. Excerpts are HTML, as Pagefind's are, in which all but
 * `<mark>` is escaped.
 */
import type { Where } from 'siltstone/page-reading'
import type { PageHit, PageSearch } from './page-search.ts'
import { preloadModules, withDescription } from './begin.ts'
import { snippetOf } from './snippet.ts'

export interface PagefindOptions {
  /** Address of the folder. Default: where this module lies. */
  bundlePath?: string
  baseUrl?: string
}

export interface PagefindData {
  url: string
  raw_url: string
  content: string
  excerpt: string
  word_count: number
  meta: Record<string, string>
  filters: Record<string, string[]>
  sub_results: { title: string; url: string; excerpt: string }[]
}

export interface PagefindResult {
  id: string
  score: number
  words: number[]
  data(): Promise<PagefindData>
}

export interface PagefindAnswer {
  results: PagefindResult[]
  unfilteredResultCount: number
}

const RESULTS = 10
const PAUSE_MS = 300

let settings: PagefindOptions = {}
let opened: Promise<PageSearch> | undefined
let latest = 0

export async function options(given: PagefindOptions): Promise<void> {
  settings = { ...settings, ...given }
  opened = undefined
}

/** Loads what every search needs. */
export async function init(): Promise<void> {
  await open()
}

export async function preload(term: string, given: { filters?: Record<string, unknown> } = {}): Promise<void> {
  await search(term, given)
}

/** @param given.filters by metadata key, a value or a list of them, one of which has to be there */
export async function search(
  term: string | null,
  { filters = {} }: { filters?: Record<string, unknown> } = {},
): Promise<PagefindAnswer> {
  const hits = term === null ? [] : await (await open()).search(term, RESULTS, whereOf(filters))
  const results = hits.map((hit) => ({
    id: hit.id,
    score: hit.score,
    words: [],
    data: async () => dataOf(hit, term ?? ''),
  }))
  return { results, unfilteredResultCount: results.length }
}

/** There is no list of filters: `search` takes those that a page names. */
export async function filters(): Promise<Record<string, Record<string, number>>> {
  return {}
}

/** As `search`, after a pause; null when it was called again in the meantime. */
export async function debouncedSearch(
  term: string,
  given: { filters?: Record<string, unknown> } = {},
  pauseMs: number = PAUSE_MS,
): Promise<PagefindAnswer | null> {
  const mine = ++latest
  await new Promise((resolve) => {
    setTimeout(resolve, pauseMs)
  })
  return mine === latest ? search(term, given) : null
}

export async function destroy(): Promise<void> {
  opened = undefined
  settings = {}
}

function open(): Promise<PageSearch> {
  const { bundlePath = new URL('.', import.meta.url).href, baseUrl = '/' } = settings
  opened ??= load(new URL(bundlePath, location.href).href, new URL(baseUrl, location.href).href).catch(
    (error: unknown) => {
      // A failure is not kept: the next call tries again.
      opened = undefined
      throw error
    },
  )
  return opened
}

async function load(folder: string, base: string): Promise<PageSearch> {
  preloadModules('SILTSTONE_MODULES')
  const early = withDescription(folder)
  const { PageSearch: Search } = await import('./page-search.ts')
  return Search.open(folder, base, { fetch: early })
}

function whereOf(filters: Record<string, unknown>): Where | undefined {
  const clauses = Object.entries(filters).map(([key, value]) => ({
    [key]: Array.isArray(value) ? { $in: value } : value,
  }))
  if (clauses.length === 0) return undefined
  return (clauses.length === 1 ? clauses[0] : { $and: clauses }) as Where
}

function dataOf(hit: PageHit, term: string): PagefindData {
  const url = hit.url ?? ''
  const excerpt = snippetOf(hit.text, term)
    .map(({ text, marked }) => (marked ? `<mark>${escaped(text)}</mark>` : escaped(text)))
    .join('')
  const texts = Object.entries(hit.metadata).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return {
    url,
    raw_url: url,
    content: hit.text,
    excerpt,
    word_count: hit.text.split(/\s+/u).filter(Boolean).length,
    meta: { ...Object.fromEntries(texts), title: hit.title },
    filters: Object.fromEntries(texts.map(([key, value]) => [key, [value]])),
    sub_results: [{ title: hit.title, url, excerpt }],
  }
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
