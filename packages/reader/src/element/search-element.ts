/**
 * `<siltstone-search>`: a search box over a published folder. Records are shown as text, never as HTML, and only http
 * and https addresses become links. The reader is loaded when the box is focused.
 *
 * | attribute | |
 * |---|---|
 * | `src` | address of the folder; default: where this module lies |
 * | `label` | what the box is called; default "Search" |
 * | `placeholder` | |
 * | `limit` | results; default 8 |
 * | `overlay` | results lie over the page instead of moving it |
 * | `offline` | keeps the folder in the browser after the first search, for times without a network; see `offline.ts` |
 *
 * Events, of `offline`: `siltstone-offline` when the folder is kept, `siltstone-offline-failed` with the reason as `detail`.
 *
 * Keys: arrow keys move between box, suggestion and results, Escape closes the results and goes back to the box. Screen readers are
 * told how many results are shown, and the suggestion.
 *
 * A text with words that no record has is compared with the words of the records, once nothing was typed for a while: a button
 * offers the text that may have been meant.
 */
import type { OfflineFolder } from './offline.ts'
import type { PageHit, PageSearch } from './page-search.ts'
import { preloadModules, withDescription } from './begin.ts'
import { snippetOf } from './snippet.ts'
import { STYLE } from './style.ts'

const TYPING_PAUSE_MS = 120
const IDLE_MS = 2_000
/** After results are shown: until then, somebody is still typing. */
const SUGGESTION_PAUSE_MS = 400
const DEFAULT_LIMIT = 8
const MOST_RESULTS = 50

const sheet = new CSSStyleSheet()
sheet.replaceSync(STYLE)
let boxes = 0

export class SiltstoneSearch extends HTMLElement {
  static readonly observedAttributes: readonly string[] = ['label', 'placeholder', 'src']
  readonly #label = document.createElement('label')
  readonly #input = document.createElement('input')
  readonly #panel = document.createElement('div')
  readonly #status = document.createElement('p')
  readonly #list = document.createElement('ul')
  #search: Promise<PageSearch> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  /** Counts searches: only the answer to the last one is shown. */
  #asked = 0

