/**
 * From the pieces of text on pages to blocks: pieces are joined into lines, lines into paragraphs, and headings are found
 * by their font height and by the document's outline. The same line at the upper or lower edge of most pages
 * (a running head, a page number) goes.
 */
import type { Block } from '../blocks.ts'
import { oneLine } from '../blocks.ts'
import type { PdfField, PdfItem, PdfOutlineItem } from './pdf-document.ts'
import { type Piece, textInOrder } from './reading-order.ts'

export interface Line {
  page: number
  text: string
  /** Of most of its letters, in points; 0 if it is not known. */
  height: number
  /** In a page that is turned so that the line runs from left to right. */
  left: number
  bottom: number
  right: number
  turn: Turn
  /** What is typed into a field stands for itself. */
  isField?: boolean
}

/** How far text is turned against the page, in degrees counter-clockwise. Text at other angles counts as at the nearest of these. */
type Turn = 0 | 90 | 180 | 270

/** A line in larger letters than most of the document, by this factor, is a heading. */
const HEADING_FACTOR = 1.15
const MAX_HEADING_CHARACTERS = 200
/** Lines that stand at the same place of this share of the pages, of which there are at least four, are running heads. */
const REPEATED_SHARE = 0.6
const OUTER_LINES = 2

export function linesOf(page: number, items: readonly PdfItem[]): Line[] {
  const lines: Line[] = []
  let line: (Omit<Line, 'text'> & { letters: number; pieces: Piece[] }) | undefined
  const flush = () => {
    if (line) {
      const { letters: _, pieces, ...place } = line
      const text = oneLine(textInOrder(pieces))
      if (text !== '') lines.push({ ...place, text })
    }
    line = undefined
  }
  for (const { str, transform, width, height, hasEOL } of items) {
    const [a = 0, b = 0, c = 0, d = 0, x = 0, y = 0] = transform
    const turn = turnOf(a, b)
    const [left, bottom] = turned(turn, x, y)
    const size = height || Math.hypot(c, d)
    const isOther = line && (line.turn !== turn || Math.abs(line.bottom - bottom) > Math.max(line.height, size) * 0.6)
    if (isOther && str.trim() !== '') flush()
    if (str !== '') {
      if (!line) line = { page, height: size, left, bottom, right: left + width, turn, letters: 0, pieces: [] }
      const gap = Math.max(left - line.right, line.left - (left + width))
      const apart = gap > size * 0.2 && !/\s$/.test(line.pieces.at(-1)?.text ?? '') && !/^\s/.test(str)
      if (apart) line.pieces.push({ text: ' ', left })
      line.pieces.push({ text: str, left })
      if (str.trim().length > line.letters)
        Object.assign(line, { height: size || line.height, letters: str.trim().length })
      line.left = Math.min(line.left, left)
      line.right = Math.max(line.right, left + width)
    }
    if (hasEOL) flush()
  }
  flush()
  return lines
}

function turnOf(a: number, b: number): Turn {
  if (Math.abs(a) >= Math.abs(b)) return a >= 0 ? 0 : 180
  return b > 0 ? 90 : 270
}

/** A point of a page in the turned page. */
function turned(turn: Turn, x: number, y: number): [along: number, across: number] {
  if (turn === 0) return [x, y]
  if (turn === 180) return [-x, -y]
  return turn === 90 ? [y, -x] : [-y, x]
}

export const fieldLines = (page: number, fields: readonly PdfField[]): Line[] =>
  fields.map(({ text, box: [left, bottom, right] }) => ({
    page,
    text: oneLine(text),
    height: 0,
    left,
    bottom,
    right,
    turn: 0,
    isField: true,
  }))

export function blocksOfPages(pages: readonly (readonly Line[])[], outline: readonly PdfOutlineItem[]): Block[] {
  const kept = withoutRunningHeads(pages)
  const body = bodyHeight(kept)
  const sizes = headingSizes(kept, body)
  const titles = titlesByPage(outline)
  const blocks: Block[] = []
  for (const lines of kept) {
    let before: Line | undefined
    for (const line of lines) {
      const level = levelOf(line, sizes, titles)
      const last = blocks.at(-1)
      const isSame = before !== undefined && last !== undefined && (last.level !== undefined) === (level !== undefined)
      if (
        isSame &&
        before &&
        last &&
        (level === undefined ? !startsParagraph(before, line) : continuesHeading(before, line))
      )
        blocks[blocks.length - 1] = joined(last, line)
      else
        blocks.push({
          text: line.text,
          ...(level !== undefined && { level }),
          place: { page: line.page },
          box: boxOf(line),
        })
      before = line
    }
  }
  return blocks
}

