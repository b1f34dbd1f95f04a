/** Which texts of a collection's records are searched by words, and in which language. */

/** How the words of a text are reduced to terms. `none`: not at all. */
export const LANGUAGES = ['english', 'french', 'german', 'italian', 'portuguese', 'spanish', 'swedish', 'none'] as const
export type Language = (typeof LANGUAGES)[number]

/** Documents (`#document`), or the strings and lists of strings under a metadata key. */
export interface TextField {
  key: string
  language: Language
}

export function isLanguage(value: unknown): value is Language {
  return (LANGUAGES as readonly unknown[]).includes(value)
}
