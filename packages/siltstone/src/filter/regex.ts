/**
 * Regular expressions of filters: the syntax and the meaning of Rust's `regex` crate, which Chroma uses, in time linear in
 * the document. Patterns are untrusted, so the size of their text and of their program is limited before they are compiled.
 *
 * The engine is our own since no other that runs without Node has this meaning (Unicode's `\b`, classes with operators),
 * and a filter needs less than other engines do: it asks whether there is a match, not where.
 */
import { utf8Length } from '#codec'
import { LruMap } from '../lru.ts'
import { Matcher, type Node, parsePattern, programOf, regexError } from './rust-regex/index.ts'

/** True when the text contains a match. */
export type RegexTest = (text: string) => boolean

export const MAX_PATTERN_BYTES = 16 * 1024
const MAX_CACHED = 64

const cache = new LruMap<string, RegexTest>(MAX_CACHED)

/** @throws SiltstoneError `invalid` regex-syntax, also for a pattern that is too large; its `field` is where_document */
export function compileRegex(pattern: string): RegexTest {
  const cached = cache.get(pattern)
  if (cached) return cached
  const matcher = new Matcher(programOf(parseRegex(pattern)))
  const test: RegexTest = (text) => matcher.test(text)
  cache.set(pattern, test)
  return test
}

/** @throws SiltstoneError `invalid` regex-syntax, also for a pattern that is too large */
export function parseRegex(pattern: string): Node {
  const sizeBytes = utf8Length(pattern)
  if (sizeBytes > MAX_PATTERN_BYTES) {
    throw regexError(`the pattern has ${sizeBytes} bytes, at most ${MAX_PATTERN_BYTES} are allowed`)
  }
  return parsePattern(pattern)
}
