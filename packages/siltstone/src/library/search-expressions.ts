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
