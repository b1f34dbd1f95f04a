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

const TARGET_CHARACTERS = 350
const MIN_CHARACTERS = 50
const MAX_CHARACTERS = 1_200

/** Joins paragraphs of one section until a passage is long enough; removes code and markup. */
export function passagesOf({ source, packageName, text }: SourceFile): Passage[] {
  const passages: Passage[] = []
  for (const { heading, body } of sections(withoutCode(text)))
    for (const piece of joinParagraphs(
      body
        .split(/\n\s*\n/)
        .map(withoutMarkup)
        .filter((paragraph) => /\p{L}{3}/u.test(paragraph)),
    )) {
      if (piece.length < MIN_CHARACTERS) continue
      const position = passages.length + 1
      passages.push({ id: `${source}#${position}`, text: piece, source, packageName, heading, position })
    }
  return passages
}

function withoutCode(text: string): string {
  return text
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replaceAll(/^ *(`{3,}|~{3,})[\s\S]*?^ *\1 *$/gm, '\n\n')
    .replaceAll(/<!--[\s\S]*?-->/g, '')
}

function* sections(text: string): Generator<{ heading: string; body: string }> {
  let heading = ''
  for (const block of text.split(/^(?=#{1,6} )/m)) {
    const [, title, body = block] = /^#{1,6} +(.*)\n?([\s\S]*)$/.exec(block) ?? []
    if (title !== undefined) heading = withoutMarkup(title)
    yield { heading, body }
  }
}

function* joinParagraphs(paragraphs: readonly string[]): Generator<string> {
  let piece = ''
  for (const part of paragraphs.flatMap(splitLong)) {
    if (piece !== '' && piece.length + part.length > MAX_CHARACTERS) {
      yield piece
      piece = ''
    }
    piece = piece === '' ? part : `${piece} ${part}`
    if (piece.length < TARGET_CHARACTERS) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

/** Splits a long paragraph at the ends of sentences, or else of words. */
function splitLong(paragraph: string): string[] {
  const parts: string[] = []
  let rest = paragraph
  while (rest.length > MAX_CHARACTERS) {
    const sentence = rest.lastIndexOf('. ', MAX_CHARACTERS - 1) + 1
    const word = rest.lastIndexOf(' ', MAX_CHARACTERS)
    const end = sentence > MAX_CHARACTERS / 2 ? sentence : word > 0 ? word : MAX_CHARACTERS
    parts.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...parts, rest]
}

/** The text without the markup of Markdown and HTML. */
function withoutMarkup(markdown: string): string {
  return markdown
    .replaceAll(/!\[[^\]]*\](\([^)]*\)|\[[^\]]*\])/g, ' ')
    .replaceAll(/\[([^\]]*)\](\([^)]*\)|\[[^\]]*\])/g, '$1')
    .replaceAll(/^\s*\[[^\]]+\]:.*$/gm, ' ')
    .replaceAll(/<[^>]+>/g, ' ')
    .replaceAll(/^[>\s]*([-*+]|\d+\.)\s+/gm, ' ')
    .replaceAll(/[`*_|]{1,3}(?=\S)|(?<=\S)[`*|]{1,3}/g, '')
    .replaceAll(/:?-{3,}:?/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
