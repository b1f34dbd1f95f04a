/**
 * The Snowball stemmer for English, Porter2 (https://snowballstem.org/algorithms/english/stemmer.html), by two sets of
 * rules: `classic`, as Snowball had it until version 2, and `current`, as version 3.1 has it. They differ in a few words:
 * `classic` turns "added" into "ad", "university" into "univers" and "organization" into "organ"; `current` gives "add",
 * "universiti" and "organiz".
 *
 * R1 is the part of a word after the first consonant that follows a vowel, R2 the same part of R1. A `y` that acts as a
 * consonant is written `Y` while a word is stemmed.
 */
export type StemmerRules = 'classic' | 'current'

/** Words with a stem of their own. */
const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['skis', 'ski'],
  ['skies', 'sky'],
  ['idly', 'idl'],
  ['gently', 'gentl'],
  ['ugly', 'ugli'],
  ['early', 'earli'],
  ['only', 'onli'],
  ['singly', 'singl'],
  ...['sky', 'news', 'howe', 'atlas', 'cosmos', 'bias', 'andes'].map((word): [string, string] => [word, word]),
])
const SPECIAL_CLASSIC: ReadonlyMap<string, string> = new Map([
  ...SPECIAL,
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
])
/** Words that keep the form that they have without a plural's `s`. */
const FINAL_CLASSIC: ReadonlySet<string> = new Set([
  'inning',
  'outing',
  'canning',
  'herring',
  'earring',
  'proceed',
  'exceed',
  'succeed',
])
/** What may stand before `ing` without being a verb. */
const NOUNS_IN_ING: ReadonlySet<string> = new Set(['even', 'cann', 'inn', 'earr', 'herr', 'out'])
const VERBS_IN_EED: ReadonlySet<string> = new Set(['succ', 'proc', 'exc'])
/** R1 begins after these beginnings. */
const BEGINNINGS: Record<StemmerRules, readonly string[]> = {
  classic: ['gener', 'commun', 'arsen'],
  current: ['gener', 'commun', 'arsen', 'past', 'univers', 'later', 'emerg', 'organ', 'inter'],
}

const isVowel = (letter: string | undefined): boolean => letter !== undefined && 'aeiouy'.includes(letter)
const DOUBLES: ReadonlySet<string> = new Set(['bb', 'dd', 'ff', 'gg', 'mm', 'nn', 'pp', 'rr', 'tt'])
const VALID_BEFORE_LI = 'cdeghkmnrt'

type Replacement = readonly [suffix: string, by: string]

