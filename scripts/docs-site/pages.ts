/** All pages of the site but the reference of the API: those of `docs/`, and what they lead to in the repository. */
import { posix } from 'node:path'
import { linkBetween, pageOf, readText } from './files.ts'
import type { NavGroup, Page } from './layout.ts'
import { codeBlock, escaped, render } from './markdown.ts'

export interface Site {
  pages: Page[]
  navigation: NavGroup[]
  /** Files to copy: place in the site by path in the repository. */
  assets: Map<string, string>
}

const IMAGE = /\.(?:png|svg|jpe?g|gif|webp)$/
const MAX_SOURCE_CHARACTERS = 300_000

/** @param files of the repository */
export function sitePages(files: ReadonlySet<string>): Site {
  const assets = new Map<string, string>()
  const pages = new Map<string, Page>()
  const titles = new Map<string, string>()
  const waiting: string[] = []
  const isFolder = (path: string) => path !== '' && [...files].some((file) => file.startsWith(`${path}/`))
  const readmeOf = (path: string) => (files.has(`${path}/README.md`) ? `${path}/README.md` : undefined)

  /** The page of a path of the repository, which is made if it is not there yet. @returns undefined: there is no such path */
  const pageFor = (path: string): string | undefined => {
    const folder = !files.has(path) && isFolder(path)
    if (!files.has(path) && !folder) return undefined
    const source = folder ? (readmeOf(path) ?? path) : path
    const page = pageOf(source, !files.has(source))
    if (!pages.has(page)) {
      pages.set(page, { path: page, title: '', html: '', headings: [], isSearched: false })
      waiting.push(source)
    }
    return page
  }

  const linksOf = (source: string, page: string) => ({
    link(href: string): string {
      if (/^[a-z][a-z+.-]*:|^#/i.test(href)) return href
      const [path = '', anchor] = href.split('#', 2)
      const target = pageFor(posix.join(posix.dirname(source), path).replace(/\/$/, ''))
      if (target === undefined) throw new Error(`${source} links to ${href}, which is not in the repository`)
      return linkBetween(page, target) + (anchor === undefined ? '' : `#${anchor}`)
    },
    image(href: string): string {
      if (/^[a-z]+:/i.test(href)) throw new Error(`${source} shows ${href}: images of other hosts are not shown`)
      const path = posix.join(posix.dirname(source), href)
      if (!files.has(path)) throw new Error(`${source} shows ${href}, which is not in the repository`)
      const place = posix.join('assets', path)
      assets.set(place, path)
      return linkBetween(page, place)
    },
  })

  pageFor('docs/README.md')
  for (const path of files) if (path.startsWith('docs/') && path.endsWith('.md')) pageFor(path)
  for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
    const path = pageOf(source, !files.has(source))
    if (!files.has(source)) pages.set(path, folderPage(source, path, files, pageFor))
    else if (source.endsWith('.md')) {
      const rendered = render(readText(source), linksOf(source, path))
      const isSearched = !source.includes('CHANGELOG')
      pages.set(path, { path, ...rendered, title: rendered.title || escaped(source), isSearched })
    } else if (IMAGE.test(source)) throw new Error(`an image is linked: ${source}`)
    else pages.set(path, sourcePage(source, path))
    titles.set(source, pages.get(path)?.title ?? '')
  }
  return { pages: [...pages.values()], navigation: navigationOf(files, titles), assets }
}

function sourcePage(source: string, path: string): Page {
  const text = readText(source)
  if (text.includes('\0') || text.length > MAX_SOURCE_CHARACTERS) throw new Error(`${source} cannot be shown as text`)
  const html = `<h1>${escaped(source)}</h1>\n${codeBlock(escaped(text), '')}`
  return { path, title: escaped(source), html, headings: [], isSearched: false }
}

/** A folder without a README: its files, and its folders as text. */
function folderPage(
  folder: string,
  path: string,
  files: ReadonlySet<string>,
  pageFor: (path: string) => string | undefined,
): Page {
  const inside = [...files].filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1))
  const names = [...new Set(inside.map((file) => (file.includes('/') ? `${file.split('/')[0]}/` : file)))].sort()
  const items = names.map((name) => {
    const page = name.endsWith('/') || IMAGE.test(name) ? undefined : pageFor(`${folder}/${name}`)
    const title = name.endsWith('.md') ? titleOf(readText(`${folder}/${name}`)) : ''
    const text = escaped(title === '' ? name : title)
    return page === undefined
      ? `<li>${text}</li>`
      : `<li><a href="${escaped(linkBetween(path, page))}">${text}</a></li>`
  })
  const title = escaped(folder.replace(/^docs\//, ''))
  return { path, title, html: `<h1>${title}</h1>\n<ul>\n${items.join('\n')}\n</ul>`, headings: [], isSearched: false }
}

const titleOf = (markdown: string): string => /^# (.+)$/m.exec(markdown)?.[1] ?? ''

const GROUPS = [
  ['Learn', 'docs/tutorial/'],
  ['Do', 'docs/how-to/'],
  ['Look up', 'docs/reference/'],
  ['Understand', 'docs/explanation/'],
] as const

/** In the order in which `docs/README.md` names them. */
function navigationOf(files: ReadonlySet<string>, titles: ReadonlyMap<string, string>): NavGroup[] {
  const named = [...readText('docs/README.md').matchAll(/\]\(([^)#]+\.md)\)/g)].map(([, path]) =>
    posix.join('docs', path as string),
  )
  const rank = (path: string) => (named.includes(path) ? named.indexOf(path) : named.length)
  return GROUPS.map(([title, prefix]) => {
    const own = [...files].filter((path) => path.startsWith(prefix) && path.endsWith('.md'))
    const shown = own.filter((path) => !path.slice(prefix.length).includes('/') || path.endsWith('README.md'))
    const sorted = shown.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    return { title, entries: sorted.map((path) => ({ title: titles.get(path) ?? path, page: pageOf(path) })) }
  })
}
