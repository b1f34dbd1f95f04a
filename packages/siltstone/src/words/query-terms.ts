/**
 * The terms of a query. A prefix, the last word of a text with a `*` behind it, stands for the most frequent of the words
 * that begin with it and for its own stem: these together count as one term, which a document has as often as it has any
 * of them.
 */
import type { View } from '../log/view.ts'
import type { KnownWord } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import { compareKeys } from '../ports/object-key.ts'
import { documentAnalyzer } from '../text/analyzer.ts'
import { fold } from '../text/words.ts'
import { keyOfTerm } from '../word-index/count-terms.ts'
import { dimensionKey, WORD_KEYS } from '../word-index/keys.ts'
import { LiveWords } from './live-words.ts'
import type { QueryTerms } from './score.ts'

/** The most words that a prefix stands for. */
export const MOST_EXPANSIONS = 100

/** Behind the keys of all words. */
export const PREFIX_KEY = WORD_KEYS.size

export type WordQuery =
  | { kind: 'text'; text: string }
  | {
      kind: 'sparse'
      /** Strictly ascending. */
      indices: readonly number[]
      values: readonly number[]
      /** Multiply values by the inverse document frequency of their dimension. Default false. */
      idf?: boolean
    }

/** In the order in which a score adds them: documents by key, the prefix last; vectors by dimension. */
export async function termsOf(query: WordQuery, view: View, pause: Pause): Promise<QueryTerms> {
  if (query.kind === 'sparse') return { keys: query.indices.map(dimensionKey), weights: query.values }
  const byKey = new Map<number, number>()
  const { terms: words, prefix } = documentAnalyzer().query(query.text)
  for (const [term, count] of words) {
    const key = keyOfTerm(term)
    byKey.set(key, (byKey.get(key) ?? 0) + count)
  }
  const terms = [...byKey].sort(([a], [b]) => a - b)
  const keys = terms.map(([key]) => key)
  const weights = terms.map(([, count]) => count)
  if (prefix === undefined) return { keys, weights }
  return { keys: [...keys, PREFIX_KEY], weights: [...weights, 1], prefix: await prefixKeys(prefix, view, pause) }
}

/** The keys of all terms that a prefix stands for, ascending. */
async function prefixKeys(prefix: string, view: View, pause: Pause): Promise<number[]> {
  const analyzer = documentAnalyzer()
  const words = mostFrequent(await LiveWords.of(view, pause).startingWith(fold(prefix)), MOST_EXPANSIONS)
  const terms = [analyzer.termOf(prefix), ...words.map(({ word }) => analyzer.termOf(word))]
  return [...new Set(terms.map(keyOfTerm))].sort((a, b) => a - b)
}

/** The words that most documents have, equally frequent ones in byte order. */
export function mostFrequent(words: readonly KnownWord[], count: number): KnownWord[] {
  return words.toSorted((a, b) => b.documents - a.documents || compareKeys(a.word, b.word)).slice(0, count)
}