/** Step 2: in R1. The longest suffix counts. */
const STEP_2: readonly Replacement[] = [
  ['ational', 'ate'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['iveness', 'ive'],
  ['ization', 'ize'],
  ['biliti', 'ble'],
  ['lessli', 'less'],
  ['tional', 'tion'],
  ['alism', 'al'],
  ['aliti', 'al'],
  ['ousli', 'ous'],
  ['entli', 'ent'],
  ['fulli', 'ful'],
  ['ation', 'ate'],
  ['iviti', 'ive'],
  ['abli', 'able'],
  ['alli', 'al'],
  ['anci', 'ance'],
  ['enci', 'ence'],
  ['ator', 'ate'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['ogi', 'og'],
  ['li', ''],
]
const OGIST: Replacement = ['ogist', 'og']
const STEP_2_CURRENT: readonly Replacement[] = [OGIST, ...STEP_2].sort(byLength)
const STEP_3: readonly Replacement[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['alize', 'al'],
  ['icate', 'ic'],
  ['iciti', 'ic'],
  ['ative', ''],
  ['ical', 'ic'],
  ['ness', ''],
  ['ful', ''],
]
const STEP_4: readonly string[] = [
  ...['ement', 'ance', 'ence', 'able', 'ible', 'ment', 'ant', 'ent', 'ism', 'ate', 'iti', 'ous', 'ive', 'ize', 'ion'],
  ...['al', 'er', 'ic'],
]

function byLength([a]: Replacement, [b]: Replacement): number {
  return b.length - a.length
}

/** @param word in lower case, without white space */
export function stemEnglish(word: string, rules: StemmerRules = 'current'): string {
  const special = (rules === 'current' ? SPECIAL : SPECIAL_CLASSIC).get(word)
  if (special !== undefined) return special
  return word.length < 3 ? word : new Stemming(word, rules).stem()
}

class Stemming {
  readonly #rules: StemmerRules
  #word: string
  /** Where R1 and R2 begin. */
  #r1: number
  #r2: number

  constructor(word: string, rules: StemmerRules) {
    this.#rules = rules
    this.#word = markConsonants(word.startsWith("'") ? word.slice(1) : word)
    const beginning = BEGINNINGS[rules].find((it) => this.#word.startsWith(it))
    this.#r1 = beginning?.length ?? afterVowelAndConsonant(this.#word, 0)
    this.#r2 = afterVowelAndConsonant(this.#word, this.#r1)
  }

  stem(): string {
    this.#plural()
    if (this.#rules === 'current' || !FINAL_CLASSIC.has(this.#word)) {
      this.#verb()
      this.#finalY()
      this.#step2()
      this.#step3()
      this.#step4()
      this.#step5()
    }
    return this.#word.replaceAll('Y', 'y')
  }

  #ends(suffix: string): boolean {
    return this.#word.endsWith(suffix)
  }

  /** The word without its last letters. */
  #without(letters: number): string {
    return this.#word.slice(0, this.#word.length - letters)
  }

  #isIn(region: number, suffix: string): boolean {
    return this.#word.length - suffix.length >= region
  }

  #replace(suffix: string, by: string): void {
    this.#word = this.#without(suffix.length) + by
  }

  /** Step 1a. */
  #plural(): void {
    const possessive = ["'s'", "'s", "'"].find((suffix) => this.#ends(suffix))
    if (possessive) this.#replace(possessive, '')
    if (this.#ends('sses')) this.#replace('sses', 'ss')
    else if (this.#ends('ied') || this.#ends('ies'))
      this.#word = this.#without(3) + (this.#word.length > 4 ? 'i' : 'ie')
    else if (this.#ends('s') && !this.#ends('us') && !this.#ends('ss') && hasVowel(this.#without(2)))
      this.#word = this.#without(1)
  }

  /** Step 1b. */
  #verb(): void {
    const suffix = ['eedly', 'ingly', 'edly', 'eed', 'ing', 'ed'].find((it) => this.#ends(it))
    if (!suffix) return
    const before = this.#without(suffix.length)
    const isCurrent = this.#rules === 'current'
    if (suffix.startsWith('eed')) {
      if (this.#isIn(this.#r1, suffix) && !(isCurrent && VERBS_IN_EED.has(before))) this.#replace(suffix, 'ee')
      return
    }
    if (isCurrent && suffix === 'ing') {
      if (NOUNS_IN_ING.has(before)) return
      if (before.length === 2 && before[1] === 'y' && !isVowel(before[0])) {
        this.#word = `${before[0]}ie`
        return
      }
    }
    if (!hasVowel(before)) return
    this.#word = before
    if (this.#ends('at') || this.#ends('bl') || this.#ends('iz')) this.#word += 'e'
    else if (DOUBLES.has(before.slice(-2))) {
      const keepsDouble = isCurrent && before.length === 3 && 'aeo'.includes(before[0] as string)
      if (!keepsDouble) this.#word = before.slice(0, -1)
    } else if (this.#word.length === this.#r1 && this.#endsInShortSyllable(before)) this.#word += 'e'
  }

  #endsInShortSyllable(word: string): boolean {
    const [last, middle, first] = [word.at(-1), word.at(-2), word.at(-3)]
    if (this.#rules === 'current' && word.endsWith('past')) return true
    if (!last || isVowel(last) || !isVowel(middle)) return false
    return word.length === 2 || (!isVowel(first) && !'wxY'.includes(last))
  }

  /** Step 1c. */
  #finalY(): void {
    const { length } = this.#word
    if (length > 2 && (this.#ends('y') || this.#ends('Y')) && !isVowel(this.#word[length - 2]))
      this.#word = `${this.#without(1)}i`
  }

  #step2(): void {
    const found = (this.#rules === 'current' ? STEP_2_CURRENT : STEP_2).find(([suffix]) => this.#ends(suffix))
    if (!found || !this.#isIn(this.#r1, found[0])) return
    const [suffix, by] = found
    const before = this.#word.at(-suffix.length - 1) ?? ''
    if (suffix === 'ogi' && before !== 'l') return
    if (suffix === 'li' && (before === '' || !VALID_BEFORE_LI.includes(before))) return
    this.#replace(suffix, by)
  }

  #step3(): void {
    const found = STEP_3.find(([suffix]) => this.#ends(suffix))
    if (!found || !this.#isIn(this.#r1, found[0])) return
    if (found[0] !== 'ative' || this.#isIn(this.#r2, 'ative')) this.#replace(...found)
  }

  #step4(): void {
    const suffix = STEP_4.find((it) => this.#ends(it))
    if (!suffix || !this.#isIn(this.#r2, suffix)) return
    if (suffix === 'ion' && !this.#ends('sion') && !this.#ends('tion')) return
    this.#replace(suffix, '')
  }

  #step5(): void {
    if (this.#ends('e')) {
      const isRemoved =
        this.#isIn(this.#r2, 'e') || (this.#isIn(this.#r1, 'e') && !this.#endsInShortSyllable(this.#without(1)))
      if (isRemoved) this.#replace('e', '')
    } else if (this.#ends('ll') && this.#isIn(this.#r2, 'l')) this.#replace('l', '')
  }
}

function markConsonants(word: string): string {
  if (!word.includes('y')) return word
  let marked = ''
  for (let i = 0; i < word.length; i++)
    marked += word[i] === 'y' && (i === 0 || isVowel(marked[i - 1])) ? 'Y' : (word[i] as string)
  return marked
}

/** The position after the first consonant that follows a vowel, from a position on. */
function afterVowelAndConsonant(word: string, from: number): number {
  let at = from
  while (at < word.length && !isVowel(word[at])) at++
  while (at < word.length && isVowel(word[at])) at++
  return Math.min(word.length, at + 1)
}

function hasVowel(word: string): boolean {
  for (const letter of word) if (isVowel(letter)) return true
  return false
}
