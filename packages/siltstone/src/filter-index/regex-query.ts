/**
 * Texts that every match of a regular expression contains (after Cox, "Regular expression matching with a trigram index",
 * 2012): for each part of the expression either all strings that it matches, while they are few, or what it needs.
 */
import { parseRegex, type RegexNode } from './regex-tree.ts'
import { ALL, allOf, anyOf, type TextQuery, textOf } from './text-query.ts'

/** A part with more strings than this is known by what it needs. */
const MOST_STRINGS = 16
const MOST_UNITS = 1_024
/** More are not looked up. */
const MOST_TEXTS = 128
/** Repetitions beyond this add nothing that is looked up. */
const MOST_REPEATS = 4

/** `strings`: exactly what the part matches; left out: what it needs. */
type Known = { strings: readonly string[] } | { strings?: undefined; needs: TextQuery }

/** `all` for what is not understood: that is right, only slower. */
export function regexQuery(pattern: string): TextQuery {
  const tree = parseRegex(pattern)
  const query = tree ? needsOf(known(tree)) : ALL
  return textsIn(query) > MOST_TEXTS ? ALL : query
}

function textsIn(query: TextQuery): number {
  return 'parts' in query ? query.parts.reduce((sum, part) => sum + textsIn(part), 0) : 1
}

function needsOf(part: Known): TextQuery {
  return part.strings ? anyOf(part.strings.map(textOf)) : part.needs
}

function known(node: RegexNode): Known {
  switch (node.kind) {
    case 'literal':
      return { strings: [node.text] }
    case 'any':
      return { needs: ALL }
    case 'alternatives':
      return alternatives(node.parts.map(known))
    case 'sequence':
    case 'repeat':
      return sequence(partsOf(node))
  }
}

/** What follows one another, so that a group's ends are joined to its neighbours. */
function partsOf(node: RegexNode): Known[] {
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

/** Neighbours are joined to longer strings as long as there are few of them. */
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

function repeat({ part, least, most }: RegexNode & { kind: 'repeat' }): Known[] {
  const unknown = { needs: ALL }
  if (least === 0) return [most === 1 ? alternatives([known(part), { strings: [''] }]) : unknown]
  const parts = partsOf(part)
  // Else repetitions of repetitions would double with each.
  const once = parts.length > MOST_STRINGS ? [sequence(parts)] : parts
  const times = Array.from({ length: Math.min(least, MOST_REPEATS) }, () => once).flat()
  // What is in between is not known, but a match begins and ends with these.
  return most === least && least <= MOST_REPEATS ? times : [...times, unknown, ...times]
}
