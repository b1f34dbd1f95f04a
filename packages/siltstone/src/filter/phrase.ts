import { invalid } from '../errors.ts'
import { Phrase } from '../text/phrase.ts'

/** @throws SiltstoneError `invalid` (phrase-without-words) */
export function phraseOf(text: string): Phrase {
  const phrase = Phrase.of(text)
  if (phrase) return phrase
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  throw invalid('phrase-without-words', `the phrase ${shown} has no word; give letters or digits`, {
    field: 'where_document',
  })
}
