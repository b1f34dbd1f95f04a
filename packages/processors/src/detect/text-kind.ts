/** Which kind of text a whole text is: what its syntax says, then the stored type and the name. */
import { typeOf } from './content-type.ts'

export type TextKind = 'plain' | 'markdown' | 'code' | 'table' | 'json' | 'json-lines'

const CODE_EXTENSIONS = new Set(
  'c h cc cpp cxx hpp hh cs java kt kts scala groovy swift m mm go rs zig d nim py pyi rb pl pm php js mjs cjs jsx ts mts cts tsx vue svelte css scss less sql sh bash zsh fish ps1 bat cmd lua r jl hs ml mli fs fsx clj cljs ex exs erl hrl dart f90 f95 pas asm s v sv vhd tf hcl proto graphql gradle cmake mk toml ini cfg conf yaml yml xml xsl xsd dockerfile makefile'.split(
    ' ',
  ),
)
const MARKDOWN_EXTENSIONS = new Set(['md', 'markdown', 'mdx', 'mkd'])
const PROSE_EXTENSIONS = new Set(['txt', 'text', 'rst', 'adoc', 'org', 'tex', 'log'])

export function textKind(text: string, declared: string, name = ''): TextKind {
  const type = typeOf(declared)
  const extension = /([^./\\]+)$/.exec(name.toLowerCase())?.[1] ?? ''
  const start = text.slice(0, 65_536)
  const json = jsonKind(start, text.length <= 65_536)
  if (json) return json
  if (type === 'text/markdown' || MARKDOWN_EXTENSIONS.has(extension)) return 'markdown'
  const wantsTable = type === 'text/csv' || type === 'text/tab-separated-values' || /^(csv|tsv)$/.test(extension)
  if (wantsTable && tableSeparator(start, 1) !== undefined) return 'table'
  const isShell = /^#!.*\b(?:sh|bash|python|node|perl|ruby|env)\b/.test(start)
  if (isCodeType(type) || CODE_EXTENSIONS.has(extension) || isShell) return 'code'
  if (!looksLikeCode(start) && tableSeparator(start, 4) !== undefined) return 'table'
  if (PROSE_EXTENSIONS.has(extension)) return 'plain'
  if (looksLikeMarkdown(start)) return 'markdown'
  return looksLikeCode(start) ? 'code' : 'plain'
}

const isCodeType = (type: string) =>
  /^(?:text\/(?:x-|javascript|css|xml)|application\/(?:javascript|typescript|xml|x-(?:sh|python|httpd-php)|sql|yaml|toml))/.test(
    type,
  )

/** Whether the text is JSON, or one JSON value in each line. A long text is judged by its beginning. */
function jsonKind(start: string, isWhole: boolean): TextKind | undefined {
  const first = start.trimStart()[0]
  if (first !== '{' && first !== '[') return undefined
  const lines = start.trim().split('\n')
  const whole = isWhole ? lines : lines.slice(0, -1)
  if (whole.length > 1 && whole.every((line) => line.trim() === '' || isJson(line))) return 'json-lines'
  if (isWhole) return isJson(start) ? 'json' : undefined
  return /^\s*[[{]\s*(?:"(?:[^"\\]|\\.)*"\s*[:,\]]|[[{\]}\d-])/.test(start) ? 'json' : undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
}

/** The separator of a table: the first one that stands equally often, outside quotes, in each of the first lines. */
export function tableSeparator(text: string, minRows: number): ',' | ';' | '\t' | '|' | undefined {
  const lines = text.split('\n').slice(0, 50)
  // The last line of a beginning may be cut.
  if (text.length >= 65_536) lines.pop()
  const rows = lines.filter((line) => line.trim() !== '')
  if (rows.length < minRows || rows.length === 0) return undefined
  for (const separator of ['\t', ',', ';', '|'] as const) {
    const counts = rows.map((line) => line.replaceAll(/"(?:[^"]|"")*"/g, '').split(separator).length - 1)
    const [first = 0] = counts
    if (first === 0 || (separator === '|' && /^\s*\|/.test(text))) continue
    // A quoted line break splits a row, so a few lines may differ where a table was announced.
    const equal = counts.filter((count) => count === first).length
    if (minRows === 1 ? equal * 2 >= rows.length : equal === rows.length && !readsAsProse(rows)) return separator
  }
  return undefined
}

/** Sentences with one comma each are no table. */
const readsAsProse = (rows: readonly string[]) =>
  rows.some((row) => row.length > 400 || /[a-z], [a-z].*[.!?]$/.test(row))

function looksLikeMarkdown(text: string): boolean {
  const prose = text.replaceAll(/^(`{3,}|~{3,})[\s\S]*?^\1\s*$/gm, '\n```\n')
  const marks = [
    /^#{1,6} \S/m,
    /^\s*[-*+] \S/m,
    /\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)/,
    /^```/m,
    /\*\*\S[^*\n]{0,200}\*\*/,
    /^\|.*\|\s*$/m,
  ]
  const found = marks.filter((mark) => mark.test(prose)).length
  return found >= 2 && !looksLikeCode(prose)
}

const CODE_LINE =
  /[;{}]\s*(?:\/\/.*)?$|^\s*(?:import|from|def|class|function|const|let|var|return|if|for|while|else|elif|try|except|catch|public|private|static|fn|func|pub|use|package|#include|#define|namespace|struct|enum|type|interface|export|async|await|local|end|begin|SELECT|INSERT|CREATE)\b.*[({:=;)\]}]\s*$|^\s*(?:\/\/|\/\*|\*\/|--\s)/

function looksLikeCode(text: string): boolean {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const code = lines.filter((line) => line.length < 300 && CODE_LINE.test(line)).length
  return lines.length >= 3 && code > lines.length * 0.35
}
