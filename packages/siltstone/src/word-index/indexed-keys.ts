/** Which word indexes the segments of a collection have, by its schema. */
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { DOCUMENT_KEY, isTextIndexed, sparseIndexesOf } from '../model/schema.ts'
import { Analyzer } from '../text/analyzer.ts'
import type { WantedIndexes } from './builder.ts'
import { isWordIndex } from './layout.ts'

/** The analyzer of documents. */
export const documentAnalyzer = (): Analyzer => Analyzer.of('english')

export function wantedIndexes(schema: Record<string, unknown> | null): WantedIndexes {
  return {
    documents: isTextIndexed(schema) ? documentAnalyzer() : null,
    sparseKeys: [...sparseIndexesOf(schema).keys()],
  }
}

/** Whether a segment has not all of the indexes, or one of documents that another analyzer made. */
export function lacksWordIndex({ sections }: SegmentDescriptor, { documents, sparseKeys }: WantedIndexes): boolean {
  const indexes = sections.filter(isWordIndex)
  const has = (key: string, kind?: string) =>
    indexes.some(({ params }) => params['key'] === key && (kind === undefined || params['kind'] === kind))
  return (documents !== null && !has(DOCUMENT_KEY, documents.name)) || sparseKeys.some((key) => !has(key))
}