  constructor() {
    super()
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true })
    root.adoptedStyleSheets = [sheet]
    const id = `siltstone-search-${++boxes}`
    this.#input.id = id
    this.#input.type = 'search'
    this.#input.autocomplete = 'off'
    this.#input.setAttribute('part', 'input')
    this.#input.setAttribute('aria-controls', `${id}-results`)
    this.#label.htmlFor = id
    this.#label.setAttribute('part', 'label')
    this.#panel.className = 'panel'
    this.#panel.id = `${id}-results`
    this.#panel.hidden = true
    this.#panel.setAttribute('part', 'panel')
    this.#status.className = 'status'
    this.#status.setAttribute('role', 'status')
    this.#status.setAttribute('part', 'status')
    this.#panel.append(this.#status, this.#list)
    root.append(this.#label, this.#input, this.#panel)
    this.#input.addEventListener('focus', () => void this.#open().catch(() => undefined))
    this.#input.addEventListener('input', () => this.#typed())
    root.addEventListener('keydown', (event) => this.#key(event as KeyboardEvent))
  }

  connectedCallback(): void {
    this.#name()
  }

  attributeChangedCallback(name: string): void {
    if (name === 'src') this.#search = undefined
    this.#name()
  }

  #name(): void {
    this.#label.textContent = this.getAttribute('label') ?? 'Search'
    this.#list.setAttribute('aria-label', this.#label.textContent)
    this.#input.placeholder = this.getAttribute('placeholder') ?? ''
  }

  /** Searches as if the text had been typed. */
  async search(text: string): Promise<void> {
    this.#input.value = text
    await this.#ask()
  }

  #open(): Promise<PageSearch> {
    const folder = new URL(this.getAttribute('src') ?? new URL('.', import.meta.url).href, document.baseURI).href
    this.#search ??= this.#load(folder).catch((error: unknown) => {
      // A failure is not kept: the next text tries again.
      this.#search = undefined
      throw error
    })
    return this.#search
  }

  async #load(folder: string): Promise<PageSearch> {
    preloadModules('SILTSTONE_MODULES')
    const isKept = this.hasAttribute('offline') && 'caches' in globalThis
    const early = isKept ? undefined : withDescription(folder)
    const [{ PageSearch: Search, folderFormat: format }, keeping] = await Promise.all([
      import('./page-search.ts'),
      isKept ? import('./offline.ts') : undefined,
    ])
    const offline = keeping && new keeping.OfflineFolder(folder, { format })
    const fetch = offline?.fetch ?? early
    const search = await Search.open(folder, document.baseURI, fetch ? { fetch } : {})
    if (offline) this.#keep(offline)
    return search
  }

  /** When the browser has nothing else to do. */
  #keep(offline: OfflineFolder): void {
    const tell = (name: string, detail?: unknown) =>
      this.dispatchEvent(new CustomEvent(`siltstone-${name}`, { detail, bubbles: true }))
    const begin = () =>
      void offline.keep().then(
        () => tell('offline'),
        (error: unknown) => tell('offline-failed', error),
      )
    if ('requestIdleCallback' in globalThis) requestIdleCallback(begin)
    else setTimeout(begin, IDLE_MS)
  }

  #typed(): void {
    clearTimeout(this.#timer)
    const { value } = this.#input
    this.#open().then(
      (search) => search.expect(value),
      () => undefined,
    )
    this.#timer = setTimeout(() => void this.#ask(), TYPING_PAUSE_MS)
  }

  async #ask(): Promise<void> {
    clearTimeout(this.#timer)
    const asked = ++this.#asked
    const text = this.#input.value.trim()
    if (text === '') {
      this.#close()
      return
    }
    try {
      const search = await this.#open()
      const hits = await search.search(text, this.#limit())
      if (asked !== this.#asked) return
      this.#show(text, hits)
      this.#timer = setTimeout(() => void this.#suggest(search, text, asked), SUGGESTION_PAUSE_MS)
    } catch (error) {
      if (asked !== this.#asked) return
      this.#list.replaceChildren()
      this.#say(`Search failed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #suggest(search: PageSearch, text: string, asked: number): Promise<void> {
    // Without a suggestion, the results stand as they are.
    const meant = await search.didYouMean(text).catch(() => undefined)
    if (meant === undefined || asked !== this.#asked) return
    const button = document.createElement('button')
    button.type = 'button'
    button.setAttribute('part', 'suggestion')
    const words = document.createElement('bdi')
    words.textContent = meant
    button.append('Did you mean ', words, '?')
    button.addEventListener('click', () => {
      this.#input.focus()
      void this.search(meant)
    })
    this.#status.append(' ', button)
  }

  #limit(): number {
    const limit = Number(this.getAttribute('limit') ?? DEFAULT_LIMIT)
    return Number.isInteger(limit) && limit > 0 ? Math.min(limit, MOST_RESULTS) : DEFAULT_LIMIT
  }

  #show(text: string, hits: readonly PageHit[]): void {
    this.#list.replaceChildren(...hits.map((hit) => itemOf(hit, text)))
    this.#say(hits.length === 1 ? '1 result' : `${hits.length === 0 ? 'No' : hits.length} results`)
  }

  #say(message: string): void {
    this.#panel.hidden = false
    const told = document.createElement('span')
    told.textContent = message
    this.#status.replaceChildren(told)
  }

  #close(): void {
    clearTimeout(this.#timer)
    this.#panel.hidden = true
    this.#list.replaceChildren()
    this.#status.textContent = ''
  }

  #key(event: KeyboardEvent): void {
    const links = [...this.#panel.querySelectorAll<HTMLElement>('button, a')]
    const place = links.indexOf(this.shadowRoot?.activeElement as HTMLElement)
    if (event.key === 'Escape' && !this.#panel.hidden) {
      this.#asked++
      this.#close()
      this.#input.focus()
    } else if (event.key === 'ArrowDown' && place + 1 < links.length) links[place + 1]?.focus()
    else if (event.key === 'ArrowUp' && place >= 0) (links[place - 1] ?? this.#input).focus()
    else if (event.key === 'Enter' && place < 0 && event.target === this.#input) void this.#ask()
    else return
    event.preventDefault()
  }
}

function itemOf(hit: PageHit, query: string): HTMLLIElement {
  const item = document.createElement('li')
  const box = document.createElement(hit.url === undefined ? 'div' : 'a')
  box.className = 'plain'
  box.setAttribute('part', 'result')
  if (hit.url !== undefined) (box as HTMLAnchorElement).href = hit.url
  box.append(partOf('title', hit.title), partOf('snippet', ''))
  for (const { text, marked } of snippetOf(hit.text, query)) {
    const piece = document.createElement(marked ? 'mark' : 'span')
    piece.textContent = text
    box.lastElementChild?.append(piece)
  }
  item.append(box)
  return item
}

function partOf(name: string, text: string): HTMLElement {
  const part = document.createElement('span')
  part.className = name
  part.setAttribute('part', name)
  // Each text has a direction of its own.
  part.dir = 'auto'
  part.textContent = text
  return part
}
