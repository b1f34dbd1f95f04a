/** Counts the terms of documents, for building an index. A word that occurred before costs no look-up of its term. */
import type { Analyzer } from '../text/analyzer.ts'
import { WordTable } from '../text/word-table.ts'
import { eachPlace, fold, normalForm } from '../text/words.ts'
import type { WordCounter } from './dictionary/word-counter.ts'
import { wordKey } from './keys.ts'

/** The most words in memory: about 100 bytes each. */
const MOST_WORDS = 200_000
const FIRST_WORDS = 1 << 11

export class TermCounter {
  readonly #analyzer: Analyzer
  readonly #numberOf: (key: number) => number
  readonly #dictionary: WordCounter
  readonly #words = new WordTable()
  /** By number of the word: the number of its term. */
  #terms = new Int32Array(FIRST_WORDS)
  /** Its number in the dictionary. */
  #folded = new Int32Array(FIRST_WORDS)
  /** Of the document at hand, by number of term. */
  #counts = new Uint32Array(2 * FIRST_WORDS)
  #present = new Int32Array(256)

  /** @param numberOf gives the number of a term by its key; numbers are small @param dictionary counts words */
  constructor(analyzer: Analyzer, numberOf: (key: number) => number, dictionary: WordCounter) {
    this.#analyzer = analyzer
    this.#numberOf = numberOf
    this.#dictionary = dictionary
  }

  /** Forgets the numbers of terms and words. */
  clear(): void {
    this.#words.clear()
    this.#terms = new Int32Array(FIRST_WORDS)
    this.#folded = new Int32Array(FIRST_WORDS)
    this.#counts = new Uint32Array(2 * FIRST_WORDS)
  }

  /** Calls `take` once for each different term of a row's document, with its number. @returns the number of words */
  count(row: number, document: string, take: (term: number, count: number) => void): number {
    if (this.#words.size >= MOST_WORDS) this.clear()
    const normal = normalForm(document)
    let length = 0
    let different = 0
    eachPlace(normal, (start, end) => {
      length++
      const place = this.#place(normal, start, end)
      const term = this.#terms[place] as number
      this.#dictionary.see(this.#folded[place] as number, row)
      if (term >= this.#counts.length) this.#counts = larger(this.#counts, new Uint32Array(2 * Math.max(term, 1)))
      const before = this.#counts[term] as number
      this.#counts[term] = before + 1
      if (before > 0) return
      if (different === this.#present.length) this.#present = larger(this.#present, new Int32Array(2 * different))
      this.#present[different++] = term
    })
    for (let i = 0; i < different; i++) {
      const term = this.#present[i] as number
      take(term, this.#counts[term] as number)
      this.#counts[term] = 0
    }
    return length
  }

  #place(normal: string, start: number, end: number): number {
    const known = this.#words.find(normal, start, end)
    return known < 0 ? this.#add(normal.slice(start, end)) : known
  }

  #add(word: string): number {
    const place = this.#words.add(word)
    if (place === this.#terms.length) {
      this.#terms = larger(this.#terms, new Int32Array(2 * place))
      this.#folded = larger(this.#folded, new Int32Array(2 * place))
    }
    const folded = fold(word)
    this.#terms[place] = this.#numberOf(wordKey(this.#analyzer.termOfFolded(folded)))
    this.#folded[place] = this.#dictionary.numberOf(folded)
    return place
  }
}

function larger<T extends Int32Array | Uint32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
