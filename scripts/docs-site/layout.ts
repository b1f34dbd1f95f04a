/** The frame of each page. Nothing in it comes from another host. */
import { linkBetween } from './files.ts'
import { escaped, type Heading } from './markdown.ts'

export interface NavEntry {
  title: string
  page: string
}

export interface NavGroup {
  title: string
  entries: NavEntry[]
}

export interface Page {
  /** Its place in the site. */
  path: string
  /** As HTML, without markup. */
  title: string
  html: string
  headings: Heading[]
  /** Whether the search finds it. */
  isSearched: boolean
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** What pages name beside pages and pictures. */
export const FILES: readonly string[] = ['site.css', 'site.js', 'icon.svg', 'search/siltstone-search.js']

/** A page with more sections lists them. */
const LEAST_SECTIONS = 3

export function pageHtml(page: Page, navigation: readonly NavGroup[]): string {
  const to = (path: string) => escaped(linkBetween(page.path, path))
  const title = page.path === 'index.html' ? 'Siltstone' : `${page.title} · Siltstone`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="content-security-policy" content="${POLICY}">
<title>${title}</title>
<link rel="icon" href="${to('icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${to('site.css')}">
<script type="module" src="${to('site.js')}"></script>
<script type="module" src="${to('search/siltstone-search.js')}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<a class="brand" href="${to('index.html')}"><img src="${to('icon.svg')}" alt="" width="26" height="26"> Siltstone</a>
<siltstone-search label="Search the documentation" placeholder="Search" overlay></siltstone-search>
<button type="button" id="theme" hidden>Theme</button>
</header>
<div class="columns">
<details class="menu" id="menu"><summary>Pages</summary>
<nav aria-label="Pages">
${navigation.map((group) => groupHtml(group, page, to)).join('\n')}
</nav>
</details>
<main id="content" tabindex="-1"${page.isSearched ? ' data-pagefind-body' : ''}>
${page.html}
</main>
${sectionsHtml(page.headings)}
</div>
</body>
</html>
`
}

function groupHtml({ title, entries }: NavGroup, page: Page, to: (path: string) => string): string {
  const items = entries.map(
    (entry) =>
      `<li><a href="${to(entry.page)}"${entry.page === page.path ? ' aria-current="page"' : ''}>${entry.title}</a></li>`,
  )
  return `<h2>${escaped(title)}</h2>\n<ul>\n${items.join('\n')}\n</ul>`
}

function sectionsHtml(headings: readonly Heading[]): string {
  const sections = headings.filter(({ depth }) => depth === 2)
  if (sections.length < LEAST_SECTIONS) return ''
  const items = sections.map(
    ({ id, html }) => `<li><a href="#${escaped(id)}">${html.replaceAll(/<\/?a\b[^>]*>/g, '')}</a></li>`,
  )
  return `<nav class="sections" aria-label="On this page"><h2>On this page</h2><ul>\n${items.join('\n')}\n</ul></nav>`
}
