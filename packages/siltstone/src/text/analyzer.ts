/**
 * Turns texts into terms for BM25: words without the difference of case, and with English stems. An analyzer has a name
 * that stands beside what was indexed with it; two analyzers of one name give the same terms.
 *
 * Words outside of English are kept as they are but for their case; the stemmer sees only words of the letters a to z.
 */
import type { Language } from '../model/text-fields.ts'
import { ENGLISH_STOP_WORDS } from './english-stop-words.ts'
import { stemEnglish } from './english-stemmer.ts'
import { eachWord, fold, writtenWords } from './words.ts'

/** The words in the memory of an analyzer, so that most words of a text cost one look-up. */
const KNOWN_WORDS = 100_000

export class Analyzer {
  readonly name: string
  readonly #stem: (word: string) => string
  readonly #stopWords: ReadonlySet<string>
  readonly #known = new Map<string, string>()

  private constructor(language: Language) {
    this.name = `${language}-1`
    const isEnglish = language === 'english'
    this.#stem = isEnglish ? (word) => (/^[a-z]+$/.test(word) ? stemEnglish(word) : word) : (word) => word
    this.#stopWords = new Set(isEnglish ? ENGLISH_STOP_WORDS.map((word) => this.#stem(word)) : [])
  }

  static readonly #all = new Map<Language, Analyzer>()

  static of(language: Language): Analyzer {
    let analyzer = Analyzer.#all.get(language)
    if (!analyzer) Analyzer.#all.set(language, (analyzer = new Analyzer(language)))
    return analyzer
  }

  /** Calls `take` for each word, in order. @param take given the term, the word as it is written, and its place; see `eachWord` */
  each(text: string, take: (term: string, word: string, start: number, end: number) => void): void {
    eachWord(text, (word, start, end) => take(this.termOf(word), word, start, end))
  }

  /** @param word as `eachWord` gives it */
  termOf(word: string): string {
    let term = this.#known.get(word)
    if (term === undefined) {
      if (this.#known.size >= KNOWN_WORDS) this.#known.clear()
      term = this.#stem(fold(word))
      this.#known.set(detached(word), term)
    }
    return term
  }

  /** The term of a word without the difference of case; not kept in memory. */
  termOfFolded(folded: string): string {
    return this.#stem(folded)
  }

  /** @param term as `termOf` gives it */
  isStopWord(term: string): boolean {
    return this.#stopWords.has(term)
  }

  /**
   * The words of a query. A `*` behind the last word makes it a prefix: it stands for all words that begin with it. Stop
   * words are left out if there is another word.
   */
  query(text: string): QueryWords {
    const { words, prefix } = writtenWords(text)
    const all = new Map<string, number>()
    for (const word of words) {
      const term = this.termOf(word)
      all.set(term, (all.get(term) ?? 0) + 1)
    }
    const content = [...all].filter(([term]) => !this.#stopWords.has(term))
    const terms = content.length > 0 || prefix !== undefined ? new Map(content) : all
    return prefix === undefined ? { terms } : { terms, prefix }
  }
}

export interface QueryWords {
  /** Each once, with how often it occurs. */
  terms: ReadonlyMap<string, number>
  /** As it is written, without the `*`. */
  prefix?: string
}

/** A copy: a slice of a long text would keep the text in memory. */
function detached(word: string): string {
  return JSON.parse(JSON.stringify(word)) as string
}

/** The analyzer of documents. */
export const documentAnalyzer = (): Analyzer => Analyzer.of('english')
