/**
 * A page of a site as sections under headings. It reads the elements that have `data-pagefind-body`; otherwise `<main>`, the
 * only `<article>`, or `<body>`; navigation, footers, forms and what is not shown are left out.
 */
import { type ChildNode, type Element, isTag, type ParentNode } from 'domhandler'
import { parseDocument } from 'htmlparser2'
import { attributeValues, type Values } from './pagefind-attributes.ts'
import { elementsOf, spaced, textOf, walk } from './walk.ts'

export interface Section {
  /** The id of its heading; '' before the first heading, and for headings without an id. */
  anchor: string
  heading: string
  paragraphs: string[]
}

export interface HtmlPage {
  title: string
  sections: Section[]
  meta: Values
  filters: Values
  sorts: Values
  /** Whether it says itself what is to be found of it. */
  hasBody: boolean
  /** Whether it asks not to be found: `<meta name="robots" content="noindex">`. */
  hidden: boolean
}

const LEFT_OUT = new Set(
  'script style noscript template nav footer aside form svg iframe select button textarea dialog head'.split(' '),
)
const INLINE = new Set(
  (
    'a abbr b bdi bdo cite code data del dfn em font i img ins kbd label mark q rp rt ruby s samp small span strong sub sup ' +
    'time tt u var wbr'
  ).split(' '),
)
const HEADING = /^h[1-6]$/
const BODY = 'data-pagefind-body'
const IGNORE = 'data-pagefind-ignore'
const INDEX_ATTRIBUTES = 'data-pagefind-index-attrs'

export function parsePage(html: string): HtmlPage {
  const root = parseDocument(html)
  const bodies = elementsOf(root, (element) => element.attribs[BODY] !== undefined, false)
  const [first] = bodies
  const roots = first ? bodies : mainOf(root)
  const { meta, filters, sorts } = attributeValues(root)
  const sections: Section[] = [{ anchor: '', heading: '', paragraphs: [''] }]
  for (const element of roots) addText(element, sections)
  const [heading] = roots.flatMap((element) => elementsOf(element, ({ name }) => name === 'h1'))
  const [title] = elementsOf(root, ({ name }) => name === 'title')
  return {
    // A heading outside is often the name of the site.
    title: meta['title']?.[0] || (heading && headingText(heading)) || (title && textOf(title)) || '',
    sections: sections
      .map((section) => ({ ...section, paragraphs: section.paragraphs.map(spaced).filter((text) => text !== '') }))
      .filter(({ paragraphs }) => paragraphs.length > 0),
    meta,
    filters,
    sorts,
    hasBody: first !== undefined,
    hidden: elementsOf(root, asksNotToBeFound).length > 0,
  }
}

function asksNotToBeFound({ name, attribs }: Element): boolean {
  return (
    name === 'meta' && attribs['name']?.toLowerCase() === 'robots' && /noindex|none/i.test(attribs['content'] ?? '')
  )
}

function mainOf(root: ParentNode): ParentNode[] {
  const named = (name: string) => elementsOf(root, (element) => element.name === name, false)
  const main = named('main')
  if (main.length > 0) return main
  const articles = named('article')
  if (articles.length === 1) return articles
  const body = named('body')
  return body.length > 0 ? body : [root]
}

function addText(root: ParentNode, sections: Section[]): void {
  const last = () => (sections.at(-1) as Section).paragraphs
  const write = (text: string) => {
    last()[last().length - 1] += text
  }
  const enter = (element: Element): boolean => {
    if (isLeftOut(element)) return false
    if (HEADING.test(element.name)) {
      sections.push({ anchor: anchorOf(element), heading: headingText(element), paragraphs: [''] })
      return false
    }
    if (!INLINE.has(element.name)) last().push('')
    for (const name of (element.attribs[INDEX_ATTRIBUTES] ?? '').split(',')) {
      const value = element.attribs[name.trim()]
      if (value) write(` ${value} `)
    }
    return true
  }
  const leave = (element: Element): void => {
    if (!INLINE.has(element.name)) last().push('')
  }
  if (isTag(root as ChildNode) && !enter(root as Element)) return
  walk(root, { enter, leave, text: write })
}

function isLeftOut({ name, attribs }: Element): boolean {
  return (
    LEFT_OUT.has(name) ||
    attribs['hidden'] !== undefined ||
    attribs['aria-hidden'] === 'true' ||
    attribs[IGNORE] !== undefined
  )
}

/** Generators put the id on the heading, on a link in it, or on the section around it. */
function anchorOf(heading: Element): string {
  if (heading.attribs['id']) return heading.attribs['id']
  const [inner] = elementsOf(heading, ({ attribs }) => Boolean(attribs['id'] ?? attribs['name']))
  if (inner) return inner.attribs['id'] ?? inner.attribs['name'] ?? ''
  const { parent } = heading
  if (!parent || !isTag(parent as ChildNode)) return ''
  const { name, attribs, children } = parent as Element
  const [first] = children.filter((child) => isTag(child))
  return name === 'section' && first === heading ? (attribs['id'] ?? '') : ''
}

/** Without the sign of a link to the heading itself. */
function headingText(heading: Element): string {
  return textOf(heading, isLeftOut).replace(/^(?:#|§|¶|\u200b)+\s*|\s*(?:#|§|¶|🔗|\u200b)+$/gu, '')
}
