/** Ranges of numbers: of one comparison, and of several of the same key that a conjunction joins. */
import type { Filter } from '../model/filter.ts'
import type { Range } from './runs.ts'

export type Order = 'gt' | 'gte' | 'lt' | 'lte'

type Comparison = Extract<Filter, { kind: 'compare' }>
export type OrderComparison = Comparison & { op: Order; value: number | bigint }

/**
 * For a bigint between two doubles, the range ends at the double to which it rounds: this double is included exactly if
 * it satisfies the comparison, and no other double lies between the two.
 */
export function rangeOf(op: Order, value: number | bigint): Range {
  const rounded = Number(value)
  // Whether the rounded value satisfies the comparison. JavaScript compares a number and a bigint by their exact values.
  const inclusive =
    op === 'gt' ? rounded > value : op === 'gte' ? rounded >= value : op === 'lt' ? rounded < value : rounded <= value
  const bound = { value: rounded === 0 ? 0 : rounded, inclusive }
  return op === 'gt' || op === 'gte' ? { from: bound } : { to: bound }
}

/** The values that are in all of the ranges. */
export function intersection(ranges: readonly Range[]): Range {
  const common: Range = {}
  for (const { from, to } of ranges) {
    if (from && isNarrower(from, common.from, from.value > (common.from?.value ?? -Infinity))) common.from = from
    if (to && isNarrower(to, common.to, to.value < (common.to?.value ?? Infinity))) common.to = to
  }
  return common
}

type Bound = NonNullable<Range['from']>

const isNarrower = (bound: Bound, known: Bound | undefined, isInside: boolean) =>
  known === undefined || isInside || (bound.value === known.value && !bound.inclusive)

/**
 * The clauses of a conjunction, those of conjunctions within it included, with the comparisons that bound one key from both sides
 * put together: read one by one, each of them names half of all rows.
 */
export function joined(clauses: readonly Filter[]): { single: Filter[]; between: OrderComparison[][] } {
  const flat = clauses.flatMap(function flatten(clause): Filter[] {
    return clause.kind === 'and' ? clause.clauses.flatMap(flatten) : [clause]
  })
  const byKey = Map.groupBy(flat.filter(isOrder), ({ key }) => key)
  const between = [...byKey.values()].filter((some) => isBoundedBySides(some))
  const taken = new Set<Filter>(between.flat())
  return { single: flat.filter((clause) => !taken.has(clause)), between }
}

function isOrder(clause: Filter): clause is OrderComparison {
  if (clause.kind !== 'compare' || clause.op === 'eq' || clause.op === 'ne') return false
  return typeof clause.value === 'number' || typeof clause.value === 'bigint'
}

const isBoundedBySides = (some: readonly OrderComparison[]) =>
  some.some(({ op }) => op === 'gt' || op === 'gte') && some.some(({ op }) => op === 'lt' || op === 'lte')
