/** Reads the whole word indexes and the dictionary of a segment and checks all that can be checked without its rows. */
import type { SegmentReader } from '../format/segment/reader.ts'
import { WordDictionary } from './dictionary/word-dictionary.ts'
import { pageOf } from './keys.ts'
import { MOST_IN_BOUND } from './layout.ts'
import { emptyBlock, type PostingList } from './posting-list.ts'
import { roundedLength } from './rounded-length.ts'
import type { TermEntry } from './term-page.ts'
import { WordIndex } from './word-index.ts'

const PAGES_AT_ONCE = 64

/** Does nothing for a segment without word indexes. @throws SiltstoneError `corrupt` (`section-damaged`) at the first damage */
export async function verifyWordIndexes(reader: SegmentReader): Promise<void> {
  for (const index of WordIndex.all(reader)) await verify(index, reader.rows)
  for (const dictionary of WordDictionary.all(reader)) await dictionary.verify()
}

async function verify(index: WordIndex, rows: number): Promise<void> {
  const { params } = index
  const lengths = index.isOfTexts ? await index.lengths() : undefined
  const weights = index.isOfTexts ? undefined : await index.weights()
  if (lengths) {
    let valued = 0
    let total = 0
    for (const length of lengths) {
      if (length === 0) continue
      valued++
      total += length - 1
    }
    if (valued !== params.valued || total !== params.totalLength)
      index.fail(
        `has ${valued} documents of ${total} words, and its parameters say ${params.valued} of ${params.totalLength}`,
      )
  }
  const check = postingCheck(index, rows, lengths, weights)
  let terms = 0
  let lastKey = -1
  let listEnd = 0
  for (let first = 0; first < params.pages; first += PAGES_AT_ONCE) {
    const numbers = Array.from({ length: Math.min(PAGES_AT_ONCE, params.pages - first) }, (_, i) => first + i)
    const pages = await index.pages(numbers)
    for (const number of numbers) {
      const page = pages.get(number)
      const keys = Array.from({ length: page?.terms ?? 0 }, (_, i) => page?.key(i) as number)
      for (const key of keys) {
        if (key <= lastKey) index.fail(`: page ${number} is out of order`)
        if (pageOf(key, index.keySpace, params.pages) !== number)
          index.fail(`: page ${number} has a term of another page`)
        lastKey = key
      }
      const entries = page?.entries() ?? []
      for (const { offset, length } of placesOf(entries)) {
        if (offset !== listEnd) index.fail(`: a list begins at ${offset}, and the one before ends at ${listEnd}`)
        listEnd = offset + length
      }
      terms += keys.length
      for (const { postings } of entries) if (postings) check.inline(postings.rows, postings.payloads)
      for (const list of await index.storedLists(entries.filter(({ list }) => list))) check.list(list)
    }
  }
  if (listEnd !== params.pagesOffset) index.fail(`: its lists end at ${listEnd} instead of ${params.pagesOffset}`)
  if (terms !== params.terms) index.fail(`has ${terms} terms, and its parameters say ${params.terms}`)
  check.sums()
}

function placesOf(entries: readonly TermEntry[]): { offset: number; length: number }[] {
  return entries.flatMap(({ list }) => (list ? [list] : []))
}

/** Where the lists of an index begin in its section, and where the last one ends. @throws SiltstoneError `corrupt` */
export async function listBoundaries(index: WordIndex): Promise<number[]> {
  const pages = await index.pages(Array.from({ length: index.params.pages }, (_, page) => page))
  const places = [...pages].sort(([a], [b]) => a - b).flatMap(([, page]) => placesOf(page.entries()))
  return [...places.map(({ offset }) => offset), index.params.pagesOffset]
}

interface PostingCheck {
  /** What is in a page has no bounds. */
  inline(rows: ArrayLike<number>, payloads: ArrayLike<number>): void
  list(list: PostingList): void
  /** Call after all postings. */
  sums(): void
}

/** Checks that rows ascend, payloads exist, bounds hold, and the words of each row add up to its length. */
function postingCheck(
  index: WordIndex,
  rows: number,
  lengths: ArrayLike<number> | undefined,
  weights: Float32Array | undefined,
): PostingCheck {
  const words = new Float64Array(lengths ? rows : 0)
  const bits = new Uint32Array(1)
  const float = new Float32Array(bits.buffer)
  const floatOf = (stored: number): number => {
    bits[0] = stored
    return float[0] as number
  }
  const weightOf = (payload: number): number => {
    if (!weights) return floatOf(payload)
    return payload < weights.length ? (weights[payload] as number) : index.fail(`names weight ${payload}`)
  }
  /** @param bound undefined: none */
  const checkAll = (
    some: ArrayLike<number>,
    payloads: ArrayLike<number>,
    count: number,
    before: number,
    bound: number | undefined,
  ): number => {
    const isBound = bound !== undefined
    const most = !isBound ? Number.POSITIVE_INFINITY : lengths ? bound >>> 16 : floatOf(bound)
    const shortest = isBound ? bound & MOST_IN_BOUND : 0
    let last = before
    for (let i = 0; i < count; i++) {
      const row = some[i] as number
      const payload = payloads[i] as number
      if (row <= last || row >= rows) index.fail(`: a list has row ${row} after ${last}, and there are ${rows}`)
      last = row
      if (!lengths) {
        const weight = weightOf(payload)
        if (weight > most || weight < index.params.leastWeight) index.fail(`: a weight of row ${row} is out of bounds`)
        continue
      }
      const frequency = payload + 1
      const length = (lengths[row] as number) - 1
      if (frequency > length && !index.hasRoundedLengths)
        index.fail(`: row ${row} has a word ${frequency} times in ${length} words`)
      if (Math.min(frequency, MOST_IN_BOUND) > most || Math.min(length, MOST_IN_BOUND) < shortest)
        index.fail(`: row ${row} is outside of its bound`)
      words[row] = (words[row] as number) + frequency
    }
    return last
  }
  const block = emptyBlock()
  return {
    inline: (some, payloads) => void checkAll(some, payloads, some.length, -1, undefined),
    list: (list) => {
      let last = -1
      for (let b = 0; b < list.blocks; b++) {
        list.decode(b, block)
        last = checkAll(block.rows, block.payloads, block.count, last, list.bound(b))
        if (last !== list.lastRow(b)) index.fail(`: a block ends at row ${last} instead of ${list.lastRow(b)}`)
      }
    },
    sums: () => {
      if (!lengths) return
      const lengthOf = index.hasRoundedLengths ? roundedLength : (sum: number) => sum
      const wrong = words.findIndex((sum, row) => lengthOf(sum) !== Math.max(0, (lengths[row] as number) - 1))
      if (wrong >= 0) index.fail(`: the words of row ${wrong} are ${words[wrong]}, and its length is ${lengths[wrong]}`)
    },
  }
}
