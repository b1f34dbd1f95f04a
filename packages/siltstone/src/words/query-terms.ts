/**
 * The terms of a query. A prefix, the last word of a text with a `*` behind it, stands for the most frequent of the words
 * that begin with it and for its own stem: these together count as one term, which a document has as often as it has any
 * of them.
 */
import type { View } from '../log/view.ts'
import type { KnownWord } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import { compareKeys } from '../ports/object-key.ts'
import type { Analyzer } from '../text/analyzer.ts'
import { fold, writtenWords } from '../text/words.ts'
import { keyOfTerm } from '../word-index/count-terms.ts'
import { dimensionKey } from '../word-index/keys.ts'
import type { TextSource } from '../word-index/word-source.ts'
import { LiveWords } from './live-words.ts'
import type { QueryTerm } from './score.ts'

/** The most words that a prefix stands for. */
export const MOST_EXPANSIONS = 100

export interface SparseQuery {
  /** Strictly ascending. */
  indices: readonly number[]
  values: readonly number[]
  /** Multiply values by the inverse document frequency of their dimension. Default false. */
  idf?: boolean
}

/** By dimension. */
export function dimensionsOf({ indices, values }: SparseQuery): QueryTerm[] {
  return indices.map((dimension, i) => ({ weight: values[i] as number, keys: [[dimensionKey(dimension)]] }))
}

/** A term of a text, and how the text writes it first. */
export interface TextTerm extends QueryTerm {
  word: string
}

/**
 * In the order in which a score adds them: by key in the first source, then in the next, the prefix last. A word that all
 * analyzers reduce to the same terms as another is the same term. One that is a stop word in the language of a source is not
 * looked for in it, unless the text has nothing else.
 */
export async function termsOf(
  text: string,
  sources: readonly TextSource[],
  view: View,
  pause: Pause,
): Promise<TextTerm[]> {
  const terms = new Map<string, TextTerm>()
  const { words, prefix } = writtenWords(text)
  const add = (isLeftOut: (analyzer: Analyzer, word: string) => boolean) => {
    for (const word of words) {
      const keys = sources.map(({ analyzer }) => {
        return isLeftOut(analyzer, word) ? [] : [keyOfTerm(analyzer.termOf(word))]
      })
      if (keys.every((own) => own.length === 0)) continue
      const name = JSON.stringify(keys)
      const known = terms.get(name)
      if (known) known.weight++
      else terms.set(name, { weight: 1, keys, word })
    }
  }
  add((analyzer, word) => analyzer.isStopWord(word))
  if (terms.size === 0 && prefix === undefined) add(() => false)
  const sorted = [...terms.values()].sort((a, b) => compareTerms(a, b))
  if (prefix === undefined) return sorted
  return [...sorted, { weight: 1, keys: await prefixKeys(prefix, sources, view, pause), word: `${prefix}*` }]
}

function compareTerms(a: QueryTerm, b: QueryTerm): number {
  for (const [i, [key = -1]] of a.keys.entries()) {
    const other = b.keys[i]?.[0] ?? -1
    if (key !== other) return key - other
  }
  return 0
}

/** For each source, the keys of all terms that a prefix stands for, ascending. */
async function prefixKeys(
  prefix: string,
  sources: readonly TextSource[],
  view: View,
  pause: Pause,
): Promise<number[][]> {
  const start = fold(prefix)
  const known = await Promise.all(sources.map((source) => LiveWords.of(view, source, pause).startingWith(start)))
  const counts = new Map<string, number>()
  for (const { word, documents } of known.flat()) counts.set(word, (counts.get(word) ?? 0) + documents)
  const all = Array.from(counts, ([word, documents]) => ({ word, documents }))
  const words = mostFrequent(all, MOST_EXPANSIONS)
  return sources.map(({ analyzer }) => {
    const terms = [analyzer.termOf(prefix), ...words.map(({ word }) => analyzer.termOf(word))]
    return [...new Set(terms.map(keyOfTerm))].sort((a, b) => a - b)
  })
}

/** The words that most documents have, equally frequent ones in byte order. */
export function mostFrequent(words: readonly KnownWord[], count: number): KnownWord[] {
  return words.toSorted((a, b) => b.documents - a.documents || compareKeys(a.word, b.word)).slice(0, count)
}
