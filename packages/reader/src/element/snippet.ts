/** The part of a text that a hit shows, and which of its words were asked for. */

export interface Piece {
  text: string
  /** Whether it was asked for. */
  marked: boolean
}

export const SNIPPET_CHARACTERS = 180
/** Words are compared by this many first letters at most, so that forms of a word match. */
const STEM_LETTERS = 5
const WORD = /[\p{L}\p{N}]+/gu

/** Around the place where most of the words stand, whole words only. */
export function snippetOf(text: string, query: string, characters: number = SNIPPET_CHARACTERS): Piece[] {
  const stems = new Set([...query.matchAll(WORD)].map(([word]) => stemOf(word)))
  const words = [...text.matchAll(WORD)].map((match) => ({
    start: match.index,
    end: match.index + match[0].length,
    marked: stems.has(stemOf(match[0])),
  }))
  const { start, end } = windowOf(text, words, characters)
  const pieces: Piece[] = start > 0 ? [{ text: '… ', marked: false }] : []
  let at = start
  const push = (to: number, marked: boolean) => {
    if (to > at) pieces.push({ text: text.slice(at, to), marked })
    at = to
  }
  for (const word of words) {
    if (!word.marked || word.start < start || word.end > end) continue
    push(word.start, false)
    push(word.end, true)
  }
  push(end, false)
  if (end < text.length) pieces.push({ text: ' …', marked: false })
  return pieces
}

function stemOf(word: string): string {
  return word.toLowerCase().slice(0, STEM_LETTERS)
}

function windowOf(text: string, words: readonly { start: number; end: number; marked: boolean }[], characters: number) {
  if (text.length <= characters) return { start: 0, end: text.length }
  let best = { start: 0, marked: -1 }
  for (const first of words) {
    if (!first.marked && first !== words[0]) continue
    // Some words before the first marked one, so that it is read in its sentence.
    const start = words.findLast(({ start: one }) => one <= Math.max(0, first.start - characters / 4))?.start ?? 0
    const marked = words.filter((one) => one.marked && one.start >= start && one.end <= start + characters).length
    if (marked > best.marked) best = { start, marked }
  }
  const { start } = best
  const last = words.findLast(({ end }) => end <= start + characters)
  return { start, end: last && last.end > start ? last.end : whole(text, start + characters) }
}

/** Does not cut a pair of surrogates. */
function whole(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code < 0xe000 ? at + 1 : Math.min(at, text.length)
}
