/**
 * Phrases: words that follow one another in a text, compared as terms, so without the difference of case and of English
 * endings. Punctuation between words does not count; stop words do.
 */
import { type Analyzer, documentAnalyzer } from './analyzer.ts'

export class Phrase {
  /** In order; at least one. */
  readonly terms: readonly string[]
  readonly #analyzer: Analyzer
  /** For each term: how much of the phrase still matches when the next word does not (Knuth, Morris and Pratt 1977). */
  readonly #shorter: readonly number[]

  private constructor(analyzer: Analyzer, terms: readonly string[]) {
    this.#analyzer = analyzer
    this.terms = terms
    const shorter = [0]
    for (let i = 1, length = 0; i < terms.length; i++) {
      while (length > 0 && terms[i] !== terms[length]) length = shorter[length - 1] as number
      if (terms[i] === terms[length]) length++
      shorter.push(length)
    }
    this.#shorter = shorter
  }

  /** @returns undefined if the text has no word */
  static of(text: string, analyzer: Analyzer = documentAnalyzer()): Phrase | undefined {
    const terms: string[] = []
    analyzer.each(text, (term) => terms.push(term))
    return terms.length === 0 ? undefined : new Phrase(analyzer, terms)
  }

  isIn(text: string): boolean {
    const { terms } = this
    let matched = 0
    let found = false
    this.#analyzer.each(text, (term) => {
      if (found) return
      while (matched > 0 && term !== terms[matched]) matched = this.#shorter[matched - 1] as number
      if (term === terms[matched]) matched++
      found = matched === terms.length
    })
    return found
  }
}
