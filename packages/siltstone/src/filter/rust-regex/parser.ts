/**
 * The syntax of Rust's `regex` crate (`regex-syntax` 0.8, which Chroma uses), Unicode by default. It has no look-around and
 * no back-references. Errors have the words of that crate.
 *
 * Whether a repetition is greedy, and what a group captures, makes no difference to whether a text matches, so both are
 * checked and forgotten.
 */
import { invalid } from '../../errors.ts'
import { classOf, alternativesOf, EMPTY, groupOf, hasBytes, type Node, repeatOf, sequenceOf } from './tree.ts'
import { type CharSet, complement, EVERYTHING } from './char-set.ts'
import { parseClass } from './classes.ts'
import { foldedSet, INVALID_UTF8, parsePrimitive } from './escapes.ts'
import { type Flags, isWhiteSpace, Source } from './source.ts'
import type { Span } from './syntax-error.ts'

/** Nested syntax: groups, repetitions, alternatives, sequences and classes. */
const MAX_DEPTH = 250
const MAX_COUNT = 0xffff_ffff
const FLAGS: Readonly<Record<string, keyof Flags | undefined>> = {
  i: 'ignoresCase',
  m: 'multiLine',
  s: 'dotMatchesAll',
  R: 'crlf',
  u: 'unicode',
  x: 'verbose',
  U: undefined,
}
const NO_LINE_FEED = complement([0x0a, 0x0a])
const NO_LINE_END = complement([0x0a, 0x0a, 0x0d, 0x0d])

/** A node, and how deep its syntax is nested. `isFlags`: `(?i)`, which cannot be repeated. */
interface Item {
  node: Node
  depth: number
  isFlags?: boolean
}

/** @throws SiltstoneError `invalid` regex-syntax */
export function parsePattern(pattern: string): Node {
  const source = new Source(pattern.toWellFormed())
  const { node, depth } = new Parser(source).alternatives(MAX_DEPTH)
  if (depth > MAX_DEPTH) source.fail(tooDeep, { start: 0, end: source.chars.length })
  source.failNow()
  if (hasBytes(node)) throw invalid('regex-syntax', 'Byte pattern is not allowed', { field: 'where_document' })
  return node
}

const tooDeep = `exceed the maximum number of nested parentheses/brackets (${MAX_DEPTH})`

class Parser {
  readonly #source: Source
  readonly #names = new Map<string, Span>()

  constructor(source: Source) {
    this.#source = source
  }

  /** @param opened the parenthesis of the group that is parsed; undefined for the whole pattern */
  alternatives(most: number, opened?: Span): Item {
    const source = this.#source
    const branches: Item[] = []
    let items: Item[] = []
    for (;;) {
      source.space()
      const { char } = source
      if (char === '|' || char === ')' || source.atEnd) {
        if (char === ')' && !opened) source.fail('unopened group', source.charSpan)
        if (source.atEnd && opened) source.fail('unclosed group', opened)
        branches.push(sequence(items))
        items = []
        if (char !== '|') break
        source.bump()
      } else if (char === '(') items.push(this.#group(most))
      else if (char === '*' || char === '+' || char === '?') items.push(this.#repetition(items))
      else if (char === '{') items.push(this.#counted(items))
      else if (char === '[') items.push(bracketed(source, most))
      else items.push({ node: single(source), depth: 0 })
    }
    if (branches.length === 1) return branches[0] as Item
    return {
      node: alternativesOf(branches.map(({ node }) => node)),
      depth: 1 + branches.reduce((deepest, { depth }) => Math.max(deepest, depth), 0),
    }
  }

  #group(most: number): Item {
    const source = this.#source
    const opened = source.charSpan
    source.bump()
    source.space()
    for (const prefix of ['?=', '?!', '?<=', '?<!'])
      if (source.bumpIf(prefix))
        source.fail(
          'look-around, including look-ahead and look-behind, is not supported',
          source.spanFrom(opened.start),
        )
    const start = source.at
    const before = source.flags
    let captures = true
    if (source.bumpIf('?P<') || source.bumpIf('?<')) this.#name()
    else if (source.bumpIf('?')) {
      if (source.atEnd) source.fail('unclosed group', opened)
      captures = false
      const flags = this.#flags()
      const isGroup = source.is(':')
      source.bump()
      if (!isGroup) {
        if (flags === undefined) source.fail('repetition operator missing expression', { start, end: start })
        source.flags = flags ?? before
        return { node: EMPTY, depth: 0, isFlags: true }
      }
      source.flags = flags ?? before
    }
    if (most <= 0) source.fail(tooDeep, opened)
    const { node, depth } = this.alternatives(most - 1, opened)
    source.flags = before
    source.bump()
    return { node: captures ? groupOf(node) : node, depth: depth + 1 }
  }

  #name(): void {
    const source = this.#source
    const start = source.at
    while (!source.atEnd && !source.is('>')) {
      const allowed = source.at === start ? /^[_\p{Alphabetic}]$/u : /^[_.[\]\p{Alphabetic}\p{N}]$/u
      if (!allowed.test(source.char)) source.fail('invalid capture group character', source.charSpan)
      source.bump()
    }
    if (source.atEnd) source.fail('unclosed capture group name', source.spanFrom(source.at))
    const span = source.spanFrom(start)
    source.bump()
    if (span.start === span.end) source.fail('empty capture group name', span)
    const name = source.chars.slice(span.start, span.end).join('')
    const original = this.#names.get(name)
    if (original) source.fail('duplicate capture group name', span, original)
    this.#names.set(name, span)
  }

  /** @returns the flags in force after those that are written; undefined if none are */
  #flags(): Flags | undefined {
    const source = this.#source
    const flags = { ...source.flags }
    const seen = new Map<string, Span>()
    let dangling: Span | undefined
    while (!source.is(':') && !source.is(')')) {
      const { char, charSpan: span } = source
      if (char !== '-' && !Object.hasOwn(FLAGS, char)) source.fail('unrecognized flag', span)
      const original = seen.get(char)
      if (original) source.fail(char === '-' ? 'flag negation operator repeated' : 'duplicate flag', span, original)
      const flag = FLAGS[char]
      if (flag) flags[flag] = !seen.has('-')
      seen.set(char, span)
      dangling = char === '-' ? span : undefined
      if (!source.bump()) source.fail('expected flag but got end of regex', source.spanFrom(source.at))
    }
    if (dangling) source.fail('dangling flag negation operator', dangling)
    return seen.size === 0 ? undefined : flags
  }

