/**
 * The texts that each match of a regular expression contains (after Cox, "Regular expression matching with a trigram
 * index", 2012). For each part of the expression that is either the list of all strings that it matches, as long as they
 * are few, or a query for the texts that its matches contain.
 */
import { parseRegex } from '../filter/regex.ts'
import { type CharSet, sizeOf } from '../filter/rust-regex/char-set.ts'
import type { Node } from '../filter/rust-regex/index.ts'
import { ALL, allOf, anyOf, type TextQuery, textOf } from './text-query.ts'

/** A part that matches more strings than this is described by a query. */
const MOST_STRINGS = 32
/** The longest string, in UTF-16 code units. */
const MOST_UNITS = 1_024
/** A query with more texts is not used. */
const MOST_TEXTS = 128
/** More repetitions than this add no useful texts. */
const MOST_REPEATS = 4

/** `strings`: all strings that the part matches. Otherwise `needs`: what its matches contain. */
type Known = { strings: readonly string[] } | { strings?: undefined; needs: TextQuery }

/** @throws SiltstoneError `invalid` regex-syntax */
export function regexQuery(pattern: string): TextQuery {
  const query = needsOf(known(parseRegex(pattern)))
  if (textsIn(query) <= MOST_TEXTS) return query
  // Each part of a conjunction rules out documents by itself.
  return query.kind === 'and' ? allOf(fewest(query.parts)) : ALL
}

function fewest(parts: readonly TextQuery[]): TextQuery[] {
  let texts = 0
  return parts.filter((part) => {
    const count = textsIn(part)
    const fits = texts + count <= MOST_TEXTS
    if (fits) texts += count
    return fits
  })
}

function textsIn(query: TextQuery): number {
  return 'parts' in query ? query.parts.reduce((sum, part) => sum + textsIn(part), 0) : 1
}

function needsOf(part: Known): TextQuery {
  return part.strings ? anyOf(part.strings.map(textOf)) : part.needs
}

function known(node: Node): Known {
  switch (node.kind) {
    case 'empty':
    case 'look':
      return { strings: [''] }
    case 'literal':
      return { strings: [node.text] }
    case 'class':
      return sizeOf(node.set) <= MOST_STRINGS ? { strings: charsOf(node.set) } : { needs: ALL }
    case 'alternatives':
      return alternatives(node.parts.map(known))
    case 'sequence':
    case 'repeat':
      return sequence(partsOf(node))
  }
}

function charsOf(set: CharSet): string[] {
  const chars: string[] = []
  for (let i = 0; i < set.length; i += 2) {
    for (let point = set[i] as number; point <= (set[i + 1] as number); point++) chars.push(String.fromCodePoint(point))
  }
  return chars
}

/** The parts of a sequence, nested ones flattened, so that the ends of a group are joined to its neighbours. */
function partsOf(node: Node): Known[] {
  if (node.kind === 'sequence') return node.parts.flatMap(partsOf)
  return node.kind === 'repeat' ? repeat(node) : [known(node)]
}

function alternatives(parts: readonly Known[]): Known {
  const strings = new Set<string>()
  for (const part of parts) for (const text of part.strings ?? []) strings.add(text)
  return parts.every((part) => part.strings !== undefined) && strings.size <= MOST_STRINGS
    ? { strings: [...strings] }
    : { needs: anyOf(parts.map(needsOf)) }
}

/** Joins neighbours to longer strings as long as these are few. */
function sequence(parts: readonly Known[]): Known {
  const needs: TextQuery[] = []
  let run: readonly string[] = ['']
  let isWhole = true
  for (const part of parts) {
    const joined = part.strings && join(run, part.strings)
    if (joined) {
      run = joined
      continue
    }
    isWhole = false
    needs.push(anyOf(run.map(textOf)))
    run = part.strings ?? ['']
    if (!part.strings) needs.push(part.needs)
  }
  return isWhole ? { strings: run } : { needs: allOf([...needs, anyOf(run.map(textOf))]) }
}

function join(heads: readonly string[], tails: readonly string[]): readonly string[] | undefined {
  if (heads.length * tails.length > MOST_STRINGS) return undefined
  const joined = new Set(heads.flatMap((head) => tails.map((tail) => head + tail)))
  return [...joined].some((text) => text.length > MOST_UNITS) ? undefined : [...joined]
}

function repeat({ part, least, most }: Node & { kind: 'repeat' }): Known[] {
  const unknown = { needs: ALL }
  if (least === 0) return [most === 1 ? alternatives([known(part), { strings: [''] }]) : unknown]
  const parts = partsOf(part)
  // Otherwise nested repetitions would grow exponentially.
  const once = parts.length > MOST_STRINGS ? [sequence(parts)] : parts
  const times = Array.from({ length: Math.min(least, MOST_REPEATS) }, () => once).flat()
  // A match begins and ends with these; nothing is known about its middle.
  return most === least && least <= MOST_REPEATS ? times : [...times, unknown, ...times]
}
