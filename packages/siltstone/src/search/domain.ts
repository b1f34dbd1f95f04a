/**
 * The arithmetic of rank expressions over a fixed list of records, in 32-bit floats, column by column.
 *
 * Each expression gives some records a score of their own (its *support*) and may have a *default* for all others. For
 * two expressions that are combined:
 *
 * | left has a default | right has a default | support of the result                             | default |
 * |--------------------|---------------------|---------------------------------------------------|---------|
 * | yes                | yes                 | both supports together; a missing side is its default | yes |
 * | yes                | no                  | the right one's                                   | no      |
 * | no                 | yes                 | the left one's                                    | no      |
 * | no                 | no                  | records that are in both                          | no      |
 *
 * The answer to an expression is its support: a default never adds a record that no search found. An attribute is a
 * default that differs from record to record, and may be missing for some of them.
 */
import type { BinaryOperator, NaryOperator, UnaryOperator } from '../model/search.ts'

/** What an expression says about a record: nothing; its default; a score of its own. */
const NOTHING = 0
const DEFAULT = 1
const SUPPORT = 2

export interface Domain {
  hasDefault: boolean
  /** One for each record; only meaningful where `states` is not NOTHING. */
  values: Float32Array
  states: Uint8Array
}

export function constant(value: number, records: number): Domain {
  return {
    hasDefault: true,
    values: new Float32Array(records).fill(value),
    states: new Uint8Array(records).fill(DEFAULT),
  }
}

/** @param places of the records that have scores @param scores in the same order */
export function support(
  places: ArrayLike<number>,
  scores: ArrayLike<number>,
  byDefault: number | null,
  records: number,
): Domain {
  const domain: Domain = {
    hasDefault: byDefault !== null,
    values: new Float32Array(records),
    states: new Uint8Array(records),
  }
  if (byDefault !== null) {
    domain.values.fill(byDefault)
    domain.states.fill(DEFAULT)
  }
  for (let i = 0; i < places.length; i++) {
    const place = places[i] as number
    domain.values[place] = scores[i] as number
    domain.states[place] = SUPPORT
  }
  return domain
}

/** @param values null: the record has none */
export function attribute(values: readonly (number | null)[]): Domain {
  return {
    hasDefault: true,
    values: Float32Array.from(values, (value) => value ?? 0),
    states: Uint8Array.from(values, (value) => (value === null ? NOTHING : DEFAULT)),
  }
}

type Combine = (left: number, right: number) => number

const BINARY: Record<BinaryOperator, Combine> = {
  sub: (left, right) => left - right,
  div: (left, right) => left / right,
}

const F32_MAX = 3.4028234663852886e38
const NARY: Record<NaryOperator, { start: number; combine: Combine }> = {
  sum: { start: 0, combine: (left, right) => left + right },
  mul: { start: 1, combine: (left, right) => left * right },
  max: { start: -F32_MAX, combine: (left, right) => ignoreNaN(left, right, Math.max) },
  min: { start: F32_MAX, combine: (left, right) => ignoreNaN(left, right, Math.min) },
}

/** Rust's `f32::max` and `min` give the other number if one is NaN. */
function ignoreNaN(left: number, right: number, choose: Combine): number {
  return Number.isNaN(left) ? right : Number.isNaN(right) ? left : choose(left, right)
}

const UNARY: Record<UnaryOperator, (value: number) => number> = { abs: Math.abs, exp: Math.exp, log: Math.log }

export function binary(operator: BinaryOperator, left: Domain, right: Domain): Domain {
  return combined(left, right, BINARY[operator])
}

/** Folds from the left; without operands it is the neutral number. */
export function nary(operator: NaryOperator, operands: readonly Domain[], records: number): Domain {
  const { start, combine } = NARY[operator]
  return operands.reduce((left, right) => combined(left, right, combine), constant(start, records))
}

export function unary(operator: UnaryOperator, operand: Domain): Domain {
  return { ...operand, values: operand.values.map(UNARY[operator]) }
}

function combined(left: Domain, right: Domain, combine: Combine): Domain {
  const records = left.values.length
  const hasDefault = left.hasDefault && right.hasDefault
  const values = new Float32Array(records)
  const states = new Uint8Array(records)
  for (let i = 0; i < records; i++) {
    const l = left.states[i] as number
    const r = right.states[i] as number
    if (l < (left.hasDefault ? DEFAULT : SUPPORT) || r < (right.hasDefault ? DEFAULT : SUPPORT)) continue
    states[i] = hasDefault ? Math.max(l, r) : SUPPORT
    // Storing rounds to 32 bits; the exact result of two 32-bit floats in 64 bits is rounded as one in 32 bits is.
    values[i] = combine(left.values[i] as number, right.values[i] as number)
  }
  return { hasDefault, values, states }
}

/** The places of the records in the support. */
export function supportOf({ states }: Domain): number[] {
  const places: number[] = []
  for (let i = 0; i < states.length; i++) if (states[i] === SUPPORT) places.push(i)
  return places
}
