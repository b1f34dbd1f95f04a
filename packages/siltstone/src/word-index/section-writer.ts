/** Writes the section of one word index: see `layout.ts`. */
import { crc32, zstdCompress } from '#codec'
import { writeUint32 } from '../codec/bytes.ts'
import type { Sink } from '../format/segment/sink.ts'
import type { SegmentLayout } from '../format/segment/layout.ts'
import type { SectionContent } from '../format/segment/writer.ts'
import type { TermPostings } from './inverter.ts'
import { type KeySpace, pageOf } from './keys.ts'
import { COMPACT_VERSION, INLINE_POSTINGS, WORD_INDEX_TYPE, type WordIndexParams } from './layout.ts'
import { type BoundOf, encodeList } from './posting-list.ts'
import { PendingTerms } from './term-page.ts'

export type TermLayout = Pick<SegmentLayout, 'isCompact' | 'termPageBytes'>

/** Level of Zstandard: pages are written once and read often. */
const LEVEL = 19
/** Pages together may be this much larger than what they hold: keys are spread evenly, unless somebody chose them. */
const MOST_PAGE_WASTE = 3

export interface SectionSpec {
  keys: KeySpace
  areFloats: boolean
  boundOf: BoundOf
  /** Written last: lengths, or the table of weights; undefined: none. */
  tail: Uint8Array | undefined
  layout: TermLayout
  params: Pick<WordIndexParams, 'key' | 'kind' | 'valued' | 'totalLength' | 'lengthBytes' | 'leastWeight'>
}

/** @param lists by ascending key, none of them empty */
export async function writeWordSection(
  lists: AsyncIterable<TermPostings>,
  sink: Sink,
  spec: SectionSpec,
): Promise<SectionContent> {
  const { keys, areFloats, boundOf, layout } = spec
  const terms = new PendingTerms(keys)
  for await (const { key, rows, payloads } of lists) {
    if (rows.length <= INLINE_POSTINGS) terms.addInline(key, rows, payloads)
    else {
      const bytes = encodeList(rows, payloads, areFloats, boundOf)
      terms.addListed(key, rows.length, bytes.length)
      await sink.write(bytes)
    }
  }
  const pagesOffset = sink.position
  const { pages, pageBytes } = await writePages(terms, sink, layout.termPageBytes)
  const tailOffset = sink.position
  if (spec.tail) await sink.write(withChecksum(layout.isCompact ? zstdCompress(spec.tail, LEVEL) : spec.tail))
  const count = terms.keys.length
  const params: WordIndexParams = { ...spec.params, terms: count, pages, pageBytes, pagesOffset, tailOffset }
  return { type: WORD_INDEX_TYPE, ...(layout.isCompact && { version: COMPACT_VERSION }), params: { ...params } }
}

function withChecksum(bytes: Uint8Array): Uint8Array {
  const checked = new Uint8Array(4 + bytes.length)
  checked.set(bytes, 4)
  writeUint32(checked, 0, crc32(bytes))
  return checked
}

async function writePages(terms: PendingTerms, sink: Sink, targetBytes: number) {
  const sizeBytes = terms.sizeBytes(0, terms.keys.length)
  let pages = Math.max(1, Math.ceil(sizeBytes / targetBytes))
  let ends = pageEnds(terms, pages)
  const largest = () => ends.reduce((most, end, page) => Math.max(most, terms.sizeBytes(ends[page - 1] ?? 0, end)), 0)
  while (pages > 1 && largest() * pages > MOST_PAGE_WASTE * sizeBytes) {
    pages >>>= 1
    ends = pageEnds(terms, pages)
  }
  const pageBytes = largest()
  let first = 0
  let firstList = 0
  for (const end of ends) {
    await sink.write(terms.page(first, end, firstList, pageBytes))
    firstList += terms.listBytes(first, end)
    first = end
  }
  return { pages, pageBytes }
}

/** The terms of each page end where those of the next begin. */
function pageEnds({ keys, keySpace }: PendingTerms, pages: number): number[] {
  let end = 0
  return Array.from({ length: pages }, (_, page) => {
    while (end < keys.length && pageOf(keys[end] as number, keySpace, pages) === page) end++
    return end
  })
}
