/** What one character, escape or named class stands for, in and outside brackets. */
import { type CharSet, charSet, complement, EVERYTHING, has, NOTHING } from './char-set.ts'
import type { Source } from './source.ts'
import type { Span } from './syntax-error.ts'
import type { LookKind } from './tree.ts'
import { foldCase } from './unicode/case-folding.ts'
import { digitSet, propertySet, spaceSet, wordSet } from './unicode/properties.ts'

export type Primitive = { span: Span } & (
  | { kind: 'literal'; char: string; isByte: boolean }
  | { kind: 'look'; look: LookKind }
  | { kind: 'dot' }
  | { kind: 'set'; set: CharSet }
)

export const ASCII_CLASSES: Readonly<Record<string, CharSet>> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0x00, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0x00, 0x1f, 0x7f, 0x7f],
  digit: [0x30, 0x39],
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word: [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a],
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
}
const PERL: Readonly<Record<string, [unicode: () => CharSet, ascii: CharSet]>> = {
  d: [digitSet, ASCII_CLASSES.digit as CharSet],
  s: [spaceSet, ASCII_CLASSES.space as CharSet],
  w: [wordSet, ASCII_CLASSES.word as CharSet],
}
const CONTROLS: ReadonlyMap<string, string> = new Map(
  Object.entries({ a: '\u0007', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }),
)
const LOOKS: ReadonlyMap<string, LookKind> = new Map<string, LookKind>([
  ['A', 'text-start'],
  ['z', 'text-end'],
  ['b', 'word'],
  ['B', 'not-word'],
  ['<', 'word-start'],
  ['>', 'word-end'],
])
const WORD_LOOKS: ReadonlyMap<string, LookKind> = new Map<string, LookKind>([
  ['start', 'word-start'],
  ['end', 'word-end'],
  ['start-half', 'word-start-half'],
  ['end-half', 'word-end-half'],
])
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }
const MAX_CODE_POINT_DIGITS = 8

/** Problems of well-formed constructs. */
export const INVALID_UTF8 = 'pattern can match invalid UTF-8'
export const NO_UNICODE = 'Unicode not allowed here'
const EARLY_END = 'incomplete escape sequence, reached end of pattern prematurely'

/** @returns what stands at the position, which is behind it afterwards */
export function parsePrimitive(source: Source): Primitive {
  const { char, charSpan: span } = source
  if (char === '\\') return parseEscape(source)
  source.bump()
  if (char === '.') return { kind: 'dot', span }
  if (char === '^' || char === '$') return { kind: 'look', look: lineLook(source, char), span }
  return { kind: 'literal', char, isByte: false, span }
}

function lineLook({ flags }: Source, char: string): LookKind {
  const end = char === '^' ? 'start' : 'end'
  return flags.multiLine ? `${flags.crlf ? 'crlf' : 'line'}-${end}` : `text-${end}`
}

export function parseEscape(source: Source): Primitive {
  const start = source.at
  if (!source.bump()) source.fail(EARLY_END, source.spanFrom(start))
  const { char } = source
  if (/^[0-9]$/.test(char)) source.fail('backreferences are not supported', { start, end: source.at + 1 })
  if (Object.hasOwn(HEX_DIGITS, char)) {
    const literal = parseHex(source, char)
    return { kind: 'literal', ...literal, span: source.spanFrom(start) }
  }
  if (char === 'p' || char === 'P') return parseProperty(source, start)
  source.bump()
  const span = source.spanFrom(start)
  const perl = /^[dsw]$/i.test(char) ? PERL[char.toLowerCase()] : undefined
  if (perl) return { kind: 'set', set: perlSet(source, perl, char !== char.toLowerCase(), span), span }
  if (char < '\u0080' && !/^[0-9A-Za-z<>]$/.test(char)) return { kind: 'literal', char, isByte: false, span }
  const control = CONTROLS.get(char)
  if (control !== undefined) return { kind: 'literal', char: control, isByte: false, span }
  const look = LOOKS.get(char)
  if (look === undefined) return source.fail('unrecognized escape sequence', span)
  const special = char === 'b' && source.is('{') ? parseWordLook(source, start) : undefined
  return { kind: 'look', look: special ?? look, span: source.spanFrom(start) }
}

function perlSet(source: Source, [unicode, ascii]: [() => CharSet, CharSet], negated: boolean, span: Span): CharSet {
  if (source.flags.unicode) return negated ? complement(unicode()) : unicode()
  if (!negated) return ascii
  source.failLater(INVALID_UTF8, span)
  return EVERYTHING
}

