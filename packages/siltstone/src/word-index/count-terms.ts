import type { Analyzer } from '../text/analyzer.ts'
import { wordKey } from './keys.ts'

/** Keys of terms, by the term: hashing one costs more than looking it up. */
let known = new Map<string, number>()
const KNOWN_TERMS = 200_000

export function keyOfTerm(term: string): number {
  let key = known.get(term)
  if (key === undefined) {
    if (known.size >= KNOWN_TERMS) known = new Map()
    key = wordKey(term)
    known.set(term, key)
  }
  return key
}

/** Calls `take` once for each different term of a document. @returns the number of its words */
export function countTerms(analyzer: Analyzer, document: string, take: (key: number, count: number) => void): number {
  const counts = new Map<number, number>()
  let length = 0
  analyzer.each(document, (term) => {
    length++
    const key = keyOfTerm(term)
    counts.set(key, (counts.get(key) ?? 0) + 1)
  })
  for (const [key, count] of counts) take(key, count)
  return length
}
