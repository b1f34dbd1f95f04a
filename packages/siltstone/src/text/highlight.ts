/**
 * Shows where the words of a query stand in a text: the fragments of a given length that have the most different ones.
 *
 * Fragments are cut from the text's form NFKC, between words, and do not overlap. They are chosen one after another: the one
 * with the most different terms, then with the most words, then the first; each is filled up with what is around it.
 */
import type { HighlightFragment, HighlightRequest } from '../model/search.ts'
import { type Analyzer, documentAnalyzer, type QueryWords } from './analyzer.ts'
import { charactersOf, fold, isPairedCharacter, normalForm } from './words.ts'

/** `length` is exceeded by a single word that is longer, and by a few characters at the edges of the text. */
export type HighlightOptions = Pick<HighlightRequest, 'fragments' | 'length'>

/** What is shown: words with one of the terms, and words that begin with one of the prefixes. */
export interface WantedWords {
  terms: ReadonlySet<string>
  /** Without the difference of case. */
  prefixes: readonly string[]
  /** Those of the terms that are one character of a script that is cut into pairs: they are shown in pairs, too. */
  characters: ReadonlySet<string>
}

/** The words of some queries. */
export function wantedWords(queries: readonly QueryWords[], analyzer: Analyzer = documentAnalyzer()): WantedWords {
  const written = queries.flatMap(({ prefix }) => prefix ?? [])
  const terms = [...queries.flatMap(({ terms }) => [...terms.keys()]), ...written.map((it) => analyzer.termOf(it))]
  return {
    terms: new Set(terms),
    prefixes: written.map(fold),
    characters: new Set(terms.filter(isPairedCharacter)),
  }
}

interface Words {
  starts: number[]
  ends: number[]
  /** Of what is looked for: the word that it is, or is a character of; its term; its place. By start, then by end. */
  hits: { word: number; term: string; start: number; end: number }[]
}

interface Window {
  firstHit: number
  lastHit: number
  different: number
}

/** @returns the fragments in the order of the text; empty where it has none of the words */
export function highlight(
  text: string,
  { terms, prefixes, characters }: WantedWords,
  { fragments, length }: HighlightOptions,
  analyzer: Analyzer = documentAnalyzer(),
): HighlightFragment[] {
  const words: Words = { starts: [], ends: [], hits: [] }
  const isWanted = (term: string, word: string) =>
    terms.has(term) || prefixes.some((prefix) => fold(word).startsWith(prefix))
  const takeCharacters = (word: string, wordStart: number) => {
    let start = wordStart
    for (const character of charactersOf(word)) {
      const end = start + character.length
      const last = words.hits.at(-1)
      // A character is in two pairs, and both may have been looked for.
      if (characters.has(character) && (last === undefined || last.end < end))
        words.hits.push({ word: words.starts.length, term: character, start, end })
      start = end
    }
  }
  analyzer.each(text, (term, word, start, end) => {
    if (isWanted(term, word)) words.hits.push({ word: words.starts.length, term, start, end })
    else if (characters.size > 0) takeCharacters(word, start)
    words.starts.push(start)
    words.ends.push(end)
  })
  const normal = normalForm(text)
  const chosen: { start: number; end: number }[] = []
  for (const window of windowsOf(words, length)) {
    if (chosen.length >= fragments) break
    const place = filled(words, window, length, normal.length, chosen)
    if (place) chosen.push(place)
  }
  return chosen.sort((a, b) => a.start - b.start).map((place) => fragmentOf(normal, words, place))
}

/** For each hit the longest row of hits that begins with it and fits, the best first. */
function windowsOf({ starts, ends, hits }: Words, length: number): Window[] {
  const windows: Window[] = []
  const counts = new Map<string, number>()
  let lastHit = -1
  for (const [firstHit, { word, term }] of hits.entries()) {
    const start = starts[word] as number
    while (lastHit + 1 < hits.length) {
      const next = hits[lastHit + 1] as Words['hits'][number]
      if (lastHit >= firstHit && (ends[next.word] as number) - start > length) break
      counts.set(next.term, (counts.get(next.term) ?? 0) + 1)
      lastHit++
    }
    windows.push({ firstHit, lastHit, different: counts.size })
    const rest = (counts.get(term) as number) - 1
    if (rest === 0) counts.delete(term)
    else counts.set(term, rest)
  }
  const size = ({ firstHit, lastHit }: Window) => lastHit - firstHit
  return windows.sort((a, b) => b.different - a.different || size(b) - size(a) || a.firstHit - b.firstHit)
}

/** @returns undefined where it would overlap with what was chosen before */
function filled(
  { starts, ends, hits }: Words,
  { firstHit, lastHit }: Window,
  length: number,
  textLength: number,
  chosen: readonly { start: number; end: number }[],
): { start: number; end: number } | undefined {
  let first = (hits[firstHit] as Words['hits'][number]).word
  let last = (hits[lastHit] as Words['hits'][number]).word
  const before = Math.max(0, ...chosen.map(({ end }) => end).filter((end) => end <= (starts[first] as number)))
  const after = Math.min(
    textLength,
    ...chosen.map(({ start }) => start).filter((start) => start >= (ends[last] as number)),
  )
  if (chosen.some(({ start, end }) => start < (ends[last] as number) && end > (starts[first] as number)))
    return undefined
  const half = (length - ((ends[last] as number) - (starts[first] as number))) / 2
  const middleStart = starts[first] as number
  while (first > 0) {
    const start = starts[first - 1] as number
    if (start < before || middleStart - start > half) break
    first--
  }
  while (last + 1 < starts.length) {
    const end = ends[last + 1] as number
    if (end > after || end - (starts[first] as number) > length) break
    last++
  }
  // Near the end of the text there is room for more in front.
  while (first > 0 && (starts[first - 1] as number) >= before) {
    if ((ends[last] as number) - (starts[first - 1] as number) > length) break
    first--
  }
  const start = first === 0 && before === 0 && (starts[0] as number) <= 8 ? 0 : (starts[first] as number)
  const isEnd = last + 1 === starts.length && after === textLength && textLength - (ends[last] as number) <= 8
  return { start, end: isEnd ? textLength : (ends[last] as number) }
}

function fragmentOf(normal: string, { hits }: Words, place: { start: number; end: number }): HighlightFragment {
  const parts: HighlightFragment = []
  let at = place.start
  let markStart = -1
  let markEnd = -1
  const mark = () => {
    if (markStart < 0) return
    parts.push(normal.slice(at, markStart), normal.slice(markStart, markEnd))
    at = markEnd
  }
  for (const { start, end } of hits) {
    if (start < place.start || end > place.end) continue
    if (start < markEnd) {
      // Pairs of characters overlap.
      markEnd = end
      continue
    }
    mark()
    markStart = start
    markEnd = end
  }
  mark()
  parts.push(normal.slice(at, place.end))
  return parts
}
