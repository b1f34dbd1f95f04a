/** Markdown to HTML: headings as GitHub names them, links to pages of the site. */
import { Marked, type Tokens } from 'marked'

export interface Heading {
  id: string
  depth: number
  html: string
}

export interface Rendered {
  title: string
  html: string
  headings: Heading[]
}

export interface Links {
  /** The address of a link or an image; the text as it is for one to another site. */
  link(href: string): string
  image(href: string): string
}

/** GitHub's name for a heading. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

export function render(markdown: string, { link, image }: Links): Rendered {
  const headings: Heading[] = []
  const taken = new Map<string, number>()
  const idFor = (text: string): string => {
    const anchor = anchorOf(text)
    const times = taken.get(anchor) ?? 0
    taken.set(anchor, times + 1)
    return times === 0 ? anchor : `${anchor}-${times}`
  }
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth }) {
        const id = idFor(plain(tokens))
        const html = this.parser.parseInline(tokens)
        headings.push({ id, depth, html })
        return `<h${depth} id="${escaped(id)}">${html}</h${depth}>\n`
      },
      link({ href, tokens }) {
        return `<a href="${escaped(link(href))}">${this.parser.parseInline(tokens)}</a>`
      },
      image({ href, text }) {
        return `<img src="${escaped(image(href))}" alt="${escaped(text)}">`
      },
      code({ text, lang = '' }) {
        return codeBlock(escaped(text), lang)
      },
      table({ header, rows }) {
        const cell = ({ tokens, align }: Tokens.TableCell, tag: 'th' | 'td') => {
          const html = this.parser.parseInline(tokens)
          const name = html === '' ? 'td' : tag
          return `<${name}${align === null ? '' : ` class="${align}"`}>${html}</${name}>`
        }
        const row = (cells: Tokens.TableCell[], tag: 'th' | 'td') =>
          `<tr>${cells.map((one) => cell(one, tag)).join('')}</tr>`
        const body = rows.map((cells) => row(cells, 'td')).join('\n')
        return `<div class="scroll" tabindex="0"><table><thead>${row(header, 'th')}</thead><tbody>\n${body}\n</tbody></table></div>\n`
      },
      html({ text }) {
        return text
          .replaceAll(
            /\b(src|srcset)="([^"]+)"/g,
            (_, name: string, href: string) => `${name}="${escaped(image(href))}"`,
          )
          .replaceAll(/\bhref="([^"]+)"/g, (_, href: string) => `href="${escaped(link(href))}"`)
      },
    },
  })
  const html = marked.parse(markdown, { async: false })
  const title = headings.find(({ depth }) => depth === 1)?.html.replaceAll(/<[^>]+>/g, '') ?? ''
  return { title, html, headings }
}

/** @param html of the text */
export function codeBlock(html: string, language: string): string {
  return `<pre tabindex="0"${language === '' ? '' : ` data-language="${escaped(language)}"`}><code>${html}</code></pre>\n`
}

/** The text that a reader sees. */
function plain(tokens: Tokens.Generic[]): string {
  return tokens
    .map((token) => (token.tokens === undefined ? String(token['text'] ?? token.raw) : plain(token.tokens)))
    .join('')
}
