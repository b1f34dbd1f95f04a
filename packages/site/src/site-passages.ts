/** The pages of a site as passages: what is found, where it leads, and what it is called. */
import { joinParagraphs, type Paragraph } from 'siltstone/passages'
import { type HtmlPage, parsePage, type Section } from './html-page.ts'

export interface SitePage {
  /** Below the site's root, with slashes: `guide/index.html`. */
  path: string
  html: string
}

export interface SitePassage {
  id: string
  document: string
  /** `url`, `page` (the url without an anchor), `title`, and what the page says of itself. */
  metadata: Record<string, string | string[]>
}

/** Of a key with a value to sort by, where its own is another one. */
const SORT_PREFIX = 'sort:'
/** Passages have these already. */
const OWN_KEYS = new Set(['url', 'page', 'title'])

/**
 * Pages that ask robots not to index them are left out. Where a page of the site has `data-pagefind-body`, pages without it are left out, as Pagefind does.
 * @param base the path at which the site is served, `/` or `/docs/`
 */
export function passagesOfSite(pages: readonly SitePage[], base = '/'): SitePassage[] {
  const parsed = pages.map(({ path, html }) => ({ path, page: parsePage(html) })).filter(({ page }) => !page.hidden)
  const named = parsed.some(({ page }) => page.hasBody)
  return parsed
    .filter(({ page }) => !named || page.hasBody)
    .flatMap(({ path, page }) => passagesOf(page, urlOf(path, base)))
}

/** `index.html` is the folder that it lies in. */
function urlOf(path: string, base: string): string {
  const shown = path.replace(/(^|\/)index\.html?$/, '$1')
  return `${escapedPath(base).replace(/\/*$/, '/')}${shown.split('/').map(encodeURIComponent).join('/')}`
}

/** Without a change where characters of addresses are escaped already. */
const escapedPath = (base: string): string => encodeURI(base).replaceAll(/%25(?=[\dA-F]{2})/gi, '%')

function passagesOf(page: HtmlPage, url: string): SitePassage[] {
  const further: Record<string, string | string[]> = {}
  for (const [key, values] of Object.entries({ ...page.sorts, ...page.meta, ...page.filters }))
    if (!OWN_KEYS.has(key)) further[key] = valueOf(values)
  // What is shown of a date, say, is often not what it is sorted by.
  for (const [key, values] of Object.entries(page.sorts))
    if (String(further[key]) !== String(values)) further[`${SORT_PREFIX}${key}`] = valueOf(values)
  const ids = new Map<string, number>()
  return page.sections.flatMap((section) => {
    const { anchor, heading } = section
    const address = anchor === '' ? url : `${url}#${encodeURIComponent(anchor)}`
    // Titles of pages are often a heading and the name of the site.
    const title =
      heading === ''
        ? page.title
        : page.title.startsWith(heading) || page.title === ''
          ? heading
          : `${page.title} › ${heading}`
    return [...joinParagraphs(paragraphsOf(section), { short: 'keep' })].map(({ text }) => {
      const number = (ids.get(address) ?? 0) + 1
      ids.set(address, number)
      return {
        id: number === 1 ? address : `${address}~${number}`,
        // Headings say what their text is about, and often without its words.
        document: heading === '' ? text : `${heading}: ${text}`,
        metadata: { ...further, url: address, page: url, title: title || url },
      }
    })
  })
}

const valueOf = (values: readonly string[]): string | string[] =>
  values.length === 1 ? (values[0] ?? '') : [...values]

function* paragraphsOf({ paragraphs }: Section): Generator<Paragraph> {
  let start = 0
  for (const text of paragraphs) {
    yield { text, start, end: start + text.length }
    start += text.length
  }
}