/** `\b{start}` and its kind. @returns undefined for `\b{2}`, a repetition */
function parseWordLook(source: Source, start: number): LookKind | undefined {
  const brace = source.at
  if (!source.bumpAndSpace()) {
    source.fail(
      'found either the beginning of a special word boundary or a bounded repetition on a \\b with an opening brace, but no closing brace',
      source.spanFrom(start),
    )
  }
  const contents = source.at
  const isNamed = () => /^[A-Za-z-]$/.test(source.char)
  if (!isNamed()) {
    source.at = brace
    return undefined
  }
  let name = ''
  while (isNamed()) {
    name += source.char
    source.bumpAndSpace()
  }
  if (!source.is('}')) {
    source.fail(
      'special word boundary assertion is either unclosed or contains an invalid character',
      source.spanFrom(brace),
    )
  }
  const end = source.at
  source.bump()
  return (
    WORD_LOOKS.get(name) ??
    source.fail('unrecognized special word boundary assertion, valid choices are: start, end, start-half or end-half', {
      start: contents,
      end,
    })
  )
}

function parseHex(source: Source, kind: string): { char: string; isByte: boolean } {
  if (!source.bumpAndSpace()) source.fail(EARLY_END, source.spanFrom(source.at))
  const isBraced = source.is('{')
  const brace = source.at
  const start = isBraced ? brace + 1 : brace
  let digits = ''
  const take = () => {
    if (!/^[0-9a-fA-F]$/.test(source.char)) source.fail('invalid hexadecimal digit', source.charSpan)
    digits += source.char
  }
  if (isBraced) {
    while (source.bumpAndSpace() && !source.is('}')) take()
    if (source.atEnd) source.fail(EARLY_END, source.spanFrom(brace))
  } else {
    for (let i = 0; i < (HEX_DIGITS[kind] as number); i++) {
      if (i > 0 && !source.bumpAndSpace()) source.fail(EARLY_END, source.spanFrom(source.at))
      take()
    }
  }
  const end = source.at
  source.bumpAndSpace()
  if (digits === '') source.fail('hexadecimal literal empty', source.spanFrom(brace))
  const significant = digits.replace(/^0+/, '')
  const point = significant.length > MAX_CODE_POINT_DIGITS ? Number.POSITIVE_INFINITY : Number.parseInt(digits, 16)
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
    const span = { start, end: isBraced ? end : source.at }
    source.fail('hexadecimal literal is not a Unicode scalar value', span)
  }
  return { char: String.fromCodePoint(point), isByte: kind === 'x' && !isBraced }
}

function parseProperty(source: Source, start: number): Primitive {
  const isNegated = source.is('P')
  if (!source.bumpAndSpace()) source.fail(EARLY_END, source.spanFrom(source.at))
  let name = ''
  if (source.is('{')) {
    while (source.bumpAndSpace() && !source.is('}')) name += source.char
    if (source.atEnd) source.fail(EARLY_END, source.spanFrom(source.at))
    source.bump()
  } else {
    name = source.char
    if (name === '\\') source.fail('invalid Unicode character class', source.charSpan)
    source.bumpAndSpace()
  }
  const span = source.spanFrom(start)
  const [, key, operator, value] = /^([^]*?)(!=)([^]*)$/.exec(name) ??
    /^([^:]*)(:)([^]*)$/.exec(name) ??
    /^([^=]*)(=)([^]*)$/.exec(name) ?? ['', name]
  const negated = isNegated !== (operator === '!=')
  return { kind: 'set', set: namedSet(source, key ?? '', value, negated, span), span }
}

function namedSet(source: Source, name: string, value: string | undefined, negated: boolean, span: Span): CharSet {
  if (!source.flags.unicode) {
    source.failLater(NO_UNICODE, span)
    return NOTHING
  }
  const set = propertySet(name, value)
  if (typeof set === 'string') {
    source.failLater(set === 'name' ? 'Unicode property not found' : 'Unicode property value not found', span)
    return NOTHING
  }
  const folded = source.flags.ignoresCase ? foldCase(set) : set
  return negated ? complement(folded) : folded
}

/** The set with what is equal without regard to case; where Unicode is off, ASCII letters alone. */
export function foldedSet({ flags }: Source, set: CharSet): CharSet {
  if (flags.unicode) return foldCase(set)
  const added: number[] = []
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    if (has(set, upper)) added.push(upper + 0x20, upper + 0x20)
    if (has(set, upper + 0x20)) added.push(upper, upper)
  }
  return charSet([...set, ...added])
}
