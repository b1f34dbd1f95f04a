/**
 * Code in pieces of whole lines. A piece begins where a new definition does: at a line with the least indentation after
 * an empty line. Long definitions are cut at empty lines or, as a last resort, anywhere between lines.
 */
export interface CodePiece {
  text: string
  /** From 1. */
  lineStart: number
  lineEnd: number
  charStart: number
  charEnd: number
  /** The first line that is not a comment: often the name of what is defined. */
  heading: string
}

const TARGET_CHARACTERS = 700
const MAX_CHARACTERS = 1_500

export function* codePieces(text: string): Generator<CodePiece> {
  const lines = linesOf(text)
  let start = 0
  let size = 0
  for (let i = 0; i < lines.length; i++) {
    const length = (lines[i] as Line).text.length + 1
    const isBoundary = startsDefinition(lines, i)
    if (i > start && (size + length > MAX_CHARACTERS || (size >= TARGET_CHARACTERS && isBoundary))) {
      const cut = isBoundary ? i : betterCut(lines, start, i)
      yield* pieceOf(lines, start, cut)
      start = cut
      size = lines.slice(cut, i).reduce((sum, { text }) => sum + text.length + 1, 0)
    }
    size += length
  }
  yield* pieceOf(lines, start, lines.length)
}

interface Line {
  text: string
  /** Number in the file, from 1: a very long line is several of them here. */
  number: number
  offset: number
}

/** Lines; one of more than 1,500 characters (as in minified code) is cut. */
function linesOf(text: string): Line[] {
  const lines: Line[] = []
  let offset = 0
  for (const [k, line] of text.split('\n').entries()) {
    for (let at = 0; at === 0 || at < line.length; at += MAX_CHARACTERS)
      lines.push({ text: line.slice(at, at + MAX_CHARACTERS), number: k + 1, offset: offset + at })
    offset += line.length + 1
  }
  return lines
}

const isEmpty = (line: Line | undefined) => line === undefined || line.text.trim() === ''

const startsDefinition = (lines: readonly Line[], i: number) =>
  isEmpty(lines[i - 1]) && !isEmpty(lines[i]) && /^[^\s})\]]/.test((lines[i] as Line).text)

/** The last empty line in the second half of the lines, or else the end. */
function betterCut(lines: readonly Line[], start: number, end: number): number {
  for (let i = end - 1; i > start + (end - start) / 2; i--) if (isEmpty(lines[i])) return i + 1
  return end
}

function* pieceOf(lines: readonly Line[], start: number, end: number): Generator<CodePiece> {
  let first = start
  let last = end - 1
  while (first <= last && isEmpty(lines[first])) first++
  while (last >= first && isEmpty(lines[last])) last--
  if (first > last) return
  const piece = lines.slice(first, last + 1)
  const begin = piece[0] as Line
  const finish = piece.at(-1) as Line
  let text = ''
  let number = begin.number
  for (const line of piece) {
    text += line === begin ? line.text : line.number === number ? line.text : `\n${line.text}`
    number = line.number
  }
  const named = piece.find(
    ({ text }) => /[\p{L}_]/u.test(text) && !/^\s*(?:#(?!include|define)|\/\/|\/\*|\*|--|"""|'''|@)/.test(text),
  )
  yield {
    text,
    lineStart: begin.number,
    lineEnd: finish.number,
    charStart: begin.offset,
    charEnd: finish.offset + finish.text.length,
    heading: (named ?? begin).text.trim().slice(0, 120),
  }
}
