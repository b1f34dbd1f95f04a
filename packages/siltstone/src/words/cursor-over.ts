/** Chooses how a list is walked through. */
import type { PostingList } from '../word-index/posting-list.ts'
import { DecodedCursor } from './decoded-cursor.ts'
import { type RowCursor, windowsIn } from './row-cursor.ts'
import type { ListScoring } from './score.ts'
import { TermCursor } from './term-cursor.ts'
import type { IndexedSource } from './word-state.ts'

/** A list with at most this many postings for each window of the segment is decoded as a whole: most blocks have rows of many windows. */
const DECODED_PER_WINDOW = 128

/** @param segmentRows rows of the segment */
export function cursorOver(
  list: PostingList,
  scoring: ListScoring,
  source: IndexedSource,
  segmentRows: number,
): RowCursor {
  const Cursor = list.count <= DECODED_PER_WINDOW * windowsIn(segmentRows) ? DecodedCursor : TermCursor
  return new Cursor(list, scoring, source, segmentRows)
}
