/** Web pages: the article without what surrounds it, or the body where no article is found. */
import { addBlocks, type Block } from '../blocks.ts'
import { readAll } from '../access.ts'
import { contentType, typeOf } from '../detect/content-type.ts'
import { charsetOf, decodeText, sniffText } from '../detect/text-encoding.ts'
import { unsupportedType } from '../failures.ts'
import type { FlatMetadata, ProcessContext, Processor, RandomAccess, Summary } from '../processor.ts'
import { Steps } from '../steps.ts'
import { type HtmlContent, htmlBlocks, textLength } from './html-blocks.ts'

const MAX_BYTES = 32 * 1024 * 1024
/** Readability builds a tree and walks it often: larger and deeper pages are read without it. */
const MAX_ARTICLE = { characters: 4 * 1024 * 1024, elements: 30_000, depth: 150 }
/** An article with a smaller share of the page's content is taken for a mistake. */
const MIN_ARTICLE_SHARE = 0.4

export const htmlProcessor: Processor = {
  name: 'html',
  version: '2',
  accepts: (type, head) => {
    if (contentType(head, type) === 'text/html') return 0.95
    // A page may begin with more than 4,096 bytes of comments.
    const isText = contentType(head, type) === 'text/plain'
    return isText && /^(?:text\/html|application\/xhtml\+xml)$/.test(typeOf(type)) ? 0.7 : 0
  },
  process: processHtml,
}

async function processHtml(source: RandomAccess, ctx: ProcessContext): Promise<Summary> {
  const steps = new Steps(ctx)
  const metadata: FlatMetadata = {}
  await steps.run('text', async (recorder) => {
    const bytes = await readAll(source, 'the page', MAX_BYTES)
    const { title, language, blocks } = await readPage(decodeHtml(bytes))
    if (title !== '') metadata['title'] = title
    if (language !== '') metadata['language'] = language
    await addBlocks(recorder, blocks, language === '' ? {} : { language })
  })
  return { contentType: 'text/html', steps: steps.summaries, metadata }
}

/** Decodes a page: a byte-order mark, UTF-8, then the encoding that the page names. */
export function decodeHtml(bytes: Uint8Array, declared?: string): string {
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 4_096))
  const meta = /<meta[^>]+charset\s*=\s*["']?([^\s"'>/;]+)/i.exec(start)?.[1]
  const sniffed = sniffText(bytes, true, charsetOf(`charset=${declared ?? meta ?? ''}`))
  if (!sniffed) throw unsupportedType('the page holds bytes that are not text')
  return decodeText(bytes, sniffed)
}

/** The article of a page, or its body. A title that the article does not repeat becomes its first heading. */
export async function readPage(html: string): Promise<HtmlContent> {
  const body = htmlBlocks(html, { contentOnly: true })
  const whole = body.blocks.length > 0 ? body : htmlBlocks(html)
  const isSmall =
    html.length <= MAX_ARTICLE.characters && body.elements <= MAX_ARTICLE.elements && body.depth <= MAX_ARTICLE.depth
  const article = isSmall ? await articleOf(html) : undefined
  const blocks = article && textLength(article) >= textLength(whole.blocks) * MIN_ARTICLE_SHARE ? article : whole.blocks
  const hasHeading = blocks.some(({ level }) => level !== undefined)
  // Pages of frames have nothing but a title.
  if (blocks.length === 0 && whole.title !== '') return { ...whole, blocks: [{ text: whole.title }] }
  const titled = whole.title !== '' && !hasHeading && blocks.length > 0
  return { ...whole, blocks: titled ? [{ text: whole.title, level: 1 }, ...blocks] : blocks }
}

async function articleOf(html: string): Promise<Block[] | undefined> {
  const [{ parseHTML }, { Readability }] = await Promise.all([import('linkedom'), import('@mozilla/readability')])
  try {
    const { document } = parseHTML(html)
    const article = new Readability(document, { charThreshold: 200 }).parse()
    return article?.content ? withTitle(article.title ?? '', htmlBlocks(article.content).blocks, html) : undefined
  } catch (error) {
    // Trees that are too deep overflow the stack, and odd documents miss nodes that it expects: the body is read instead.
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

/** Readability takes the first heading away when it repeats the title. */
function withTitle(title: string, blocks: Block[], html: string): Block[] {
  if (title === '' || blocks[0]?.level === 1) return blocks
  const first = htmlBlocks(html, { contentOnly: true }).blocks.find(({ level }) => level === 1)
  return first && !blocks.some(({ text }) => text === first.text) ? [first, ...blocks] : blocks
}
