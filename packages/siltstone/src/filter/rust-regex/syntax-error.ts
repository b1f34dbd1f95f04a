/** Errors of patterns, in the words and the form of Rust's `regex-syntax`, which Chroma's clients see. */
import { invalid, type SiltstoneError } from '../../errors.ts'

/** Offsets in characters, the end exclusive. */
export interface Span {
  start: number
  end: number
}

/** Chroma's message has the same misspelling, and clients compare messages. */
export function regexError(detail: string): SiltstoneError {
  return invalid('regex-syntax', `Regex syntax errror: ${detail}`, { field: 'where_document' })
}

/**
 * @param chars the characters of the pattern
 * @param spans where the mistake is, and for a duplicate also the original
 */
export function syntaxError(chars: readonly string[], problem: string, ...spans: readonly Span[]): SiltstoneError {
  const pattern = chars.join('')
  const lines = linesOf(pattern)
  const isLong = pattern.includes('\n')
  const width = isLong ? String(lines.length).length : 0
  const places = spans.map((span) => ({ from: placeOf(chars, span.start), to: placeOf(chars, span.end) }))
  const ordered = places.toSorted(
    (a, b) => a.from.line - b.from.line || a.from.column - b.from.column || a.to.column - b.to.column,
  )
  const text: string[] = []
  // A mistake behind the last line break has a line of its own, which is not shown.
  const shown = pattern.endsWith('\n') ? lines.slice(0, -1) : lines
  for (const [index, line] of shown.entries()) {
    text.push(isLong ? `${String(index + 1).padStart(width)}: ${line}` : `    ${line}`)
    const marks = ordered.filter(({ from, to }) => from.line === index && to.line === index)
    if (marks.length === 0) continue
    let note = ' '.repeat(isLong ? width + 2 : 4)
    let column = 0
    for (const { from, to } of marks) {
      const count = Math.max(1, to.column - from.column)
      note += ' '.repeat(Math.max(0, from.column - column)) + '^'.repeat(count)
      column = Math.max(column, from.column) + count
    }
    text.push(note)
  }
  const divider = '~'.repeat(79)
  const across = ordered
    .filter(({ from, to }) => from.line !== to.line)
    .map(
      ({ from, to }) =>
        `on line ${from.line + 1} (column ${from.column + 1}) through line ${to.line + 1} (column ${to.column})`,
    )
  const body = isLong ? [divider, ...text, divider, ...across] : text
  return regexError(['regex parse error:', ...body, `error: ${problem}`].join('\n'))
}

function linesOf(pattern: string): string[] {
  return pattern
    .split('\n')
    .map((line, i, all) => (i < all.length - 1 && line.endsWith('\r') ? line.slice(0, -1) : line))
}

/** Line and column, both from 0. */
function placeOf(chars: readonly string[], offset: number): { line: number; column: number } {
  const before = chars.slice(0, offset)
  return { line: before.filter((char) => char === '\n').length, column: offset - (before.lastIndexOf('\n') + 1) }
}
