/** What the stemmers of several languages share: lists of suffixes, and the regions of a word in which these may be removed. */

/** Suffixes in groups, of which the longest that ends a word is looked for. */
export class Suffixes<Group extends string> {
  readonly #groups = new Map<string, Group>()
  readonly #longest: number
  readonly #shortest: number

  /** @param groups suffixes, separated by spaces */
  constructor(groups: Record<Group, string>) {
    for (const [group, suffixes] of Object.entries(groups) as [Group, string][])
      for (const suffix of suffixes.split(/\s+/)) if (suffix !== '') this.#groups.set(suffix, group)
    const lengths = [...this.#groups.keys()].map((suffix) => suffix.length)
    this.#longest = Math.max(...lengths)
    this.#shortest = Math.min(...lengths)
  }

  /** @param from the suffix begins there or behind it */
  of(word: string, from = 0): { suffix: string; group: Group; start: number } | undefined {
    for (let length = Math.min(this.#longest, word.length - from); length >= this.#shortest; length--) {
      const suffix = word.slice(word.length - length)
      const group = this.#groups.get(suffix)
      if (group !== undefined) return { suffix, group, start: word.length - length }
    }
    return undefined
  }

  /** The word without its suffix; undefined if it has none that begins at or behind `from`. */
  removedFrom(word: string, from: number): string | undefined {
    const found = this.of(word, from)
    return found && word.slice(0, found.start)
  }
}

/** Without the end that the pattern matches, if it begins at or behind `from`. */
export function withoutEnd(word: string, pattern: RegExp, from: number): string {
  const match = pattern.exec(word)
  return match && match.index >= from ? word.slice(0, match.index) : word
}

/** Of Spanish, Portuguese and Italian: removes what may stand before `-amente`, and `at` before `iv`. */
export function beforeAmente(word: string, ends: RegExp, from: number): string {
  const without = withoutEnd(word, ends, from)
  return word.endsWith('iv') && without !== word ? withoutEnd(without, /at$/, from) : without
}

/** Behind the first consonant that follows a vowel at or behind `from`; the end if there is none. */
export function afterVowelAndConsonant(word: string, vowels: string, from = 0): number {
  let at = from
  while (at < word.length && !vowels.includes(word[at] as string)) at++
  while (at < word.length && vowels.includes(word[at] as string)) at++
  return Math.min(word.length, at + 1)
}

/** The regions of Romance languages; see "RV", "R1" and "R2" in the descriptions of the Snowball stemmers. */
export interface Regions {
  rv: number
  r1: number
  r2: number
}

/** Of Spanish, Portuguese and Italian. */
export function romanceRegions(word: string, vowels: string): Regions {
  const r1 = afterVowelAndConsonant(word, vowels)
  return { rv: verbRegion(word, vowels), r1, r2: afterVowelAndConsonant(word, vowels, r1) }
}

function verbRegion(word: string, vowels: string): number {
  const isVowel = (at: number) => vowels.includes(word[at] as string)
  const after = (from: number, vowel: boolean): number => {
    for (let at = from; at < word.length; at++) if (isVowel(at) === vowel) return at + 1
    return word.length
  }
  if (word.length < 3) return word.length
  if (!isVowel(1)) return after(2, true)
  return isVowel(0) ? after(2, false) : 3
}
