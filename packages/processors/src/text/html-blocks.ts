/**
 * HTML into blocks, as a stream of tags: no tree is built, so that a document of any depth is read in bounded memory.
 */
import { Parser } from 'htmlparser2'
import { type Block, oneLine } from '../blocks.ts'
import type { FlatMetadata } from '../processor.ts'

export interface HtmlContent {
  title: string
  /** As the document declares it; '' if it does not. */
  language: string
  blocks: Block[]
  elements: number
  /** The largest number of elements inside each other. */
  depth: number
}

export interface HtmlOptions {
  /** Leave out navigation, forms and what surrounds the content. */
  contentOnly?: boolean
  place?: FlatMetadata
}

const HIDDEN = new Set(['script', 'style', 'template', 'svg', 'math', 'iframe', 'object', 'select', 'noscript'])
const SURROUNDING = new Set(['nav', 'form', 'footer', 'aside', 'dialog', 'menu'])
/** Elements that do not interrupt a line. Every other one does. */
const INLINE = new Set(
  'a abbr acronym b bdi bdo big button cite code data del dfn em font i img ins kbd label mark meter output q rp rt ruby s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  ),
)
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '))

/** The parser keeps a list of open elements, which it searches: beyond this depth, as of elements that nothing closes, it is slow. */
const MAX_DEPTH = 2_000

class TooDeep extends Error {}

export function htmlBlocks(html: string, options: HtmlOptions = {}): HtmlContent {
  try {
    return parsedBlocks(html, options)
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    const text = html.replaceAll(/<(script|style)\b[^<>]*>[^<]*<\/\1>/gi, ' ').replaceAll(/<[^<>]*>/g, '\n\n')
    const blocks = text.split(/\n\s*\n/).flatMap((part): Block[] => {
      const line = oneLine(part)
      return line === '' ? [] : [{ text: line, ...(options.place && { place: options.place }) }]
    })
    return { title: '', language: '', blocks, elements: Infinity, depth: Infinity }
  }
}

function parsedBlocks(html: string, { contentOnly = false, place }: HtmlOptions): HtmlContent {
  const content: HtmlContent = { title: '', language: '', blocks: [], elements: 0, depth: 0 }
  let text = ''
  let level: number | undefined
  /** Open elements inside and including the outermost one that is left out. */
  let hidden = 0
  let open = 0
  let isTitle = false
  let isFirstCell = true

  const flush = () => {
    const line = oneLine(text)
    text = ''
    if (line !== '') content.blocks.push({ text: line, ...(level !== undefined && { level }), ...(place && { place }) })
  }
  const isLeftOut = (tag: string, attributes: Record<string, string>) =>
    HIDDEN.has(tag) ||
    'hidden' in attributes ||
    (attributes['aria-hidden'] === 'true' && tag !== 'body') ||
    /display\s*:\s*none/i.test(attributes['style'] ?? '') ||
    (contentOnly && SURROUNDING.has(tag))

  const parser = new Parser(
    {
      onopentag(tag, attributes) {
        content.elements++
        if (!VOID.has(tag)) content.depth = Math.max(content.depth, ++open)
        if (open > MAX_DEPTH) throw new TooDeep('elements are nested too deeply')
        if (tag === 'html') content.language ||= attributes['lang'] ?? attributes['xml:lang'] ?? ''
        if (hidden > 0 || isLeftOut(tag, attributes)) {
          if (!VOID.has(tag)) hidden++
          return
        }
        if (tag === 'title') {
          isTitle = content.title === ''
          text = ''
        } else if (tag === 'img') text += ` ${attributes['alt'] ?? ''} `
        else if (tag === 'tr') {
          flush()
          isFirstCell = true
        } else if (tag === 'td' || tag === 'th') {
          text += isFirstCell ? '' : ' | '
          isFirstCell = false
        } else if (tag === 'br') text += '\n'
        else if (!INLINE.has(tag) && !isInCell(tag, text, isFirstCell)) flush()
        if (/^h[1-6]$/.test(tag)) level = Number(tag[1])
      },
      ontext(data) {
        if (hidden === 0) text += data
      },
      onclosetag(tag) {
        if (!VOID.has(tag)) open--
        if (hidden > 0) {
          if (!VOID.has(tag)) hidden--
          return
        }
        if (tag === 'title') {
          if (isTitle) content.title = oneLine(text)
          isTitle = false
          text = ''
        } else if (tag === 'tr') {
          flush()
          isFirstCell = true
        } else if (
          !INLINE.has(tag) &&
          tag !== 'td' &&
          tag !== 'th' &&
          tag !== 'br' &&
          !isInCell(tag, text, isFirstCell)
        )
          flush()
        if (/^h[1-6]$/.test(tag)) level = undefined
      },
    },
    { decodeEntities: true, lowerCaseTags: true, recognizeSelfClosing: false },
  )
  parser.end(html)
  flush()
  return content
}

/** A paragraph inside a cell belongs to the line of its row. */
const isInCell = (tag: string, text: string, isFirstCell: boolean) =>
  !isFirstCell && text !== '' && (tag === 'p' || tag === 'div')

export const textLength = (blocks: readonly Block[]): number => blocks.reduce((sum, { text }) => sum + text.length, 0)
