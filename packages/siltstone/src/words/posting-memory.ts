/**
 * Memory for the decoded postings of long lists. A query over a large collection needs megabytes of it, so it is used again
 * by later queries: otherwise the garbage collector would have to run every few queries.
 */

/** Contents are those of an earlier query. */
export interface PostingMemory {
  readonly rows: Uint32Array
  readonly parts: Float64Array
}

/** How many are kept, of how many postings each at most: 75 MB together. */
const MOST_KEPT = 6
const MOST_POSTINGS = 1 << 20
/** Memory that is this many times too large is left to longer lists. */
const MOST_TIMES = 8

const spare: PostingMemory[] = []

/** @param count least number of postings, at least 1 */
export function takePostingMemory(count: number): PostingMemory {
  const at = spare.findIndex(({ rows: { length } }) => length >= count && length < MOST_TIMES * count)
  if (at >= 0) return spare.splice(at, 1)[0] as PostingMemory
  const size = 2 ** Math.ceil(Math.log2(count))
  return { rows: new Uint32Array(size), parts: new Float64Array(size) }
}

/** @param memory that its user does not use any more */
export function givePostingMemory(memory: PostingMemory): void {
  if (spare.length < MOST_KEPT && memory.rows.length <= MOST_POSTINGS) spare.push(memory)
}
