/**
 * Memory for the decoded postings of long lists. A query over a large collection needs megabytes of it, so it is used again
 * by later queries: otherwise the garbage collector would have to run every few queries.
 */

/** Contents are those of an earlier query. */
export interface PostingMemory {
  readonly rows: Uint32Array
  readonly parts: Float64Array
}

/** Postings, of 12 bytes each: about 50 MB. */
const MOST_SPARE = 1 << 22
/** Memory this many times as large as needed is left to longer lists. */
const MOST_TIMES = 4

/** Smallest first. */
const spare: PostingMemory[] = []
let sparePostings = 0

/** @param count least number of postings */
export function takePostingMemory(count: number): PostingMemory {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, count)))
  const at = spare.findIndex(({ rows }) => rows.length >= size)
  const found = spare[at]
  if (found === undefined || found.rows.length > MOST_TIMES * size)
    return { rows: new Uint32Array(size), parts: new Float64Array(size) }
  spare.splice(at, 1)
  sparePostings -= found.rows.length
  return found
}

/** Whoever gives memory back does not use it any more. */
export function givePostingMemory(memory: PostingMemory): void {
  const { length } = memory.rows
  if (sparePostings + length > MOST_SPARE) return
  sparePostings += length
  const at = spare.findIndex(({ rows }) => rows.length >= length)
  spare.splice(at === -1 ? spare.length : at, 0, memory)
}
