/** The languages besides English, each loaded when a text in it is searched or indexed for the first time. */
import type { Language } from '../../model/text-fields.ts'

export interface LanguageRules {
  /** @param word of Latin letters, without the difference of case */
  stem(this: void, word: string): string
  /** Words that say little by themselves, separated by spaces. */
  STOP_WORDS: string
}

/** Those whose rules are always there have none here. */
export const LOADERS: Readonly<Record<Exclude<Language, 'english' | 'none'>, () => Promise<LanguageRules>>> = {
  french: () => import('./french.ts'),
  german: () => import('./german.ts'),
  italian: () => import('./italian.ts'),
  portuguese: () => import('./portuguese.ts'),
  spanish: () => import('./spanish.ts'),
  swedish: () => import('./swedish.ts'),
}
