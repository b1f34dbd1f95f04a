/** Words that begin with the last word of a text, for a search box. */
import type { View } from '../log/view.ts'
import type { KnownWord, Search } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import { eachWord, fold, normalForm } from '../text/words.ts'
import { documentsIn } from '../word-index/word-source.ts'
import { LiveWords } from './live-words.ts'
import { mostFrequent } from './query-terms.ts'

/**
 * @param asked the last word of its text is completed, with or without a `*` behind it; none if something else follows the word
 * @returns the words that most documents have; equally frequent ones in byte order
 * @throws SiltstoneError `unsupported` (`words-not-indexed`)
 */
export async function completions(
  view: View,
  { text, limit, language }: NonNullable<Search['suggest']>,
  pause: Pause,
): Promise<KnownWord[]> {
  const source = await documentsIn(language)
  const normal = normalForm(text)
  const written = normal.endsWith('*') ? normal.slice(0, -1) : normal
  let last: string | undefined
  eachWord(written, (word, _, end) => {
    last = end === written.length ? word : undefined
  })
  return last === undefined ? [] : mostFrequent(await LiveWords.of(view, source, pause).startingWith(fold(last)), limit)
}
