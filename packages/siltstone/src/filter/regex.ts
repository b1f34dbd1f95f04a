/**
 * Regular expressions of filters: the syntax and the meaning of Rust's `regex` crate, which Chroma uses, in time linear in
 * the document. Patterns are untrusted, so the size of their text and of their program is limited before they are compiled.
 *
 * The engine is our own since no other that runs without Node has this meaning (Unicode's `\b`, classes with operators),
 * and a filter needs less than other engines do: it asks whether there is a match, not where.
 */
import { utf8Length } from '#codec'
import { loadRegexEngine, regexEngine } from '#regex'
import { LruMap } from '../lru.ts'
import type { Node } from './rust-regex/index.ts'

/** True when the text contains a match. */
export type RegexTest = (text: string) => boolean

export const MAX_PATTERN_BYTES = 16 * 1024
const MAX_CACHED = 64

/** Call it before a filter that may hold a pattern is parsed, in a program that runs without Node. */
export async function loadRegexFor(...filters: readonly unknown[]): Promise<void> {
  const text = JSON.stringify(filters, (_, part: unknown) => (typeof part === 'bigint' ? 0 : part))
  if (/"\$(?:not_)?regex"/.test(text)) await loadRegexEngine()
}

const cache = new LruMap<string, RegexTest>(MAX_CACHED)

/** @throws SiltstoneError `invalid` regex-syntax, also for a pattern that is too large; its `field` is where_document */
export function compileRegex(pattern: string): RegexTest {
  const cached = cache.get(pattern)
  if (cached) return cached
  const { Matcher, programOf } = regexEngine()
  const matcher = new Matcher(programOf(parseRegex(pattern)))
  const test: RegexTest = (text) => matcher.test(text)
  cache.set(pattern, test)
  return test
}

/** @throws SiltstoneError `invalid` regex-syntax, also for a pattern that is too large */
export function parseRegex(pattern: string): Node {
  const { parsePattern, regexError } = regexEngine()
  const sizeBytes = utf8Length(pattern)
  if (sizeBytes > MAX_PATTERN_BYTES) {
    throw regexError(`the pattern has ${sizeBytes} bytes, at most ${MAX_PATTERN_BYTES} are allowed`)
  }
  return parsePattern(pattern)
}
