/** Classes in brackets: ranges, named classes, nested classes, and the operators `&&`, `--` and `~~`. */
import {
  type CharSet,
  charSet,
  complement,
  difference,
  EVERYTHING,
  intersection,
  NOTHING,
  symmetricDifference,
} from './char-set.ts'
import { ASCII_CLASSES, foldedSet, INVALID_UTF8, NO_UNICODE, parseEscape, type Primitive } from './escapes.ts'
import type { Source } from './source.ts'
import type { Span } from './syntax-error.ts'

/** `depth` counts nested syntax as Rust does, for the limit of nesting. */
export interface ParsedClass {
  set: CharSet
  depth: number
}

const OPERATORS: Readonly<Record<string, (a: CharSet, b: CharSet) => CharSet>> = {
  '&&': intersection,
  '--': difference,
  '~~': symmetricDifference,
}

/** @param most the deepest nesting, at which recursion ends */
export function parseClass(source: Source, most: number): ParsedClass {
  const start = source.at
  if (most <= 0) source.fail('exceed the maximum number of nested parentheses/brackets (250)', source.charSpan)
  const operands = new Operands(source)
  const negated = open(source, start, operands)
  const opened = source.spanFrom(start)
  const unclosed = () => source.fail('unclosed character class', opened)
  for (;;) {
    source.space()
    if (source.atEnd) return unclosed()
    const operator = source.char + source.next
    if (source.is('[')) {
      const named = parseAsciiClass(source)
      const nested = named ? { set: named, depth: 0 } : parseClass(source, most - 1)
      operands.add(nested.set, nested.depth)
    } else if (source.is(']')) {
      source.bump()
      const { set, depth } = operands.result()
      return { set: finish(source, set, negated, source.spanFrom(start)), depth: depth + 1 }
    } else if (Object.hasOwn(OPERATORS, operator)) {
      source.bumpIf(operator)
      operands.apply(operator)
    } else operands.add(parseItem(source, unclosed))
  }
}

/** The operands of a class: `items` are those since the last operator. Operators are equal in rank and apply from the left. */
class Operands {
  readonly #source: Source
  #items: number[] = []
  #count = 0
  #depth = 0
  #left: { operator: string; set: CharSet; depth: number } | undefined

  constructor(source: Source) {
    this.#source = source
  }

  add(set: CharSet, depth = 0): void {
    for (const point of this.#source.charge(set)) this.#items.push(point)
    this.#count++
    this.#depth = Math.max(this.#depth, depth)
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  apply(operator: string): void {
    this.#left = { operator, ...this.result() }
    this.#items = []
    this.#count = 0
    this.#depth = 0
  }

  result(): ParsedClass {
    const right = { set: charSet(this.#items), depth: this.#depth + (this.#count > 1 ? 1 : 0) }
    if (!this.#left) return right
    const { operator, set, depth } = this.#left
    const fold = (one: CharSet) => (this.#source.flags.ignoresCase ? foldedSet(this.#source, one) : one)
    const combined = (OPERATORS[operator] as typeof intersection)(fold(set), fold(right.set))
    return { set: combined, depth: Math.max(depth, right.depth) + 1 }
  }
}

/** Passes the bracket, a negation, and the characters that are literal only here. @returns whether the class is negated */
function open(source: Source, start: number, operands: Operands): boolean {
  const go = (at?: number) => {
    if (!source.bumpAndSpace())
      source.fail('unclosed character class', at === undefined ? source.spanFrom(start) : { start, end: at })
  }
  go()
  const negated = source.is('^')
  if (negated) go()
  while (source.is('-')) {
    operands.add([0x2d, 0x2d])
    go(start)
  }
  if (operands.isEmpty && source.is(']')) {
    operands.add([0x5d, 0x5d])
    go()
  }
  return negated
}

function finish(source: Source, set: CharSet, negated: boolean, span: Span): CharSet {
  const folded = source.flags.ignoresCase ? foldedSet(source, set) : set
  if (!negated) return folded
  if (source.flags.unicode) return complement(folded)
  source.failLater(INVALID_UTF8, span)
  return EVERYTHING
}

function parseItem(source: Source, unclosed: () => never): CharSet {
  const first = parseMember(source)
  source.space()
  if (source.atEnd) return unclosed()
  const after = source.nextAfterSpace
  if (!source.is('-') || after === ']' || after === '-') {
    if (first.kind === 'set') return first.set
    if (first.kind === 'literal') return [pointOf(source, first), pointOf(source, first)]
    return source.fail('invalid escape sequence found in character class', first.span)
  }
  if (!source.bumpAndSpace()) return unclosed()
  const last = parseMember(source)
  if (first.kind !== 'literal') return source.fail('invalid range boundary, must be a literal', first.span)
  if (last.kind !== 'literal') return source.fail('invalid range boundary, must be a literal', last.span)
  const [from, to] = [first, last].map(({ char }) => char.codePointAt(0) as number) as [number, number]
  if (from > to) {
    const span = { start: first.span.start, end: last.span.end }
    source.fail('invalid character class range, the start must be <= the end', span)
  }
  return [pointOf(source, first), pointOf(source, last)]
}

function parseMember(source: Source): Primitive {
  if (source.is('\\')) return parseEscape(source)
  const { char, charSpan: span } = source
  source.bump()
  return { kind: 'literal', char, isByte: false, span }
}

function pointOf(source: Source, { char, isByte, span }: Primitive & { kind: 'literal' }): number {
  const point = char.codePointAt(0) as number
  if (!source.flags.unicode && point > 0x7f) source.failLater(isByte ? INVALID_UTF8 : NO_UNICODE, span)
  return point
}

/** `[:alpha:]` and its kind, within brackets. @returns undefined if it is none; the position is then unchanged */
function parseAsciiClass(source: Source): CharSet | undefined {
  const start = source.at
  const text = /^\[:(\^?)([^:]*):\]/.exec(source.chars.slice(start, start + 16).join(''))
  const name = text?.[2] ?? ''
  if (!text || !Object.hasOwn(ASCII_CLASSES, name)) return undefined
  source.bumpIf(text[0])
  return finish(source, ASCII_CLASSES[name] ?? NOTHING, text[1] === '^', source.spanFrom(start))
}
