/**
 * The layout of a dictionary: a section of a segment with all different words of the rows' documents, or of the strings under one
 * metadata key, without the
 * difference of case and without stemming, and for each how many of the documents have it. The index of words knows
 * terms by their hashes alone; the dictionary finds the words that begin with some letters, or resemble another.
 *
 * - *Blocks* of words in the order of their UTF-8 bytes, front-coded and compressed.
 * - The *directory*: for each block its first word, its size, and the number of its words. A reader that holds it finds
 *   any stretch of words in one round.
 *
 * docs/reference/format.md describes the bytes.
 */
export const DICTIONARY = { name: 'dictionary', type: 'front-coded-words' } as const
/** Of the i-th metadata key with texts. */
export const textDictionaryName = (i: number): string => `${DICTIONARY.name}-${i}`

/** Of the words of a block, before compression. */
export const BLOCK_RAW_BYTES = 16 * 1024
/** A dictionary up to this size is read in one piece. */
export const WHOLE_BYTES = 128 * 1024

/** A word, and how many documents of the segment have it. */
export interface WordRows {
  word: string
  rows: number
}
