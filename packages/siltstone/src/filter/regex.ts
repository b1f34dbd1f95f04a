/**
 * Regular expressions of filters, in RE2's syntax and with its promise: time linear in the document, no look-around,
 * no back-references. Patterns come from strangers, so their text and the size of their program are bounded before
 * anything is compiled.
 *
 * Differences to the Rust `regex` crate that Chroma uses: `\d \w \s \b` are ASCII, there is no `(?x)`, no class
 * arithmetic (`[a-z&&[^x]]`), and one repetition goes up to 1,000.
 */
import { utf8Length } from '#codec'
import { RE2JS } from 're2js'
import { invalid, type SiltstoneError } from '../errors.ts'

/** True when the text contains a match. */
export type RegexTest = (text: string) => boolean

export const MAX_PATTERN_BYTES = 16 * 1024
/** Instructions; a literal character is one. Matching costs at most this many steps per character of a document. */
export const MAX_PROGRAM_SIZE = 20_000
const MAX_CACHED = 256

const cache = new Map<string, RegexTest>()

/** @throws SiltstoneError `invalid` regex-syntax (also for a pattern that is too large), `field` = where_document */
export function compileRegex(pattern: string): RegexTest {
  const cached = cache.get(pattern)
  if (cached !== undefined) {
    cache.delete(pattern)
    cache.set(pattern, cached)
    return cached
  }
  const test = compile(pattern)
  cache.set(pattern, test)
  if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value ?? '')
  return test
}

function compile(pattern: string): RegexTest {
  const sizeBytes = utf8Length(pattern)
  if (sizeBytes > MAX_PATTERN_BYTES) {
    throw syntaxError(`the pattern has ${sizeBytes} bytes, at most ${MAX_PATTERN_BYTES} are allowed`)
  }
  if (estimateProgramSize(pattern) > MAX_PROGRAM_SIZE) {
    throw syntaxError(`the pattern's repetitions make a program of more than ${MAX_PROGRAM_SIZE} instructions`)
  }
  let regex: RE2JS
  try {
    regex = RE2JS.compile(pattern)
  } catch (cause) {
    throw syntaxError(cause instanceof Error ? cause.message : String(cause), cause)
  }
  return (text) => regex.test(text)
}

/** Chroma's own text has three r's, and clients compare texts. */
function syntaxError(detail: string, cause?: unknown): SiltstoneError {
  return invalid('regex-syntax', `Regex syntax errror: ${detail}`, { field: 'where_document', cause })
}

/**
 * An upper bound of the compiled size, from the text alone: every atom is one instruction, a group the sum of its
 * atoms, `{n,m}` multiplies what stands before it. Syntax errors are left to the parser.
 */
export function estimateProgramSize(pattern: string): number {
  const groups: number[] = []
  let total = 0
  let last = 0
  let i = 0
  while (i < pattern.length) {
    const char = pattern[i]
    const repeat = char === '{' ? /^\{(\d+)(?:,(\d*))?\}/.exec(pattern.slice(i, i + 24)) : null
    if (repeat !== null) {
      const times = Math.max(1, Number(repeat[1]), Number(repeat[2] ?? 0))
      total += last * times - last
      last *= times
      i += repeat[0].length
      continue
    }
    if (char === '(') {
      groups.push(total)
      total = 0
      last = 0
      i += 1
    } else if (char === ')') {
      last = total + 2
      total = (groups.pop() ?? 0) + last
      i += 1
    } else {
      const end = char === '[' ? endOfClass(pattern, i) : endOfAtom(pattern, i)
      // ? * + and | are an instruction or two beside what they repeat; a later {n} repeats both.
      last = char === '?' || char === '*' || char === '+' ? last + 1 : 1
      total += 1
      i = end
    }
  }
  return groups.reduce((sum, size) => sum + size, total)
}

function endOfAtom(pattern: string, start: number): number {
  if (pattern[start] !== '\\') return start + 1
  if (pattern[start + 1] === 'Q') {
    // \Q…\E quotes literal text; counting its characters as atoms is what it compiles to.
    return start + 2
  }
  const escape = /^\\(?:[pP]\{[^}]*\}|x\{[^}]*\}|.)/s.exec(pattern.slice(start, start + 64))
  return start + Math.max(1, escape?.[0].length ?? 1)
}

function endOfClass(pattern: string, start: number): number {
  let i = start + 1
  if (pattern[i] === '^') i += 1
  if (pattern[i] === ']') i += 1
  while (i < pattern.length && pattern[i] !== ']') {
    if (pattern[i] === '\\') i += 2
    else if (pattern.startsWith('[:', i)) i = Math.max(i + 2, pattern.indexOf(':]', i) + 2)
    else i += 1
  }
  return i + 1
}
