/** Short forms of rank expressions. */
import { invalid } from '../errors.ts'
import type { KnnExpression, RankExpression } from './search-types.ts'

/** Stands for "not in the list": 1 / (k + this) adds nothing to a score of 32 bits. */
const UNRANKED = 1e9

/** A nearest-neighbour search as an expression; see `KnnExpression`. */
export function knn(expression: KnnExpression): RankExpression {
  return { $knn: expression }
}

export interface RrfArguments {
  ranks: readonly KnnExpression[]
  /** One for each rank, at least 0. Default: all 1. */
  weights?: readonly number[] | undefined
  /** Default 60. */
  k?: number | undefined
}

/**
 * Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009): −Σ weight / (k + position). Records that only some of the
 * searches find are kept, as in the paper; the client's `Rrf` leaves them out unless each search has a `default`.
 * @throws SiltstoneError `invalid` (bad-search)
 */
export function rrf({ ranks, weights, k = 60 }: RrfArguments): RankExpression {
  const bad = (field: string, problem: string) => invalid('bad-search', `${field} ${problem}`, { field })
  if (ranks.length === 0) throw bad('ranks', 'is empty; give at least one search')
  if (weights && weights.length !== ranks.length)
    throw bad('weights', `has ${weights.length} elements and ranks ${ranks.length}; give one for each`)
  const negative = weights?.find((weight) => !(weight >= 0))
  if (negative !== undefined) throw bad('weights', `has ${negative}; give numbers of 0 or more`)
  if (!(k > 0)) throw bad('k', `is ${k}; give a number above 0`)
  return {
    $sum: ranks.map((expression, i) => ({
      $div: {
        left: { $val: -(weights?.[i] ?? 1) },
        right: { $sum: [{ $val: k }, { $knn: { default: UNRANKED, ...expression, return_rank: true } }] },
      },
    })),
  }
}

export interface HybridArguments {
  /** Whose words are looked for, and which the collection's embedder embeds unless there is a vector. */
  query: string
  vector?: readonly number[] | Float32Array | undefined
  /** Look for the words in several texts of each record, with the weight of each. Default: in documents. */
  fields?: Readonly<Record<string, number>> | undefined
  /** Records that each of the two searches finds at most. Default: 100; 40 by meaning if no more are answered. */
  limit?: number | undefined
}

/**
 * Ranks by meaning and by words together: ln(1 + position by meaning) + 1 − BM25; see `search/hybrid.ts` for the reasons.
 * What only one of the searches finds is kept, behind what the other one has last, or without any words.
 * @throws SiltstoneError `invalid` (bad-search)
 */
export function hybrid({ query, vector, fields, limit }: HybridArguments): RankExpression {
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0))
    throw invalid('bad-search', `limit is ${limit}; give a whole number above 0`, { field: 'limit' })
  return {
    $hybrid: {
      query,
      ...(vector && { vector: Array.from(vector) }),
      ...(fields && { fields }),
      ...(limit !== undefined && { limit }),
    },
  }
}
