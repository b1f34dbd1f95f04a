/**
 * The letters of a pattern: code points that none of its sets, and none of its conditions on words and lines, tells apart
 * are one letter.
 */
import { type CharSet, LAST_CODE_POINT } from './char-set.ts'
import { ASCII_CLASSES } from './escapes.ts'
import { regexError } from './syntax-error.ts'
import type { Look } from './tree.ts'
import { wordSet } from './unicode/properties.ts'

/** What conditions ask of a letter: bits. */
export const WORD = 1
export const ASCII_WORD = 2
export const LINE_FEED = 4
export const CARRIAGE_RETURN = 8
/** Instead of a letter: the start or the end of the text. */
export const EDGE = 16

/** The work to tell the letters apart: a range of code points that is met in one set counts as one. */
const MAX_WORK = 1_000_000
const PAGE = 256
/** Pages are made when text needs them, and all are forgotten when there are more. */
const MAX_PAGES = 512
const NO_LETTER = -1
const REPLACEMENT = 0xfffd

export class Alphabet {
  readonly size: number
  /** Bits by letter. */
  readonly traits: Uint8Array
  /** The first code point of each range, ascending, and the letter of the range. */
  readonly #starts: Uint32Array
  readonly #letters: Uint16Array
  /** By set: its letters as bits, or its only letter. */
  readonly #members: readonly (Uint8Array | number)[]
  readonly #pages = new Map<number, Uint16Array>()
  /** Letters of the first code points, which most texts consist of. */
  readonly #latin: Uint16Array

  constructor(
    starts: Uint32Array,
    letters: Uint16Array,
    members: readonly (Uint8Array | number)[],
    traits: Uint8Array,
  ) {
    this.size = traits.length
    this.traits = traits
    this.#starts = starts
    this.#letters = letters
    this.#members = members
    this.#latin = this.#page(0)
  }

  /** Whether the set with a number has the letter. */
  includes(set: number, letter: number): boolean {
    const members = this.#members[set] as Uint8Array | number
    if (typeof members === 'number') return members === letter
    return (((members[letter >> 3] as number) >> (letter & 7)) & 1) === 1
  }

  /** @param point a surrogate counts as U+FFFD, as which it is stored */
  letter(point: number): number {
    if (point < PAGE) return this.#latin[point] as number
    const known = point >= 0xd800 && point <= 0xdfff ? REPLACEMENT : point
    return this.#page(known >> 8)[known & 0xff] as number
  }

  #page(number: number): Uint16Array {
    const known = this.#pages.get(number)
    if (known) return known
    if (this.#pages.size >= MAX_PAGES) this.#pages.clear()
    const page = new Uint16Array(PAGE)
    let range = this.#rangeOf(number * PAGE)
    for (let i = 0; i < PAGE; i++) {
      if (this.#starts[range + 1] === number * PAGE + i) range++
      page[i] = this.#letters[range] as number
    }
    this.#pages.set(number, page)
    return page
  }

  #rangeOf(point: number): number {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#starts[middle] as number) <= point) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** @throws SiltstoneError `invalid` regex-syntax for sets that take too much work to tell apart */
export function alphabetOf(sets: readonly CharSet[], looks: readonly Look[]): Alphabet {
  const asked = traitSets(looks)
  const told = [...sets, ...asked.map(({ set }) => set)]
  const edges = new Set([0])
  for (const set of told) {
    for (let i = 0; i < set.length; i += 2) {
      edges.add(set[i] as number)
      if ((set[i + 1] as number) < LAST_CODE_POINT) edges.add((set[i + 1] as number) + 1)
    }
  }
  const starts = Uint32Array.from(edges).sort()
  const rangeAt = new Map(Array.from(starts, (start, range) => [start, range]))
  const letters = new Uint16Array(starts.length)
  /** The number of ranges of each letter. */
  const ranges = [starts.length]
  let work = 0
  for (const set of told) {
    const within = rangesWithin(set, rangeAt, starts.length)
    work += within.length
    if (work > MAX_WORK) throw regexError('the pattern has too many different character classes')
    divide(within, letters, ranges)
  }
  const count = ranges.length
  const members = sets.map((set) => {
    const within = rangesWithin(set, rangeAt, starts.length).map((range) => letters[range] as number)
    if (within.every((letter) => letter === within[0])) return within[0] ?? NO_LETTER
    const bits = new Uint8Array((count + 7) >> 3)
    for (const letter of within) bits[letter >> 3] = (bits[letter >> 3] as number) | (1 << (letter & 7))
    return bits
  })
  const traits = new Uint8Array(count)
  for (const { set, trait } of asked) {
    for (const range of rangesWithin(set, rangeAt, starts.length)) {
      const letter = letters[range] as number
      traits[letter] = (traits[letter] as number) | trait
    }
  }
  return new Alphabet(starts, letters, members, traits)
}

/** Gives the ranges new letters where their letters have other ranges too. */
function divide(within: readonly number[], letters: Uint16Array, ranges: number[]): void {
  const met = new Map<number, number>()
  for (const range of within) met.set(letters[range] as number, (met.get(letters[range] as number) ?? 0) + 1)
  const renamed = new Map<number, number>()
  for (const [letter, count] of met) {
    const others = (ranges[letter] as number) - count
    if (others === 0) continue
    renamed.set(letter, ranges.length)
    ranges[letter] = others
    ranges.push(count)
  }
  for (const range of within) letters[range] = renamed.get(letters[range] as number) ?? (letters[range] as number)
}

function rangesWithin(set: CharSet, rangeAt: ReadonlyMap<number, number>, count: number): number[] {
  const within: number[] = []
  for (let i = 0; i < set.length; i += 2) {
    const end = rangeAt.get((set[i + 1] as number) + 1) ?? count
    for (let range = rangeAt.get(set[i] as number) as number; range < end; range++) within.push(range)
  }
  return within
}

function traitSets(looks: readonly Look[]): { set: CharSet; trait: number }[] {
  const words = looks.filter(({ look }) => look.includes('word'))
  const lines = looks.some(({ look }) => look.startsWith('line') || look.startsWith('crlf'))
  return [
    ...(words.some(({ ascii }) => !ascii) ? [{ set: wordSet(), trait: WORD }] : []),
    ...(words.some(({ ascii }) => ascii) ? [{ set: ASCII_CLASSES.word as CharSet, trait: ASCII_WORD }] : []),
    ...(lines ? [{ set: [0x0a, 0x0a], trait: LINE_FEED }] : []),
    ...(lines ? [{ set: [0x0d, 0x0d], trait: CARRIAGE_RETURN }] : []),
  ]
}
