/**
 * The layout of a word index: a section of a segment that says which rows have a term, and how much of it. A term is a word
 * of the rows' documents or of the strings under one metadata key, or a dimension of the sparse vectors under one. docs/reference/format.md describes
 * the bytes.
 *
 * - *Lists*, one for each term of more than `INLINE_POSTINGS` rows, in the order of the terms' keys: blocks of 128
 *   postings, with a directory that bounds what a posting of each block can add to a score.
 * - *Pages* of equal size with what is known of each term, in the order of keys. Keys are spread evenly, so the page of a
 *   key is arithmetic, and a reader that knows nothing but the segment's descriptor finds the lists of any number of terms
 *   in two rounds. Short lists are in the page itself.
 * - Of texts, the *lengths*: words per row. Of sparse vectors, the *table*: the different weights in ascending order,
 *   unless there are too many.
 */
import type { SectionDescriptor } from '../format/segment/descriptor.ts'

export const WORD_INDEX_TYPE = 'postings'
/** Of segments for pages: what follows the pages is compressed with Zstandard, after its checksum, and lengths are rounded. */
export const COMPACT_VERSION = 3
/** The same with exact lengths. */
export const EXACT_COMPACT_VERSION = 2

/** The names of the sections of documents, of the i-th metadata key with texts, and of the i-th sparse key. */
export const DOCUMENT_WORDS = 'words'
export const textSectionName = (i: number): string => `words-${i}`
export const sparseSectionName = (i: number): string => `sparse-${i}`

/** Postings of a block. */
export const BLOCK_POSTINGS = 128
/** The longest list that is in its page. */
export const INLINE_POSTINGS = 16
/** Words of a directory entry: last row; end of the block in words; bits of rows and payloads; bound. */
export const ENTRY_WORDS = 4
/** Bits of a payload that is a 32-bit float. */
export const FLOAT_BITS = 32
/** More different weights than this are stored as floats. */
export const MOST_WEIGHTS = 65_536
/** Bytes in front of the entries of a page: CRC-32, number of terms, offset of the first list. */
export const PAGE_HEAD_BYTES = 16
/** A length of at least this has this in a bound. */
export const MOST_IN_BOUND = 65_535

/** Of the params of a section. */
export interface WordIndexParams {
  /** `#document`, or a metadata key. */
  key: string
  /** The name of the analyzer; of sparse vectors, how weights are stored. */
  kind: string
  /** Rows that have a text or a vector. */
  valued: number
  /** Of all texts, in words. */
  totalLength: number
  terms: number
  pages: number
  pageBytes: number
  pagesOffset: number
  /** Of the lengths or the table, to the end of the section. */
  tailOffset: number
  /** Of a length. */
  lengthBytes: number
  /** The least weight if it is negative, otherwise 0. */
  leastWeight: number
}

export const TABLE_WEIGHTS = 'table'
export const FLOAT_WEIGHTS = 'floats'

/** @param kind of the params of a section */
export function isOfTexts(kind: unknown): boolean {
  return kind !== TABLE_WEIGHTS && kind !== FLOAT_WEIGHTS
}

export function isWordIndex(section: SectionDescriptor): boolean {
  return section.type === WORD_INDEX_TYPE && section.version >= 1 && section.version <= COMPACT_VERSION
}
