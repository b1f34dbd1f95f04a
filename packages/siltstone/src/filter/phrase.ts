/** Phrases of filters, and the language in which their words are compared: that of the documents. */
import { invalid } from '../errors.ts'
import type { Filter } from '../model/filter.ts'
import { DOCUMENT_KEY, type StoredSchema, textFieldOf } from '../model/schema.ts'
import type { Language } from '../model/text-fields.ts'
import { Analyzer } from '../text/analyzer.ts'
import { LONGEST_PHRASE, Phrase } from '../text/phrase.ts'

/**
 * @param language whose rules are loaded
 * @throws SiltstoneError `invalid` (phrase-without-words, phrase-too-long)
 */
export function phraseOf(text: string, language: Language = 'english'): Phrase {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  let phrase: Phrase | undefined
  try {
    phrase = Phrase.of(text, Analyzer.loaded(language))
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw invalid('phrase-too-long', `the phrase ${shown} has more than ${LONGEST_PHRASE} words; give a shorter one`, {
      field: 'where_document',
      cause,
    })
  }
  if (phrase) return phrase
  throw invalid('phrase-without-words', `the phrase ${shown} has no word; give letters or digits`, {
    field: 'where_document',
  })
}

/** What is asked, with the phrases of its filter in the language of the documents, whose rules are then loaded. */
export async function inDocumentsLanguage<T extends { filter?: Filter }>(
  asked: T,
  schema: StoredSchema | null,
): Promise<T> {
  const { filter } = asked
  const language = textFieldOf(schema, DOCUMENT_KEY)?.language ?? 'english'
  if (!filter || language === 'english' || !hasPhrase(filter)) return asked
  await Analyzer.load(language)
  return { ...asked, filter: withLanguage(filter, language) }
}

function hasPhrase(filter: Filter): boolean {
  return 'clauses' in filter ? filter.clauses.some(hasPhrase) : filter.kind === 'document-phrase'
}

function withLanguage(filter: Filter, language: Language): Filter {
  if ('clauses' in filter) return { ...filter, clauses: filter.clauses.map((clause) => withLanguage(clause, language)) }
  return filter.kind === 'document-phrase' ? { ...filter, language } : filter
}
