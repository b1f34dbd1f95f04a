/**
 * Phrases: words that follow one another in a text, compared as terms of a language, so without the difference of case and of
 * endings. Punctuation between words does not count; stop words do. Of scripts that are written without spaces, and of Korean,
 * characters are compared: those that stand together in the phrase stand together in the text.
 *
 * All places of the phrase that a text may have reached are the bits of a number, which each word of the text moves on
 * (Shift-And; Baeza-Yates & Gonnet, "A new approach to text searching", CACM 1992).
 */
import { type Analyzer, documentAnalyzer } from './analyzer.ts'
import { eachUnit } from './words.ts'

/** Words, and characters of scripts without spaces. */
export const LONGEST_PHRASE = 1_024

/** Of one term: the places of the phrase that have it, as bits. */
interface Places {
  any: Uint32Array
  /** Without those that must follow the place before without a separator. */
  apart: Uint32Array
}

interface Unit {
  term: string
  isJoined: boolean
}

export class Phrase {
  /** Terms that an index of words has for every text with the phrase, each once. Empty: it has none for single characters. */
  readonly indexedTerms: readonly string[]
  /** Words, and characters of scripts without spaces. */
  readonly length: number
  readonly #analyzer: Analyzer
  readonly #places = new Map<string, Places>()

  private constructor(analyzer: Analyzer, units: readonly Unit[], indexedTerms: readonly string[]) {
    this.#analyzer = analyzer
    this.indexedTerms = indexedTerms
    this.length = units.length
    const size = Math.ceil(units.length / 32)
    for (const [i, { term, isJoined }] of units.entries()) {
      let places = this.#places.get(term)
      if (!places) this.#places.set(term, (places = { any: new Uint32Array(size), apart: new Uint32Array(size) }))
      const { any, apart } = places
      any[i >>> 5] = (any[i >>> 5] as number) | (1 << (i & 31))
      if (!isJoined) apart[i >>> 5] = (apart[i >>> 5] as number) | (1 << (i & 31))
    }
  }

  /**
   * @returns undefined if the text has no word
   * @throws RangeError for a text of more than `LONGEST_PHRASE` words
   */
  static of(text: string, analyzer: Analyzer = documentAnalyzer()): Phrase | undefined {
    const units: Unit[] = []
    const indexed = new Set<string>()
    let before = ''
    eachUnit(text, (unit, isPaired, isJoined) => {
      units.push({ term: analyzer.termOf(unit), isJoined })
      if (!isPaired) indexed.add(analyzer.termOf(unit))
      else if (isJoined) indexed.add(analyzer.termOf(before + unit))
      before = unit
    })
    if (units.length > LONGEST_PHRASE) throw new RangeError(`a phrase of ${units.length} words`)
    return units.length === 0 ? undefined : new Phrase(analyzer, units, [...indexed])
  }

  isIn(text: string): boolean {
    const reached = new Uint32Array(Math.ceil(this.length / 32))
    const last = this.length - 1
    let found = false
    eachUnit(text, (unit, _, isJoined) => {
      if (found) return
      const places = this.#places.get(this.#analyzer.termOf(unit))
      if (!places) {
        reached.fill(0)
        return
      }
      const here = isJoined ? places.any : places.apart
      let carry = 1
      for (let w = 0; w < reached.length; w++) {
        const word = reached[w] as number
        reached[w] = ((word << 1) | carry) & (here[w] as number)
        carry = word >>> 31
      }
      found = (((reached[last >>> 5] as number) >>> (last & 31)) & 1) === 1
    })
    return found
  }
}
