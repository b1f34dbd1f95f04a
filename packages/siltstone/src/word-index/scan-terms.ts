/** Reads a whole word index, term by term. */
import type { PostingList } from './posting-list.ts'
import type { TermEntry } from './term-page.ts'
import type { WordIndex } from './word-index.ts'

/** A page has some hundred terms. */
const PAGES_AT_ONCE = 16
/** About what a term takes in memory beside its list. */
const TERM_BYTES = 300

/** A term with its list, or with its postings if they are in the page. */
export interface ScannedTerm {
  key: number
  list: PostingList | undefined
  postings: TermEntry['postings']
}

/**
 * All terms in the order of their keys, some at a time.
 * @param mostBytes of lists in memory; a longer list stands alone
 * @throws SiltstoneError `corrupt` (`section-damaged`, …)
 */
export async function* scanTerms(index: WordIndex, rows: number, mostBytes: number): AsyncGenerator<ScannedTerm[]> {
  let pending: { key: number; entry: TermEntry }[] = []
  let bytes = 0
  let last = -1
  for (let first = 0; first < index.params.pages; first += PAGES_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(PAGES_AT_ONCE, index.params.pages - first) }, (_, i) => first + i)
    const pages = await index.pages(numbers)
    for (const number of numbers) {
      const page = pages.get(number)
      if (!page) continue
      for (const [i, entry] of page.entries().entries()) {
        const key = page.key(i)
        if (key <= last) index.fail(`: page ${number} is out of order`)
        last = key
        const lastRow = entry.postings?.rows.at(-1) ?? -1
        if (lastRow >= rows) index.fail(`names row ${lastRow}`)
        const length = entry.list?.length ?? 0
        if (pending.length > 0 && bytes + length > mostBytes) {
          yield withLists(index, pending)
          pending = []
          bytes = 0
        }
        pending.push({ key, entry })
        bytes += length + TERM_BYTES
      }
    }
  }
  if (pending.length > 0) yield withLists(index, pending)
}

async function withLists(
  index: WordIndex,
  terms: readonly { key: number; entry: TermEntry }[],
): Promise<ScannedTerm[]> {
  const lists = await index.storedLists(terms.flatMap(({ entry }) => (entry.list ? [entry] : [])))
  let at = 0
  return terms.map(({ key, entry: { list, postings } }) => ({ key, list: list && lists[at++], postings }))
}
