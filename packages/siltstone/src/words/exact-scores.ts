/** The scores of rows of one segment, from the lists of the terms of a query. */
import type { RecordRef } from '../log/view.ts'
import type { PostingList } from '../word-index/posting-list.ts'
import { floatOf } from './list-scoring.ts'
import type { Scoring } from './score.ts'
import type { IndexedSegment } from './word-state.ts'

/** Of one segment: for each source the list of each term. */
export type Lists = readonly (readonly (PostingList | undefined)[])[]

export interface Scored {
  ref: RecordRef
  score: number
}

/** @param rows ascending */
export function exactScores(
  { number, sources }: IndexedSegment,
  lists: Lists,
  rows: readonly number[],
  scoring: Scoring,
): Scored[] {
  const terms = lists[0]?.length ?? 0
  // Of all rows together: many small arrays would cost more than what is in them.
  const amounts = lists.map(() => new Float64Array(rows.length * terms).fill(Number.NaN))
  for (const [s, { index, weights }] of sources.entries()) {
    const own = amounts[s] as Float64Array
    for (const [t, list] of (lists[s] ?? []).entries())
      list?.find(rows, (i, payload) => {
        own[i * terms + t] = index.isOfTexts ? payload : weights ? (weights[payload] as number) : floatOf(payload)
      })
  }
  return rows.map((row, i) => ({
    ref: { changed: null, row: { segment: number, row } },
    score: scoring.score(
      amounts.map((own) => own.subarray(i * terms, (i + 1) * terms)),
      sources.map(({ lengths }) => (lengths ? Math.max(0, (lengths[row] as number) - 1) : 0)),
    ),
  }))
}
