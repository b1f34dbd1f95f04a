/** How many visible rows of a segment have a term: what its lists count, without the rows that are hidden. */
import { RowSet } from '../format/row-set.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import type { OpenSegment } from '../snapshot/open-segment.ts'
import type { PostingList } from '../word-index/posting-list.ts'
import type { IndexedSegment } from './word-state.ts'

/** By term: how many rows of the segment have it in any of its lists, and how many hidden rows. */
const allCounts = new WeakMap<SegmentReader, Map<string, number>>()
const hiddenCounts = new WeakMap<OpenSegment, Map<string, number>>()

const MOST_COUNTS = 10_000

/**
 * @param name of the term, different for different terms and sources; undefined for lists that are made for the query
 * @param lists of all sources that have the term
 */
export function visibleCount(
  { segment, hidden, hiddenRows, changed }: IndexedSegment,
  name: string | undefined,
  lists: readonly PostingList[],
): number {
  if (lists.length === 0) return 0
  const all =
    lists.length === 1
      ? (lists[0] as PostingList).count
      : counted(allCounts, segment.reader, name, () => rowsOf(lists, segment.rows).count())
  const among = hiddenRows === 0 ? 0 : counted(hiddenCounts, segment, name, () => countIn(lists, hidden, hiddenRows))
  return all - among - (changed.length > 0 ? countAt(lists, changed) : 0)
}

function counted<Key extends object>(
  counts: WeakMap<Key, Map<string, number>>,
  key: Key,
  name: string | undefined,
  count: () => number,
): number {
  if (name === undefined) return count()
  let known = counts.get(key)
  if (!known) counts.set(key, (known = new Map()))
  let value = known.get(name)
  if (value === undefined) {
    if (known.size >= MOST_COUNTS) known.clear()
    value = count()
    known.set(name, value)
  }
  return value
}

function rowsOf(lists: readonly PostingList[], rows: number): RowSet {
  const found = new RowSet(rows)
  for (const list of lists) list.each((row) => found.add(row))
  return found
}

/** @param members how many rows the set has */
function countIn(lists: readonly PostingList[], rows: RowSet, members: number): number {
  if (lists.every((list) => members < list.count)) return countAt(lists, rows.toArray())
  return rowsOf(lists, rows.rows).intersect(rows).count()
}

/** @param rows ascending */
function countAt(lists: readonly PostingList[], rows: ArrayLike<number>): number {
  const has = new Uint8Array(rows.length)
  for (const list of lists) list.find(rows, (i) => (has[i] = 1))
  return has.reduce((sum, one) => sum + one, 0)
}