/** On the page as it is. */
function boxOf({ left, bottom, right, height, turn }: Line): readonly [number, number, number, number] {
  const back = turn === 90 ? 270 : turn === 270 ? 90 : turn
  const [a, b] = turned(back, left, bottom)
  const [c, d] = turned(back, right, bottom + height)
  return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]
}

/** A word that a hyphen divides at the end of a line is put together again. */
function joined(block: Block, line: Line): Block {
  const isDivided = /\p{Ll}-$/u.test(block.text) && /^\p{Ll}/u.test(line.text)
  const text = isDivided ? block.text.slice(0, -1) + line.text : `${block.text} ${line.text}`
  const [a, b, c, d] = block.box ?? boxOf(line)
  const [e, f, g, h] = boxOf(line)
  return { ...block, text, box: [Math.min(a, e), Math.min(b, f), Math.max(c, g), Math.max(d, h)] }
}

const startsParagraph = (before: Line, line: Line) => {
  const step = before.bottom - line.bottom
  const height = Math.max(before.height, line.height, 1)
  if (before.turn !== line.turn || before.isField === true || line.isField === true) return true
  // A step up begins a new column.
  return step > height * 1.8 || step < -height || /^(?:[•◦▪–-]|\d+[.)])\s/.test(line.text)
}

const continuesHeading = (before: Line, line: Line) =>
  Math.abs(before.height - line.height) < 0.5 &&
  before.bottom - line.bottom < line.height * 2 &&
  before.bottom > line.bottom

function levelOf(line: Line, sizes: readonly number[], titles: ReadonlyMap<string, number>): number | undefined {
  if (line.text.length > MAX_HEADING_CHARACTERS) return undefined
  const named = titles.get(`${line.page}:${plain(line.text)}`)
  if (named !== undefined) return named
  const rank = sizes.indexOf(rounded(line.height))
  return rank >= 0 && /\p{L}/u.test(line.text) ? rank + 1 : undefined
}

const plain = (text: string) => text.toLowerCase().replaceAll(/^[\d.\s]+|[^\p{L}\p{N}]+/gu, '')

const titlesByPage = (outline: readonly PdfOutlineItem[]) =>
  new Map(
    outline
      .filter(({ page, title }) => page !== undefined && plain(title) !== '')
      .map(({ page, title, level }) => [`${page}:${plain(title)}`, level]),
  )

const rounded = (height: number) => Math.round(height * 2) / 2

/** The height in which most letters are set. */
function bodyHeight(pages: readonly (readonly Line[])[]): number {
  const letters = new Map<number, number>()
  for (const { height, text } of pages.flat().filter((line) => line.height > 0))
    letters.set(rounded(height), (letters.get(rounded(height)) ?? 0) + text.length)
  return [...letters].reduce((best, next) => (next[1] > best[1] ? next : best), [0, 0])[0]
}

/** Larger heights, the largest first, of which too many letters are not set. */
function headingSizes(pages: readonly (readonly Line[])[], body: number): number[] {
  const sizes = pages.flat().map(({ height }) => rounded(height))
  return [...new Set(sizes)].filter((size) => body > 0 && size >= body * HEADING_FACTOR).toSorted((a, b) => b - a)
}

/** A number of a page, alone or as "Page 3 of 12". */
const PAGE_NUMBER = /^[-–\s]*(?:\p{L}{1,6}\.?\s*)?\d+(?:\s*(?:\/|\p{L}{2,4})\s*\d+)?[-–\s]*$/u

/** Only the outermost lines of a page may be running heads: tables and forms repeat words at the same place too. */
function withoutRunningHeads(pages: readonly (readonly Line[])[]): Line[][] {
  const textOf = ({ text }: Line) => (PAGE_NUMBER.test(text) ? text.replaceAll(/\d+/g, '#') : text)
  const placeOf = (line: Line) => `${Math.round(line.bottom)}:${textOf(line)}`
  const outer = pages.map((lines) => {
    const heights = lines.map(({ bottom }) => bottom).toSorted((a, b) => a - b)
    const low = heights[OUTER_LINES - 1] ?? 0
    const high = heights.at(-OUTER_LINES) ?? 0
    return lines.filter(({ bottom, text }) => (bottom <= low || bottom >= high) && text.length < 120)
  })
  const counts = new Map<string, number>()
  for (const lines of outer)
    for (const place of new Set(lines.map(placeOf))) counts.set(place, (counts.get(place) ?? 0) + 1)
  const isRepeated = (line: Line) => (counts.get(placeOf(line)) ?? 0) >= pages.length * REPEATED_SHARE
  const heads = new Set(pages.length < 4 ? [] : outer.flat().filter(isRepeated))
  return pages.map((lines) => lines.filter((line) => !heads.has(line)))
}
