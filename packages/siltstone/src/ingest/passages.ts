/** Splits a document into passages: one or more paragraphs under a heading. */
import type { SourceFile } from './documents.ts'

export interface Passage {
  id: string
  text: string
  source: string
  packageName: string | undefined
  /** The section's heading; '' before the first heading. */
  heading: string
  /** Number of the passage in its file, from 1. */
  position: number
}

/** A piece of text at a place. What `start` and `end` count is the caller's choice; they only have to grow. */
export interface Paragraph {
  text: string
  start: number
  end: number
  /** The text from which `text` was made, if `start` and `end` are its offsets: a long paragraph is then cut at exact offsets. */
  original?: string
}

export interface CutPassage {
  text: string
  /** Start of its first paragraph. */
  start: number
  /** End of its last paragraph. */
  end: number
}

export interface CutOptions {
  /** `markdown` (default): headings begin sections, markup and code are removed. `plain`: only blank lines mean something. */
  syntax?: 'markdown' | 'plain'
  /**
   * What happens to a paragraph without a word and to a last piece of fewer than 50 characters: `drop` (default) leaves
   * them out, `keep` loses no text.
   */
  short?: 'drop' | 'keep'
}

const TARGET_CHARACTERS = 350
const MIN_CHARACTERS = 50
const MAX_CHARACTERS = 1_200

/**
 * Joins paragraphs of one section until a passage is long enough; removes code and markup. A file that has nothing but short pieces
 * keeps them: a note of one line is a passage.
 */
export function passagesOf({ source, packageName, text }: SourceFile): Passage[] {
  const long = cutPassages(text)
  return (long.length > 0 ? long : cutPassages(text, { short: 'keep' })).map(({ text, heading }, k) => ({
    id: `${source}#${k + 1}`,
    text,
    source,
    packageName,
    heading,
    position: k + 1,
  }))
}

/** The passages of a text, with their offsets in it (UTF-16 units) and the heading of their section. */
export function cutPassages(text: string, options: CutOptions = {}): (CutPassage & { heading: string })[] {
  const { syntax = 'markdown', short = 'drop' } = options
  const isMarkdown = syntax === 'markdown'
  const passages: (CutPassage & { heading: string })[] = []
  for (const { heading, body, start } of isMarkdown
    ? sections(withoutCode(text))
    : [{ heading: '', body: text, start: 0 }])
    for (const piece of joinParagraphs(paragraphs(body, start, isMarkdown ? withoutMarkup : oneLine), { short }))
      passages.push({ ...piece, heading })
  return passages
}

/** Joins paragraphs of one section until a passage has 350 characters, and splits those of more than 1,200. */
export function* joinParagraphs(
  all: Iterable<Paragraph>,
  { short = 'drop' }: Pick<CutOptions, 'short'> = {},
): Generator<CutPassage> {
  let ready: CutPassage | undefined
  for (const piece of pieces(all, short === 'drop')) {
    if (short === 'drop') {
      if (piece.text.length >= MIN_CHARACTERS) yield piece
    } else if (ready && piece.text.length < MIN_CHARACTERS) ready = joined(ready, piece)
    else {
      if (ready) yield ready
      ready = piece
    }
  }
  if (ready) yield ready
}

function* pieces(all: Iterable<Paragraph>, wordsOnly: boolean): Generator<CutPassage> {
  let piece: CutPassage | undefined
  for (const paragraph of all) {
    if (wordsOnly ? !/\p{L}{3}/u.test(paragraph.text) : paragraph.text === '') continue
    for (const part of splitLong(paragraph)) {
      if (piece && piece.text.length + part.text.length > MAX_CHARACTERS) {
        yield piece
        piece = undefined
      }
      piece = piece ? joined(piece, part) : part
      if (piece.text.length < TARGET_CHARACTERS) continue
      yield piece
      piece = undefined
    }
  }
  if (piece) yield piece
}

const joined = (a: CutPassage, b: CutPassage): CutPassage => ({
  text: `${a.text} ${b.text}`,
  start: a.start,
  end: b.end,
})

