/** The words of texts in the documents of hits. */
import type { HighlightFragment, HighlightRequest } from '../model/search.ts'
import { Pacer, type Pause } from '../pacer.ts'
import { Analyzer } from '../text/analyzer.ts'
import { highlight, wantedWords } from '../text/highlight.ts'

/** Characters that are cut into words between two pauses. */
const PAUSE_AFTER = 200_000

export async function highlightsOf(
  documents: readonly (string | null)[],
  { texts, fragments, length, language = 'english' }: HighlightRequest,
  pause: Pause,
): Promise<(HighlightFragment[] | null)[]> {
  const analyzer = await Analyzer.load(language)
  const words = wantedWords(
    texts.map((text) => analyzer.query(text)),
    analyzer,
  )
  const pacer = new Pacer(PAUSE_AFTER, pause)
  const highlights: (HighlightFragment[] | null)[] = []
  for (const document of documents) {
    highlights.push(document === null ? null : highlight(document, words, { fragments, length }, analyzer))
    const due = pacer.spend(document?.length ?? 0)
    if (due) await due
  }
  return highlights
}
