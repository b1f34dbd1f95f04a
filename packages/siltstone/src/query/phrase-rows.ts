/**
 * Phrases have no index of their own: the rows that have all of their words are found in the index of words, and their documents
 * are read. docs/decisions/0015-phrases-are-verified.md says why.
 */
import { RowSet } from '../format/row-set.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import { phraseOf } from '../filter/phrase.ts'
import type { Language } from '../model/text-fields.ts'
import { keyOfTerm } from '../word-index/count-terms.ts'
import { usableIndexOf } from '../word-index/indexed-keys.ts'
import type { PostingList } from '../word-index/posting-list.ts'
import { documentsIn } from '../word-index/word-source.ts'

/** The rows whose stored documents have all words of a phrase; undefined if no index of words of the segment can tell. */
export async function phraseRows(
  reader: SegmentReader,
  text: string,
  language?: Language,
): Promise<RowSet | undefined> {
  const index = usableIndexOf(reader, await documentsIn(language))
  const { indexedTerms } = phraseOf(text, language)
  if (!index || indexedTerms.length === 0) return undefined
  const lists = await index.lists(indexedTerms.map(keyOfTerm))
  if (!lists.every((list) => list !== undefined)) return new RowSet(reader.rows)
  const [rarest, ...others] = lists.toSorted((a, b) => a.count - b.count) as [PostingList, ...PostingList[]]
  let rows: number[] = []
  rarest.each((row) => rows.push(row))
  for (const list of others) {
    const both: number[] = []
    list.find(rows, (i) => both.push(rows[i] as number))
    rows = both
  }
  const found = new RowSet(reader.rows)
  for (const row of rows) found.add(row)
  return found
}
