/**
 * How meaning and words are joined into one ranking unless somebody asks for another: in `$hybrid` of the search API, `hybrid` of
 * the library, `siltstone query --hybrid`, the tool of agents, the console, the demo, and the search box of pages.
 *
 *     ln(1 + position by meaning) + 1 − BM25
 *
 * Both parts say how surprising a match is if the record has nothing to do with the query, in nats: the position among N
 * records is at most r with a probability of r / N, and the inverse document frequencies that BM25 adds up are the logarithms of
 * such probabilities (Robertson, "Understanding inverse document frequency", 2004). So nothing has to be normalised: rare words
 * outweigh the position, and frequent ones leave the order to it. What only one of the searches finds is kept, behind what the
 * other one has last, or without any words.
 */

import { DOCUMENT_KEY } from '../model/schema.ts'

/**
 * Records that each of the two searches finds at most, unless somebody asks for more. What the search by meaning does not find counts
 * as being in this place.
 */
export const HYBRID_LIST = 100

/**
 * Records that the search by meaning finds if no more are answered: its cost grows with them, and the logarithms of the places from
 * here to the end of the list differ by 0.9 at most. Over five sets of queries (passages of packages, Cranfield, manual pages,
 * titles of two sets of HTML documentation; 6,611 queries) MRR@10 or nDCG@10 differed from that of the whole list by -0.0009 to
 * 0.0001, each with a standard error of 0.0006 to 0.0009; with 30 records by -0.0017 to 0.0001. It is the place of the others
 * that counts: with 40 instead of 100 the worst of the five lost 0.0054 (0.0014). Lists of 200 gained nothing anywhere (-0.0032 to 0.0000).
 */
export const MEANING_LIST = 40

/** The score of a record that the search by words does not find: it has none of them. */
export const WITHOUT_WORDS = 1

export interface Hybrid {
  /** Whose words are looked for, and which is embedded unless there is a vector. */
  query: string
  vector?: readonly number[] | undefined
  /** Texts in which the words are looked for, with the weight of each. Default: documents. */
  fields?: unknown
  /** Records that each of the two searches finds at most. Default: `HYBRID_LIST`, and fewer by meaning if few are answered. */
  limit?: number | undefined
  /** How many of the best decide the answer. Default: all. */
  answers?: number | undefined
}

/** The arithmetic as a rank expression of the search API. */
export function hybridExpression({ query, vector, fields, limit, answers = Number.POSITIVE_INFINITY }: Hybrid) {
  const most = limit ?? HYBRID_LIST
  const nearest = limit ?? (answers <= MEANING_LIST ? MEANING_LIST : HYBRID_LIST)
  const meaning = { query: vector ?? query, limit: nearest, default: most, return_rank: true }
  const key = fields === undefined ? { key: DOCUMENT_KEY } : { fields }
  const words = { query, ...key, limit: most, default: WITHOUT_WORDS }
  return { $sum: [{ $log: { $sum: [{ $val: 1 }, { $knn: meaning }] } }, { $knn: words }] }
}

/**
 * The same arithmetic in place, to the bit: in 32-bit floats.
 * @param position by meaning, from 0; of a record that is not found, the length of the list
 * @param words the score by words
 */
export function joinedScore(position: number, words: number): number {
  return Math.fround(Math.fround(Math.log(Math.fround(1 + position))) + words)
}
