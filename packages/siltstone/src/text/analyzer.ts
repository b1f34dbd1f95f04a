/**
 * Turns texts into terms for BM25: words without the difference of case, and with the stems of a language. An analyzer has a
 * name that stands beside what was indexed with it; two analyzers of one name give the same terms.
 *
 * English stems words of the letters a to z, another language words of Latin letters; others are kept as they are.
 */
import type { Language } from '../model/text-fields.ts'
import { ENGLISH_STOP_WORDS } from './english-stop-words.ts'
import { stemEnglish } from './english-stemmer.ts'
import { type LanguageRules, LOADERS } from './languages/languages.ts'
import { eachWord, fold, writtenWords } from './words.ts'

/** The words in the memory of an analyzer, so that most words of a text cost one look-up. */
const KNOWN_WORDS = 100_000

type Stem = (word: string) => string

const unchanged: Stem = (word) => word

export class Analyzer {
  readonly name: string
  readonly #stem: Stem
  readonly #isStopWord: (folded: string) => boolean
  readonly #known = new Map<string, string>()

  private constructor(language: Language, stem: Stem, isStopWord: (folded: string) => boolean) {
    this.name = `${language}-1`
    this.#stem = stem
    this.#isStopWord = isStopWord
  }

  static readonly #all = new Map<Language, Analyzer>()

  static of(language: 'english' | 'none'): Analyzer {
    let analyzer = Analyzer.#all.get(language)
    if (!analyzer)
      Analyzer.#all.set(language, (analyzer = language === 'english' ? Analyzer.#english() : Analyzer.#none()))
    return analyzer
  }

  /** Loads the rules of the language if need be. */
  static async load(language: Language): Promise<Analyzer> {
    const known = Analyzer.#all.get(language)
    if (known) return known
    if (language === 'english' || language === 'none') return Analyzer.of(language)
    const rules = await LOADERS[language]()
    let analyzer = Analyzer.#all.get(language)
    if (!analyzer) Analyzer.#all.set(language, (analyzer = Analyzer.#by(language, rules)))
    return analyzer
  }

  /** The analyzer of a language that was loaded before. */
  static loaded(language: Language): Analyzer {
    if (language === 'english' || language === 'none') return Analyzer.of(language)
    const analyzer = Analyzer.#all.get(language)
    if (!analyzer) throw new Error(`the rules of ${language} were not loaded`)
    return analyzer
  }

  static #english(): Analyzer {
    const stem: Stem = (word) => (/^[a-z]+$/.test(word) ? stemEnglish(word) : word)
    // Compared by their stems.
    const stopWords = new Set(ENGLISH_STOP_WORDS.map(stem))
    return new Analyzer('english', stem, (word) => stopWords.has(stem(word)))
  }

  static #none(): Analyzer {
    return new Analyzer('none', unchanged, () => false)
  }

  static #by(language: Language, { stem, STOP_WORDS }: LanguageRules): Analyzer {
    const stopWords = new Set(STOP_WORDS.split(' ').map(fold))
    return new Analyzer(
      language,
      (word) => (/^\p{Script=Latin}+$/u.test(word) ? stem(word) : word),
      (word) => stopWords.has(word),
    )
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

  /** @param word as `eachWord` gives it */
  isStopWord(word: string): boolean {
    return this.#isStopWord(fold(word))
  }

  /**
   * The words of a query. A `*` behind the last word makes it a prefix: it stands for all words that begin with it. Stop
   * words are left out if there is another word.
   */
  query(text: string): QueryWords {
    const { words, prefix } = writtenWords(text)
    const content = words.filter((word) => !this.isStopWord(word))
    const terms = new Map<string, number>()
    for (const word of content.length > 0 || prefix !== undefined ? content : words) {
      const term = this.termOf(word)
      terms.set(term, (terms.get(term) ?? 0) + 1)
    }
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

/** The analyzer of documents unless a schema says otherwise. */
export const documentAnalyzer = (): Analyzer => Analyzer.of('english')
