/** BM25 by the plainest computation: every document is cut into words again, every statistic counted. */
import type { DidYouMean, KnownWord, WordCorrection } from '../model/search.ts'
import { compareKeys } from '../ports/object-key.ts'
import { Analyzer } from '../text/analyzer.ts'
import { editDistance } from '../text/edit-distance.ts'
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

/** The words of all documents that begin with a text, and how many documents have each. */
export function modelKnownWords(documents: readonly (string | null)[], start: string): KnownWord[] {
  const counts = new Map<string, number>()
  for (const document of documents) {
    const own = new Set<string>()
    Analyzer.of('none').each(document ?? '', (word) => own.add(word.toWellFormed()))
    for (const word of own) counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return Array.from(counts, ([word, count]) => ({ word, documents: count }))
    .filter(({ word }) => word.startsWith(start))
    .sort((a, b) => b.documents - a.documents || compareKeys(a.word, b.word))
}

/** By the rules of `words/spelling.ts`, every word compared with every other. For texts of Latin letters. */
export function modelDidYouMean(documents: readonly (string | null)[], text: string): DidYouMean | null {
  const there = documents.filter((document) => document !== null)
  const english = Analyzer.of('english')
  const known = modelKnownWords(documents, '')
  const words: WordCorrection[] = []
  const written = text.match(/[a-z]+(?![a-z]|\*$)/gi) ?? []
  const best = new Map<string, string>()
  for (const word of new Set(written.map((one) => one.toLowerCase()))) {
    if (word.length < 3) continue
    const first = written.find((one) => one.toLowerCase() === word) as string
    const own = there.filter((document) => termsOf(document).has(english.termOf(word))).length
    if (own * 1_000 > there.length) continue
    const suggestions = known
      .flatMap((one) => {
        const distance = editDistance(Array.from(word), Array.from(one.word), word.length < 6 ? 1 : 2)
        const isLike = /^[a-z]+$/.test(one.word) && one.word[0] === word[0] && distance <= (word.length < 6 ? 1 : 2)
        const weight = one.documents / 100 ** distance
        return isLike && weight > own && english.termOf(one.word) !== english.termOf(word) ? [{ one, weight }] : []
      })
      .sort((a, b) => b.weight - a.weight || compareKeys(a.one.word, b.one.word))
      .slice(0, 5)
      .map(({ one }) => one)
    if (!suggestions[0]) continue
    words.push({ word: first, documents: own, suggestions })
    best.set(word, suggestions[0].word)
  }
  const replaced = text.replace(/[a-z]+(?![a-z]|\*$)/gi, (word) => best.get(word.toLowerCase()) ?? word)
  return words.length === 0 ? null : { text: replaced, words }
}

/** The terms of the 100 most frequent words that begin with the prefix, and its own. @param fields the texts of each */
function modelExpansions(fields: readonly (readonly (string | null)[])[], prefix: string): string[] {
  const english = Analyzer.of('english')
  const counts = new Map<string, number>()
  for (const texts of fields)
    for (const { word, documents } of modelKnownWords(texts, Analyzer.of('none').termOf(prefix)))
      counts.set(word, (counts.get(word) ?? 0) + documents)
  const words = Array.from(counts)
    .sort(([a, own], [b, other]) => other - own || compareKeys(a, b))
    .slice(0, 100)
  return [...new Set([prefix, ...words.map(([word]) => word)].map((word) => english.termOf(word)))]
}

/** In the order in which scores add them. */
function modelQuery(fields: readonly (readonly (string | null)[])[], text: string): { any: string[]; count: number }[] {
  const { terms: asked, prefix } = Analyzer.of('english').query(text)
  const query = [...asked]
    .sort(([a], [b]) => keyOfTerm(a) - keyOfTerm(b))
    .map(([term, count]) => ({ any: [term], count }))
  if (prefix !== undefined) query.push({ any: modelExpansions(fields, prefix), count: 1 })
  return query
}

const frequencyOf = (terms: ReadonlyMap<string, number> | undefined, any: readonly string[]): number =>
  any.reduce((total, term) => total + (terms?.get(term) ?? 0), 0)

/** @returns for each document its score, undefined where it shares no word with the text */
export function modelWordScores(documents: readonly (string | null)[], text: string): (number | undefined)[] {
  const all = documents.map((document) => (document === null ? undefined : termsOf(document)))
  const there = all.filter((terms) => terms !== undefined)
  const total = there.reduce((sum, terms) => sum + lengthOf(terms), 0)
  const weighted = modelQuery([documents], text).map(({ any, count }) => {
    const having = there.filter((terms) => any.some((term) => terms.has(term))).length
    return { any, weight: count * modelIdf(there.length, having) * (1.2 + 1) }
  })
  return all.map((terms) => {
    let sum = 0
    let shares = false
    for (const { any, weight } of weighted) {
      const frequency = frequencyOf(terms, any)
      if (frequency === 0 || !terms) continue
      shares = true
      sum +=
        (weight * frequency) / (frequency + 1.2 * (1 - 0.75) + ((1.2 * 0.75 * there.length) / total) * lengthOf(terms))
    }
    return shares ? Math.fround(1 - sum) : undefined
  })
}

/** BM25F. @param fields of each field, its weight and the texts of all records */
export function modelFieldScores(
  fields: readonly { weight: number; texts: readonly (string | null)[] }[],
  text: string,
): (number | undefined)[] {
  const records = (fields[0]?.texts ?? []).map((_, i) =>
    fields.map(({ texts }) => (typeof texts[i] === 'string' ? termsOf(texts[i]) : undefined)),
  )
  const there = records.filter((own) => own.some((terms) => terms))
  const perWord = fields.map((_, f) => {
    const own = records.map((record) => record[f]).filter((terms) => terms !== undefined)
    const total = own.reduce((sum, terms) => sum + lengthOf(terms), 0)
    return total === 0 ? 0 : 0.75 * (own.length / total)
  })
  const query = modelQuery(
    fields.map(({ texts }) => texts),
    text,
  )
  const weighted = query.map(({ any, count }) => {
    const having = there.filter((own) => own.some((terms) => frequencyOf(terms, any) > 0)).length
    return { any, weight: count * modelIdf(there.length, having) * (1.2 + 1) }
  })
  return records.map((own) => {
    let score = 0
    let shares = false
    for (const { any, weight } of weighted) {
      let sum = 0
      for (const [f, terms] of own.entries()) {
        const frequency = frequencyOf(terms, any)
        if (frequency === 0 || !terms) continue
        sum += ((fields[f]?.weight ?? 0) * frequency) / (1 - 0.75 + (perWord[f] ?? 0) * lengthOf(terms))
      }
      if (sum === 0) continue
      shares = true
      score += weight / (1 + 1.2 / sum)
    }
    return shares ? Math.fround(1 - score) : undefined
  })
}
