/** Which word indexes the segments of a collection have, by its schema. */
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { DOCUMENT_KEY, isTextIndexed, sparseIndexesOf } from '../model/schema.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { documentAnalyzer } from '../text/analyzer.ts'
import type { WantedIndexes } from './builder.ts'
import { isDictionary, WordDictionary } from './dictionary/word-dictionary.ts'
import { isWordIndex } from './layout.ts'
import { WordIndex } from './word-index.ts'

export function wantedIndexes(schema: Record<string, unknown> | null): WantedIndexes {
  return {
    documents: isTextIndexed(schema) ? documentAnalyzer() : null,
    sparseKeys: [...sparseIndexesOf(schema).keys()],
  }
}

/** Whether a segment has not all of the indexes with the dictionary, or one of documents that another analyzer made. */
export function lacksWordIndex({ sections }: SegmentDescriptor, { documents, sparseKeys }: WantedIndexes): boolean {
  const indexes = sections.filter(isWordIndex)
  const has = (key: string, kind?: string) =>
    indexes.some(({ params }) => params['key'] === key && (kind === undefined || params['kind'] === kind))
  const lacksDocuments = (analyzer: string) =>
    !has(DOCUMENT_KEY, analyzer) || !sections.some((it) => isDictionary(it) && it.params['analyzer'] === analyzer)
  return (documents !== null && lacksDocuments(documents.name)) || sparseKeys.some((key) => !has(key))
}

/** A segment's index of documents or of a sparse key; undefined where it has none, or one whose words are cut differently. */
export function usableIndexOf(reader: SegmentReader, key: string): WordIndex | undefined {
  const index = WordIndex.of(reader, key)
  return index?.isOfDocuments === true && index.params.kind !== documentAnalyzer().name ? undefined : index
}

/** A segment's dictionary; undefined where it has none, or one whose words are cut differently. */
export function usableDictionaryOf(reader: SegmentReader): WordDictionary | undefined {
  const dictionary = WordDictionary.of(reader)
  return dictionary?.analyzer === documentAnalyzer().name ? dictionary : undefined
}
