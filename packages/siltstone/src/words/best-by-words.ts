/** The search by words with all that it needs in one module, which a page loads when it searches by words. */
import type { View } from '../log/view.ts'
import type { AskedText } from '../model/search.ts'
import type { Pause } from '../pacer.ts'
import type { Selection } from '../query/selection.ts'
import { documentsIn } from '../word-index/word-source.ts'
import { type Found, WordRetriever } from './word-retriever.ts'

/**
 * @param limit as `WordRetriever.found` has it
 * @throws SiltstoneError `unsupported` (`words-not-indexed`)
 */
export async function bestByWords(
  view: View,
  { text, language }: AskedText,
  selection: Selection,
  limit: number,
  pause: Pause,
): Promise<Found> {
  const searched = { kind: 'text', source: await documentsIn(language) } as const
  return new WordRetriever(view, searched, pause).found(text, selection, limit)
}

/** Reads what a search for these words needs of the index, so that one that follows waits for less. @throws as `bestByWords` */
export async function readWords(view: View, { text, language }: AskedText, pause: Pause): Promise<void> {
  await new WordRetriever(view, { kind: 'text', source: await documentsIn(language) }, pause).parts(text, [])
}
