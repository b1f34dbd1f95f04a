/**
 * Merges the lists of word indexes of segments, and those of rows that no index knows, into lists of a new segment: term by term,
 * in the order of their keys. Memory: some terms of each index, and the postings of one term.
 */
import { emptyBlock } from './posting-list.ts'
import type { TermPostings } from './inverter.ts'
import { PostingSorter } from './posting-sorter.ts'
import { type ScannedTerm, scanTerms } from './scan-terms.ts'
import type { WordIndex } from './word-index.ts'

/** Lists of all indexes that are in memory. */
const LISTS_BYTES = 16 * 1024 * 1024
const LEAST_LISTS_BYTES = 256 * 1024

/** An index of a segment, and what becomes of its rows and payloads. */
export interface OldLists {
  index: WordIndex
  /** By row of the segment: its row in the new one, or `GONE`. */
  rows: Uint32Array
  /** Turns stored payloads into those of the new index, in place. Undefined: they are the same. */
  translate: ((payloads: Uint32Array, count: number) => void) | undefined
}

/**
 * @param fresh lists of rows that none of the indexes knows, by key
 * @param segmentRows of the new segment
 * @returns lists by key, none of them empty; each is valid until the next is asked for
 * @throws SiltstoneError `corrupt` when an index is damaged
 */
export async function* mergedLists(
  old: readonly OldLists[],
  fresh: AsyncIterable<TermPostings>,
  segmentRows: number,
): AsyncGenerator<TermPostings> {
  const sorter = new PostingSorter(segmentRows)
  const listsBytes = Math.max(LEAST_LISTS_BYTES, LISTS_BYTES / Math.max(1, old.length))
  const cursors = old.map((lists) => new Cursor(lists, scanTerms(lists.index, lists.rows.length, listsBytes)))
  await Promise.all(cursors.map((cursor) => cursor.refill()))
  const others = fresh[Symbol.asyncIterator]()
  let other = await others.next()
  for (;;) {
    let key = other.done ? Number.POSITIVE_INFINITY : other.value.key
    for (const { head } of cursors) if (head && head.key < key) key = head.key
    if (key === Number.POSITIVE_INFINITY) return
    for (const cursor of cursors) {
      if (cursor.head?.key !== key) continue
      cursor.addTo(sorter)
      if (!cursor.step()) await cursor.refill()
    }
    if (!other.done && other.value.key === key) {
      const { rows, payloads } = other.value
      sorter.addAll(rows, payloads, rows.length)
      other = await others.next()
    }
    const { rows, payloads } = sorter.take()
    if (rows.length > 0) yield { key, rows, payloads }
  }
}

class Cursor {
  readonly #lists: OldLists
  readonly #batches: AsyncGenerator<ScannedTerm[]>
  #batch: readonly ScannedTerm[] = []
  #at = 0
  readonly #block = emptyBlock()
  /** The next term; undefined at the end, or if `refill` must be called. */
  head: ScannedTerm | undefined

  constructor(lists: OldLists, batches: AsyncGenerator<ScannedTerm[]>) {
    this.#lists = lists
    this.#batches = batches
  }

  addTo(sorter: PostingSorter): void {
    const { rows, translate } = this.#lists
    const { list, postings } = this.head as ScannedTerm
    if (postings) {
      const { length } = postings.rows
      translate?.(postings.payloads, length)
      sorter.addAll(postings.rows, postings.payloads, length, rows)
      return
    }
    const block = this.#block
    for (let b = 0; b < (list?.blocks ?? 0); b++) {
      list?.decode(b, block)
      translate?.(block.payloads, block.count)
      sorter.addAll(block.rows, block.payloads, block.count, rows)
    }
  }

  /** @returns false: `refill` must be called */
  step(): boolean {
    this.head = this.#batch[++this.#at]
    return this.head !== undefined
  }

  async refill(): Promise<void> {
    const next = await this.#batches.next()
    this.#batch = next.done ? [] : next.value
    this.#at = 0
    this.head = this.#batch[0]
  }
}
