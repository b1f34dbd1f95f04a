/**
 * The functions of `pagefind.js` that search interfaces call, over a published folder: a page that imports
 * `/pagefind/pagefind.js` imports `/search/pagefind.js` instead. Excerpts are HTML, as Pagefind's are, in which all but
 * `<mark>` is escaped.
 */
import { preloadModules, withDescription } from './begin.ts'
import type { PageHit, PageSearch } from './page-search.ts'
import { snippetOf } from './snippet.ts'

export interface PagefindOptions {
  /** Address of the folder. Default: where this module lies. */
  bundlePath?: string
  baseUrl?: string
  /** Of excerpts, in words. Default 30. */
  excerptLength?: number
  /** Words of the text are added to addresses under this name. */
  highlightParam?: string
}

/** Of an index beside the first. */
export interface MergedOptions extends PagefindOptions {
  /** Scores are multiplied by it. Default 1. */
  indexWeight?: number
  /** Filters of each search in this index. */
  mergeFilter?: Record<string, unknown>
}

export interface SearchOptions {
  /** See `pagefind-filters.ts`. */
  filters?: Record<string, unknown>
  /** One key of the metadata; records without it are left out. */
  sort?: Record<string, 'asc' | 'desc'>
}

interface Excerpts {
  /** HTML. */
  excerpt: string
  plain_excerpt: string
  /** Of the words of the content that were asked for. */
  locations: number[]
  weighted_locations: { weight: number; balanced_score: number; location: number }[]
}

export interface PagefindData extends Excerpts {
  url: string
  raw_url: string
  content: string
  word_count: number
  meta: Record<string, string>
  filters: Record<string, string[]>
  anchors: { element: string; id: string; text: string; location: number }[]
  sub_results: (Excerpts & { title: string; url: string })[]
}

export interface PagefindResult {
  id: string
  score: number
  words: number[]
  data(): Promise<PagefindData>
}

type Counts = Record<string, Record<string, number>>

export interface PagefindAnswer {
  results: PagefindResult[]
  unfilteredResultCount: number
  filters: Counts
  totalFilters: Counts
  timings: { preload: number; search: number; total: number }
}

/** Passages. */
const RESULTS = 10
/** Of results that are sorted by something else than how well they match, or match filters alone. */
const SORTED_RESULTS = 100
const PAUSE_MS = 300
/** Before a key of the metadata: what its values are sorted by, where they are not what is shown. */
const SORT_PREFIX = 'sort:'
/** Between the title of a page and that of its section. */
const TITLES = ' › '
const WORD_CHARACTERS = 6
const EXCERPT_WORDS = 30
const WORD = /[\p{L}\p{N}]+/gu

interface Index {
  settings: MergedOptions
  opened?: Promise<PageSearch> | undefined
}

let indexes: Index[] = [{ settings: {} }]
let latest = 0

/** Of the first index. */
export async function options(given: PagefindOptions): Promise<void> {
  indexes = [{ settings: { ...indexes[0]?.settings, ...given } }, ...indexes.slice(1)]
}

/** Searches another folder, too. */
export async function mergeIndex(bundlePath: string, given: MergedOptions = {}): Promise<void> {
  indexes = [...indexes, { settings: { ...given, bundlePath } }]
}

/** Loads what every search needs. */
export async function init(): Promise<void> {
  await Promise.all(indexes.map(open))
}

export async function preload(term: string, given: SearchOptions = {}): Promise<void> {
  await search(term, given)
}

/** @param term null: all that match the filters, at most 100 */
export async function search(term: string | null, given: SearchOptions = {}): Promise<PagefindAnswer> {
  const startedMs = performance.now()
  const limit = term === null || given.sort ? SORTED_RESULTS : RESULTS
  const lists = await Promise.all(indexes.map((index) => hitsOf(index, term, given, limit)))
  const found = lists.flat().sort((a, b) => b.score - a.score)
  const results = pagesOf(sorted(found, given.sort).slice(0, limit)).map(([best, ...others]) => ({
    id: best.hit.id,
    score: best.score,
    words: [],
    data: async () => dataOf([best, ...others], term ?? ''),
  }))
  const total = performance.now() - startedMs
  return {
    results,
    unfilteredResultCount: results.length,
    filters: {},
    totalFilters: {},
    timings: { preload: 0, search: total, total },
  }
}

interface Found {
  hit: PageHit
  score: number
  settings: MergedOptions
}

async function hitsOf(
  index: Index,
  term: string | null,
  { filters: given }: SearchOptions,
  limit: number,
): Promise<Found[]> {
  const { settings } = index
  const { mergeFilter, indexWeight = 1 } = settings
  const asked = mergeFilter ? { all: [given ?? {}, mergeFilter] } : (given ?? {})
  const where = Object.keys(asked).length === 0 ? undefined : (await import('./pagefind-filters.ts')).whereOf(asked)
  const pages = await open(index)
  const hits = term === null ? await pages.list(limit, where) : await pages.search(term, limit, where)
  // Above 0, as Pagefind's are: a weight has no meaning for others.
  return hits.map((hit) => ({ hit, score: Math.exp(hit.score) * indexWeight, settings }))
}

/** Whether it is a passage of a page, as those of a site are. */
const isOfPage = (hit: PageHit): boolean => typeof hit.metadata['page'] === 'string'

