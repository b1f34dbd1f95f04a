/** Which word indexes the segments of a collection have, by its schema. */
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { sparseIndexesOf, textFieldsOf } from '../model/schema.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { isDictionary, keyOfDictionary, WordDictionary } from './dictionary/word-dictionary.ts'
import { isOfTexts, isWordIndex } from './layout.ts'
import { WordIndex } from './word-index.ts'
import { textSource, type TextSource, type WantedIndexes, type WordSource } from './word-source.ts'

export async function wantedIndexes(schema: Record<string, unknown> | null): Promise<WantedIndexes> {
  return {
    texts: await Promise.all(textFieldsOf(schema).map(textSource)),
    sparseKeys: [...sparseIndexesOf(schema).keys()],
  }
}

/** Whether a segment has not all of the indexes with the dictionaries, or one of texts that another analyzer made. */
export function lacksWordIndex({ sections }: SegmentDescriptor, { texts, sparseKeys }: WantedIndexes): boolean {
  const indexes = sections.filter(isWordIndex)
  const dictionaries = sections.filter(isDictionary)
  const lacksText = ({ key, analyzer: { name } }: TextSource) =>
    !indexes.some(({ params }) => params['key'] === key && params['kind'] === name) ||
    !dictionaries.some((section) => keyOfDictionary(section) === key && section.params['analyzer'] === name)
  return (
    texts.some(lacksText) ||
    sparseKeys.some((key) => !indexes.some(({ params }) => params['key'] === key && !isOfTexts(params['kind'])))
  )
}

/** A segment's index of a source; undefined where it has none, or one whose words are cut differently. */
export function usableIndexOf(reader: SegmentReader, source: WordSource): WordIndex | undefined {
  const index = WordIndex.of(reader, source.key, source.kind)
  return source.kind === 'text' && index?.params.kind !== source.analyzer.name ? undefined : index
}

/** A segment's dictionary of a text; undefined where it has none, or one whose words are cut differently. */
export function usableDictionaryOf(reader: SegmentReader, { key, analyzer }: TextSource): WordDictionary | undefined {
  const dictionary = WordDictionary.of(reader, key)
  return dictionary?.analyzer === analyzer.name ? dictionary : undefined
}
