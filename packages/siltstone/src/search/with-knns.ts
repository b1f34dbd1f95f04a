import type { Knn, Rank, Search } from '../model/search.ts'

/** The same expression with each `$knn` replaced. */
export function withKnns(rank: Rank, replace: (knn: Knn) => Knn): Rank {
  if (rank.kind === 'knn') return { kind: 'knn', knn: replace(rank.knn) }
  if ('operands' in rank) return { ...rank, operands: rank.operands.map((operand) => withKnns(operand, replace)) }
  if ('left' in rank) return { ...rank, left: withKnns(rank.left, replace), right: withKnns(rank.right, replace) }
  return 'operand' in rank ? { ...rank, operand: withKnns(rank.operand, replace) } : rank
}

export function searchWithKnns(search: Search, replace: (knn: Knn) => Knn): Search {
  return search.rank ? { ...search, rank: withKnns(search.rank, replace) } : search
}