  /** Takes what is repeated from the items. */
  #repeated(items: Item[]): Item {
    const item = items.pop()
    // Sooner than for other syntax, so that what is repeated can be looked into without exhausting the stack.
    if (item && item.depth >= MAX_DEPTH) this.#source.fail(tooDeep, this.#source.charSpan)
    if (!item || item.isFlags) {
      return this.#source.fail('repetition operator missing expression', this.#source.spanFrom(this.#source.at))
    }
    return item
  }

  #repetition(items: Item[]): Item {
    const source = this.#source
    const { node, depth } = this.#repeated(items)
    const { char } = source
    if (source.bump() && source.is('?')) source.bump()
    const most = char === '?' ? 1 : Number.POSITIVE_INFINITY
    return { node: repeatOf(node, char === '+' ? 1 : 0, most), depth: depth + 1 }
  }

  #counted(items: Item[]): Item {
    const source = this.#source
    const start = source.at
    const { node, depth } = this.#repeated(items)
    const unclosed = () => source.fail('unclosed counted repetition', source.spanFrom(start))
    if (!source.bumpAndSpace()) unclosed()
    const least = this.#decimal()
    if (source.atEnd) unclosed()
    const need = (count: Decimal) => ('problem' in count ? source.fail(count.problem, count.span) : count.value)
    let range: [number, number]
    if (source.is(',')) {
      if (!source.bumpAndSpace()) unclosed()
      // `{,3}` is refused for its missing start, before its end is read.
      const from = need(least)
      range = [from, source.is('}') ? Number.POSITIVE_INFINITY : need(this.#decimal())]
    } else range = [need(least), need(least)]
    if (!source.is('}')) unclosed()
    if (source.bumpAndSpace() && source.is('?')) source.bump()
    if (range[0] > range[1]) {
      source.fail('invalid repetition count range, the start must be <= the end', source.spanFrom(start))
    }
    return { node: repeatOf(node, ...range), depth: depth + 1 }
  }

  /** A mistake in the first number is reported only if the braces are closed. */
  #decimal(): Decimal {
    const source = this.#source
    while (!source.atEnd && isWhiteSpace(source.char)) source.bump()
    const start = source.at
    let digits = ''
    while (/^[0-9]$/.test(source.char)) {
      digits += source.char
      source.bumpAndSpace()
    }
    const span = source.spanFrom(start)
    while (!source.atEnd && isWhiteSpace(source.char)) source.bumpAndSpace()
    if (digits === '') return { problem: 'repetition quantifier expects a valid decimal', span }
    const value = Number(digits)
    return value > MAX_COUNT ? { problem: 'decimal literal invalid', span } : { value }
  }
}

type Decimal = { value: number } | { problem: string; span: Span }

function sequence(items: readonly Item[]): Item {
  if (items.length === 1) return { node: (items[0] as Item).node, depth: (items[0] as Item).depth }
  const depth = items.reduce((most, item) => Math.max(most, item.depth), 0)
  return { node: sequenceOf(items.map(({ node }) => node)), depth: items.length === 0 ? 0 : depth + 1 }
}

function bracketed(source: Source, most: number): Item {
  const { set, depth } = parseClass(source, most)
  return { node: classOf(set, !source.flags.unicode), depth }
}

function single(source: Source): Node {
  const { flags } = source
  const primitive = parsePrimitive(source)
  switch (primitive.kind) {
    case 'look':
      return { kind: 'look', look: primitive.look, ascii: !flags.unicode && /word/.test(primitive.look) }
    case 'set':
      return classOf(primitive.set, !flags.unicode)
    case 'dot':
      if (!flags.unicode) source.failLater(INVALID_UTF8, primitive.span)
      return classOf(dotSet(flags))
    case 'literal': {
      const point = primitive.char.codePointAt(0) as number
      if (!flags.unicode && primitive.isByte && point > 0x7f) source.failLater(INVALID_UTF8, primitive.span)
      return classOf(flags.ignoresCase ? foldedSet(source, [point, point]) : [point, point], !flags.unicode)
    }
  }
}

function dotSet({ dotMatchesAll, crlf }: Flags): CharSet {
  return dotMatchesAll ? EVERYTHING : crlf ? NO_LINE_END : NO_LINE_FEED
}
