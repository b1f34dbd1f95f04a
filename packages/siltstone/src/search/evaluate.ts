/** Evaluates a rank expression over the records that its searches found. */
import type { Knn, Rank } from '../model/search.ts'
import { attribute, binary, constant, type Domain, nary, support, unary } from './domain.ts'

/** The `$knn` of an expression in the order of its text; one that stands in it twice is there twice. */
export function knnsOf(rank: Rank): Knn[] {
  switch (rank.kind) {
    case 'value':
    case 'attribute':
      return []
    case 'knn':
      return [rank.knn]
    case 'sum':
    case 'mul':
    case 'max':
    case 'min':
      return rank.operands.flatMap(knnsOf)
    case 'sub':
    case 'div':
      return [...knnsOf(rank.left), ...knnsOf(rank.right)]
    case 'abs':
    case 'exp':
    case 'log':
      return knnsOf(rank.operand)
  }
}

export function attributesOf(rank: Rank): string[] {
  if (rank.kind === 'attribute') return [rank.key]
  if ('operands' in rank) return rank.operands.flatMap(attributesOf)
  if ('left' in rank) return [...attributesOf(rank.left), ...attributesOf(rank.right)]
  return 'operand' in rank ? attributesOf(rank.operand) : []
}

/** What one `$knn` found, the best first. */
export interface FoundList {
  /** Of each record among those that any search found. */
  places: Uint32Array
  scores: Float32Array
}

/** What an expression is evaluated over. */
export interface Findings {
  /** The number of records that any search found. */
  records: number
  found: ReadonlyMap<Knn, FoundList>
  /** For each attribute: the number of each record, null without one. */
  attributes: ReadonlyMap<string, readonly (number | null)[]>
}

/** @param note is told the value of each part of the expression */
export function evaluate(rank: Rank, findings: Findings, note?: (rank: Rank, domain: Domain) => void): Domain {
  const domain = valueOf(rank, findings, note)
  note?.(rank, domain)
  return domain
}

function valueOf(rank: Rank, findings: Findings, note: ((rank: Rank, domain: Domain) => void) | undefined): Domain {
  const { records } = findings
  const of = (operand: Rank) => evaluate(operand, findings, note)
  switch (rank.kind) {
    case 'value':
      return constant(rank.value, records)
    case 'knn': {
      const { places, scores } = findings.found.get(rank.knn) as FoundList
      return support(places, rank.knn.returnRank ? scores.map((_, i) => i) : scores, rank.knn.default, records)
    }
    case 'attribute':
      return attribute((findings.attributes.get(rank.key) ?? []).map((value) => value ?? rank.default))
    case 'sum':
    case 'mul':
    case 'max':
    case 'min':
      return nary(rank.kind, rank.operands.map(of), records)
    case 'sub':
    case 'div':
      return binary(rank.kind, of(rank.left), of(rank.right))
    case 'abs':
    case 'exp':
    case 'log':
      return unary(rank.kind, of(rank.operand))
  }
}