/** The text with front matter, fenced code and comments replaced by spaces, so that offsets stay as they are. */
function withoutCode(text: string): string {
  const blank = (part: string) => part.replaceAll(/[^\n]/g, ' ')
  const front = /^---\n[\s\S]*?\n---\n/.exec(text)?.[0] ?? ''
  const lines = (blank(front) + text.slice(front.length)).split('\n')
  const lastClosing = new Map(lines.map((line, i) => [line.trim(), i]))
  for (let i = 0; i < lines.length; i++) {
    const fence = /^ *(`{3,}|~{3,})/.exec(lines[i] as string)?.[1]
    // A fence that nothing closes is not one.
    if (fence === undefined || (lastClosing.get(fence) ?? 0) <= i) continue
    let end = i + 1
    while ((lines[end] as string).trim() !== fence) end++
    for (; i <= end; i++) lines[i] = blank(lines[i] as string)
    i--
  }
  return blankComments(lines.join('\n'), blank)
}

function blankComments(text: string, blank: (part: string) => string): string {
  let kept = ''
  let from = 0
  for (;;) {
    const open = text.indexOf('<!--', from)
    const close = open < 0 ? -1 : text.indexOf('-->', open)
    if (close < 0) return kept + text.slice(from)
    kept += text.slice(from, open) + blank(text.slice(open, close + 3))
    from = close + 3
  }
}

function* sections(text: string): Generator<{ heading: string; body: string; start: number }> {
  let heading = ''
  let start = 0
  for (const block of text.split(/^(?=#{1,6} )/m)) {
    const [, title, body = block] = /^#{1,6} +(.*)\n?([\s\S]*)$/.exec(block) ?? []
    if (title !== undefined) heading = withoutMarkup(title)
    yield { heading, body, start: start + block.length - body.length }
    start += block.length
  }
}

function* paragraphs(body: string, start: number, clean: (text: string) => string): Generator<Paragraph> {
  let from = 0
  for (const { 0: gap, index } of body.matchAll(/\n[^\S\n]*\n\s*|$/g)) {
    const original = body.slice(from, index)
    const text = clean(original)
    const lead = original.length - original.trimStart().length
    if (text !== '') yield { text, start: start + from + lead, end: start + index, original: original.slice(lead) }
    from = index + gap.length
  }
}

/** Splits a long paragraph at the ends of sentences, or else of words. */
function* splitLong({ text, start, end, original }: Paragraph): Generator<CutPassage> {
  let rest = text
  let from = 0
  while (rest.length > MAX_CHARACTERS) {
    const sentence = rest.lastIndexOf('. ', MAX_CHARACTERS - 1) + 1
    const word = rest.lastIndexOf(' ', MAX_CHARACTERS)
    const cut = sentence > MAX_CHARACTERS / 2 ? sentence : word > 0 ? word : wholeCharacters(rest, MAX_CHARACTERS)
    const part = rest.slice(0, cut)
    const to = original === undefined ? 0 : offsetAfter(part, original, from)
    yield original === undefined ? { text: part, start, end } : { text: part, start: start + from, end: start + to }
    from = to
    rest = rest.slice(cut).trimStart()
  }
  yield { text: rest, start: start + from, end }
}

/** Never between the two halves of a surrogate pair. */
const wholeCharacters = (text: string, end: number) => ((text.codePointAt(end - 1) ?? 0) > 0xffff ? end - 1 : end)

/** Longer markup between two words makes the offsets inside its paragraph less exact. */
const MARKUP_CHARACTERS = 500

/** Where the words of `part` end in `original`, searched from an offset on. Markup between the words is passed over. */
function offsetAfter(part: string, original: string, from: number): number {
  let at = from
  for (const word of part.split(' ')) {
    const found = original.slice(at, at + MARKUP_CHARACTERS + word.length).indexOf(word)
    // A word with markup inside is not found, but it is there.
    at += Math.max(0, found) + word.length
  }
  return Math.min(at, original.length)
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** The text without the markup of Markdown and HTML. No part of a pattern crosses the sign that it begins with: the time stays linear. */
function withoutMarkup(markdown: string): string {
  return oneLine(
    markdown
      .replaceAll(/!\[[^[\]]*\](\([^()]*\)|\[[^[\]]*\])/g, ' ')
      .replaceAll(/\[([^[\]]*)\](\((?:[^()]|\([^()]*\))*\)|\[[^[\]]*\])/g, '$1')
      .replaceAll(/^[ \t]*\[[^[\]]+\]:.*$/gm, ' ')
      .replaceAll(/<[^<>]+>/g, ' ')
      .replaceAll(/^[> \t]*([-*+]|\d+\.)\s+/gm, ' ')
      .replaceAll(/[`*_|]{1,3}(?=\S)|(?<=\S)[`*|]{1,3}/g, '')
      .replaceAll(/:?-{3,}:?/g, ' '),
  )
}
