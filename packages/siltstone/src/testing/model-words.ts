/** BM25 by the plainest computation: every document is cut into words again, every statistic counted. */
import { Analyzer } from '../text/analyzer.ts'
import { keyOfTerm } from '../word-index/count-terms.ts'

const known = new Map<string, ReadonlyMap<string, number>>()

/** The terms of a text, each with how often it occurs. */
function termsOf(text: string): ReadonlyMap<string, number> {
  let terms = known.get(text)
  if (!terms) {
    const counts = new Map<string, number>()
    Analyzer.of('english').each(text, (term) => counts.set(term, (counts.get(term) ?? 0) + 1))
    if (known.size > 50_000) known.clear()
    known.set(text, (terms = counts))
  }
  return terms
}

const lengthOf = (terms: ReadonlyMap<string, number>) => [...terms.values()].reduce((sum, count) => sum + count, 0)

export const modelIdf = (all: number, having: number): number => Math.log1p((all - having + 0.5) / (having + 0.5))

/** @returns for each document its score, undefined where it shares no word with the text */
export function modelWordScores(documents: readonly (string | null)[], text: string): (number | undefined)[] {
  const all = documents.map((document) => (document === null ? undefined : termsOf(document)))
  const there = all.filter((terms) => terms !== undefined)
  const total = there.reduce((sum, terms) => sum + lengthOf(terms), 0)
  const query = [...Analyzer.of('english').query(text)]
    .sort(([a], [b]) => keyOfTerm(a) - keyOfTerm(b))
    .map(([term, count]) => {
      const having = there.filter((terms) => terms.has(term)).length
      return { term, weight: count * modelIdf(there.length, having) * (1.2 + 1) }
    })
  return all.map((terms) => {
    let sum = 0
    let shares = false
    for (const { term, weight } of query) {
      const frequency = terms?.get(term)
      if (frequency === undefined || !terms) continue
      shares = true
      sum +=
        (weight * frequency) / (frequency + 1.2 * (1 - 0.75) + ((1.2 * 0.75 * there.length) / total) * lengthOf(terms))
    }
    return shares ? Math.fround(1 - sum) : undefined
  })
}
