/** What a word index is of: the words of texts, or sparse vectors. */
import { DOCUMENT_KEY } from '../model/schema.ts'
import type { Language, TextField } from '../model/text-fields.ts'
import type { Metadata } from '../model/record.ts'
import { Analyzer } from '../text/analyzer.ts'

export interface TextSource {
  kind: 'text'
  /** `#document`, or a metadata key with strings. */
  key: string
  analyzer: Analyzer
}

/** The indexes to build. */
export interface WantedIndexes {
  /** Of documents and of texts under metadata keys. */
  texts: readonly TextSource[]
  /** Metadata keys whose sparse vectors are indexed. */
  sparseKeys: readonly string[]
}

export type WordSource = TextSource | { kind: 'sparse'; key: string }

/** Loads the rules of the language if need be. */
export async function textSource({ key, language }: TextField): Promise<TextSource> {
  return { kind: 'text', key, analyzer: await Analyzer.load(language) }
}

/** Documents as they are indexed unless the schema says otherwise. */
export const documentSource: TextSource = { kind: 'text', key: DOCUMENT_KEY, analyzer: Analyzer.of('english') }

/** Documents in a language; undefined: the default. */
export async function documentsIn(language: Language | undefined): Promise<TextSource> {
  return language === undefined ? documentSource : textSource({ key: DOCUMENT_KEY, language })
}

/** Different for different sources. */
export function nameOf(source: WordSource): string {
  return `${source.kind === 'text' ? source.analyzer.name : 'sparse'} ${JSON.stringify(source.key)}`
}

/** The column of records that a source is in. */
export function columnOf({ key }: WordSource): 'documents' | 'metadata' {
  return key === DOCUMENT_KEY ? 'documents' : 'metadata'
}

/** Between the strings of a list, so that no word and no pair of characters goes across. */
const BETWEEN = '\n'

/** The text under a metadata key: a string, or the strings of a list; undefined if there is none. */
export function textUnder(metadata: Metadata | null, key: string): string | undefined {
  const value = metadata?.get(key)
  if (typeof value === 'string') return value
  if (!Array.isArray(value) || typeof value[0] !== 'string') return undefined
  return value.join(BETWEEN)
}