/** Passages of one page together, each page where its first passage is. Records that name no page are one each. */
function pagesOf(found: readonly Found[]): [Found, ...Found[]][] {
  const pages = new Map<unknown, [Found, ...Found[]]>()
  for (const one of found) {
    const { hit, settings } = one
    const number = indexes.findIndex((index) => index.settings === settings)
    const name = isOfPage(hit) ? `${number} ${String(hit.metadata['page'])}` : one
    const known = pages.get(name)
    if (known) known.push(one)
    else pages.set(name, [one])
  }
  return [...pages.values()]
}

/** By numbers, if all values are some. */
function sorted(found: readonly Found[], sort: SearchOptions['sort']): readonly Found[] {
  const [key, order] = Object.entries(sort ?? {})[0] ?? []
  if (key === undefined) return found
  const valued = found.flatMap((one) => {
    const { metadata } = one.hit
    const value: unknown = [metadata[`${SORT_PREFIX}${key}`] ?? metadata[key]].flat()[0]
    return typeof value === 'string' || typeof value === 'number' ? [{ one, text: `${value}` }] : []
  })
  const areNumbers = valued.every(({ text }) => text.trim() !== '' && Number.isFinite(Number(text)))
  const compare = (a: string, b: string) => (areNumbers ? Number(a) - Number(b) : a < b ? -1 : a > b ? 1 : 0)
  const sign = order === 'desc' ? -1 : 1
  return valued.sort((a, b) => sign * compare(a.text, b.text)).map(({ one }) => one)
}

/** There is no list of filters: `search` takes those that a page names. */
export async function filters(): Promise<Counts> {
  return {}
}

/** As `search`, after a pause; null when it was called again in the meantime. */
export async function debouncedSearch(
  term: string | null,
  given: SearchOptions = {},
  pauseMs: number = PAUSE_MS,
): Promise<PagefindAnswer | null> {
  const mine = ++latest
  await new Promise((resolve) => {
    setTimeout(resolve, pauseMs)
  })
  return mine === latest ? search(term, given) : null
}

export async function destroy(): Promise<void> {
  indexes = [{ settings: {} }]
}

function open(index: Index): Promise<PageSearch> {
  const { bundlePath = new URL('.', import.meta.url).href, baseUrl = '/' } = index.settings
  index.opened ??= load(new URL(bundlePath, location.href).href, new URL(baseUrl, location.href).href).catch(
    (error: unknown) => {
      // A failure is not kept: the next call tries again.
      index.opened = undefined
      throw error
    },
  )
  return index.opened
}

async function load(folder: string, base: string): Promise<PageSearch> {
  preloadModules('SILTSTONE_MODULES')
  const early = withDescription(folder)
  const { PageSearch: Search } = await import('./page-search.ts')
  return Search.open(folder, base, { fetch: early })
}

/** @param passages of one page, the best first */
function dataOf(passages: readonly [Found, ...Found[]], term: string): PagefindData {
  const [{ hit, settings }] = passages
  const sections = passages.map((one) => sectionOf(one, term))
  const isPassage = isOfPage(hit)
  const raw = (isPassage ? hit.url?.replace(/#.*$/s, '') : hit.url) ?? ''
  const url = addressOf(raw, term, settings)
  const [title = hit.title] = isPassage ? hit.title.split(TITLES) : []
  const entries = Object.entries(hit.metadata).filter(([key]) => !key.startsWith(SORT_PREFIX))
  const texts = entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return {
    ...(sections[0] as Section).excerpts,
    url,
    raw_url: raw,
    content: passages.map((one) => one.hit.text).join(' '),
    word_count: sections.reduce((sum, section) => sum + section.words, 0),
    meta: { ...Object.fromEntries(texts), title },
    filters: Object.fromEntries(
      entries.flatMap(([key, value]) => {
        const values = [value].flat().filter((one) => typeof one === 'string')
        return values.length === 0 ? [] : [[key, values]]
      }),
    ),
    anchors: [],
    sub_results: sections.map(({ title: name, url: address, excerpts }) => ({
      title: name,
      url: address,
      ...excerpts,
    })),
  }
}

interface Section {
  excerpts: Excerpts
  title: string
  url: string
  /** Their number. */
  words: number
}

function sectionOf({ hit, settings }: Found, term: string): Section {
  const { excerptLength = EXCERPT_WORDS } = settings
  const pieces = snippetOf(hit.text, term, Math.max(1, excerptLength) * WORD_CHARACTERS)
  const asked = new Set(wordsOf(term))
  const words = hit.text.split(/\s+/u).filter(Boolean)
  const locations = [...words.keys()].filter((at) => wordsOf(words[at] as string).some((word) => asked.has(word)))
  return {
    title: (isOfPage(hit) && hit.title.split(TITLES).slice(1).join(TITLES)) || hit.title,
    url: addressOf(hit.url ?? '', term, settings),
    excerpts: {
      excerpt: pieces.map(({ text, marked }) => (marked ? `<mark>${escaped(text)}</mark>` : escaped(text))).join(''),
      plain_excerpt: pieces.map(({ text }) => text).join(''),
      locations,
      weighted_locations: locations.map((at) => ({ weight: 1, balanced_score: 1, location: at })),
    },
    words: words.length,
  }
}

function addressOf(raw: string, term: string, { highlightParam }: MergedOptions): string {
  return highlightParam === undefined || raw === '' ? raw : withWords(raw, highlightParam, term)
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(WORD) ?? []

function withWords(address: string, name: string, term: string): string {
  const url = new URL(address)
  for (const word of term.split(/\s+/u).filter(Boolean)) url.searchParams.append(name, word)
  return url.href
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}
