/**
 * Where the score of a record comes from. An expression is read as a sum of terms: sums, differences, and products and
 * quotients with numbers distribute over their parts. A term in which exactly one `$knn` stands is its contribution;
 * reciprocal rank fusion is such a sum. Where two stand in one term, neither has a contribution of its own.
 */
import type { HitExplanation, Knn, Rank } from '../model/search.ts'
import type { Domain } from './domain.ts'
import { type FoundList, knnsOf } from './evaluate.ts'

interface Term {
  rank: Rank
  factor: number
}

/**
 * @param domains of all parts of the expression
 * @param found by each `$knn`
 */
export function explainer(
  rank: Rank,
  domains: ReadonlyMap<Rank, Domain>,
  found: ReadonlyMap<Knn, FoundList>,
): (place: number) => HitExplanation {
  const knns = knnsOf(rank)
  const terms = termsOf(rank, 1).map((term) => ({ ...term, knns: knnsOf(term.rank) }))
  const positions = new Map(
    Array.from(found, ([knn, { places }]) => [
      knn,
      new Map(Array.from(places, (place, position) => [place, position])),
    ]),
  )
  const valueAt = (part: Rank, place: number) => domains.get(part)?.values[place] as number
  return (place) => ({
    score: valueAt(rank, place),
    knn: knns.map((knn) => {
      const position = positions.get(knn)?.get(place) ?? null
      const [only, ...others] = terms.filter((term) => term.knns.includes(knn))
      const isAlone = only !== undefined && others.length === 0 && only.knns.length === 1
      return {
        rank: position,
        score: position === null ? null : (found.get(knn)?.scores[position] as number),
        contribution: isAlone ? Math.fround(only.factor * valueAt(only.rank, place)) : null,
      }
    }),
  })
}

function termsOf(rank: Rank, factor: number): Term[] {
  if (rank.kind === 'sum') return rank.operands.flatMap((operand) => termsOf(operand, factor))
  if (rank.kind === 'sub') return [...termsOf(rank.left, factor), ...termsOf(rank.right, -factor)]
  if (rank.kind === 'div') {
    const divisor = numberOf(rank.right)
    if (divisor !== undefined) return termsOf(rank.left, factor / divisor)
  }
  if (rank.kind === 'mul') {
    const numbers = rank.operands.map(numberOf)
    const [other, ...others] = rank.operands.filter((_, i) => numbers[i] === undefined)
    if (other && others.length === 0)
      return termsOf(
        other,
        numbers.reduce<number>((product, number) => product * (number ?? 1), factor),
      )
  }
  return [{ rank, factor }]
}

function numberOf(rank: Rank): number | undefined {
  return rank.kind === 'value' ? rank.value : undefined
}
