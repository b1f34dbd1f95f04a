/** What metrics ask of a README: front matter, headings, code blocks, tables, prose. Markdown by lines, in linear time. */

export interface CodeBlock {
  /** Lower case; empty if the fence names none. */
  language: string
  code: string
}

export interface Readme {
  /** The YAML between the first two `---` lines, without them. */
  frontMatter: string | undefined
  /** Without the front matter. */
  body: string
  headings: readonly string[]
  codeBlocks: readonly CodeBlock[]
  /** Tables as rows of cells; the first row is the head. */
  tables: readonly (readonly (readonly string[])[])[]
  /** Lines that are neither code, nor table, nor heading. */
  prose: string
  /** Of prose and headings. */
  words: number
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/
const HEADING = /^ {0,3}#{1,6}\s/
const TABLE_RULE = /^[\s|:-]+$/
const MAX_CHARACTERS = 1_000_000

export function splitFrontMatter(markdown: string): { frontMatter: string | undefined; body: string } {
  const text = markdown.replace(/^\uFEFF/, '')
  const match = /^---[ \t]*\r?\n/.exec(text)
  if (match === null) return { frontMatter: undefined, body: text }
  const end = /^---[ \t]*$/m.exec(text.slice(match[0].length))
  if (end === null) return { frontMatter: undefined, body: text }
  const rest = text.slice(match[0].length)
  return { frontMatter: rest.slice(0, end.index), body: rest.slice(end.index + end[0].length).replace(/^\r?\n/, '') }
}

export function readReadme(markdown: string): Readme {
  const { frontMatter, body } = splitFrontMatter(markdown.slice(0, MAX_CHARACTERS))
  const headings: string[] = []
  const codeBlocks: CodeBlock[] = []
  const tables: string[][][] = []
  const prose: string[] = []
  const lines = body.split(/\r?\n/)
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] ?? ''
    const fence = FENCE.exec(line)
    if (fence !== null) {
      const end = endOfFence(lines, index, fence[1] ?? '```')
      codeBlocks.push({ language: (fence[2] ?? '').toLowerCase(), code: lines.slice(index + 1, end).join('\n') })
      index = end
      continue
    }
    if (HEADING.test(line)) headings.push(withoutEnd(line.trim().replace(/^#+\s*/, ''), '# \t'))
    else if (line.includes('|') && isTableRule(lines[index + 1] ?? '')) {
      const rows = [cellsOf(line)]
      for (index += 2; (lines[index] ?? '').includes('|'); index++) rows.push(cellsOf(lines[index] ?? ''))
      index--
      tables.push(rows)
    } else prose.push(line)
  }
  const words = [...headings, ...prose].join(' ').match(/[\p{L}\p{N}]+/gu)?.length ?? 0
  return { frontMatter, body, headings, codeBlocks, tables, prose: prose.join('\n'), words }
}

/** The line of the closing fence, or the end of the text. */
function endOfFence(lines: readonly string[], start: number, fence: string): number {
  for (let index = start + 1; index < lines.length; index++) {
    const line = (lines[index] ?? '').trim()
    if (line.length >= fence.length && line === fence.charAt(0).repeat(line.length)) return index
  }
  return lines.length
}

const isTableRule = (line: string) => line.includes('|') && line.includes('-') && TABLE_RULE.test(line)

/** Not an expression such as `/[.,]+$/`, which takes quadratic time on a text of dots. */
function withoutEnd(text: string, characters: string): string {
  let end = text.length
  while (end > 0 && characters.includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

function cellsOf(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim())
}

/** Web addresses in the text, without trailing punctuation. */
export function linksIn(text: string): string[] {
  return (text.match(/https?:\/\/[^\s<>()[\]"'`|]+/g) ?? []).map((link) => withoutEnd(link, '.,;:!?'))
}
