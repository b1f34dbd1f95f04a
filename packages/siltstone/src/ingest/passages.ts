/** Cuts a document into passages: a paragraph or a few, under their heading. */
import type { SourceFile } from './documents.ts'

export interface Passage {
  id: string
  text: string
  source: string
  packageName: string | undefined
  /** Of the section; '' before the first. */
  heading: string
  /** The how-manieth passage of its file, from 1. */
  position: number
}

const ENOUGH_LETTERS = 350
const FEW_LETTERS = 50
const MAX_LETTERS = 1_200

/** Paragraphs of one section are joined until a passage says enough; code and markup are left out. */
export function passagesOf({ source, packageName, text }: SourceFile): Passage[] {
  const passages: Passage[] = []
  for (const { heading, body } of sections(withoutCode(text)))
    for (const piece of joined(
      body
        .split(/\n\s*\n/)
        .map(plain)
        .filter((paragraph) => /\p{L}{3}/u.test(paragraph)),
    )) {
      if (piece.length < FEW_LETTERS) continue
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
    if (title !== undefined) heading = plain(title)
    yield { heading, body }
  }
}

function* joined(paragraphs: readonly string[]): Generator<string> {
  let piece = ''
  for (const part of paragraphs.flatMap(shortened)) {
    if (piece !== '' && piece.length + part.length > MAX_LETTERS) {
      yield piece
      piece = ''
    }
    piece = piece === '' ? part : `${piece} ${part}`
    if (piece.length < ENOUGH_LETTERS) continue
    yield piece
    piece = ''
  }
  if (piece !== '') yield piece
}

/** A long paragraph in parts, ended where a sentence or at least a word ends. */
function shortened(paragraph: string): string[] {
  const parts: string[] = []
  let rest = paragraph
  while (rest.length > MAX_LETTERS) {
    const sentence = rest.lastIndexOf('. ', MAX_LETTERS - 1) + 1
    const word = rest.lastIndexOf(' ', MAX_LETTERS)
    const end = sentence > MAX_LETTERS / 2 ? sentence : word > 0 ? word : MAX_LETTERS
    parts.push(rest.slice(0, end))
    rest = rest.slice(end).trimStart()
  }
  return [...parts, rest]
}

/** The words without Markdown's and HTML's marks. */
function plain(markdown: string): string {
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
