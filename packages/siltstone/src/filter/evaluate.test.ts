import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Metadata, MetadataScalar, MetadataValue } from '../model/record.ts'
import { equalityKey } from './compare.ts'
import { columnsOf, compileFilter } from './evaluate.ts'
import { parseWhere } from './parse.ts'
import type { Filter, FilterRow } from '../model/filter.ts'

const row = (metadata: Record<string, MetadataValue> | null, document: string | null = null): FilterRow => ({
  id: 'r',
  metadata: metadata === null ? null : (new Map(Object.entries(metadata)) as Metadata),
  document,
})
const on = (value: MetadataValue | undefined, condition: unknown) =>
  compileFilter(parseWhere({ k: condition }))(row(value === undefined ? { other: 1n } : { k: value }))

describe('compileFilter', () => {
  const cases: [value: MetadataValue | undefined, condition: unknown, expected: boolean][] = [
    [2n, { $gte: 2.5 }, false],
    [1n, 1.5, false],
    [1n, { $lt: 1.5 }, true],
    [1, 1n, true],
    [2n ** 53n + 1n, 2 ** 53, false],
    [2n ** 53n + 1n, { $gt: 2 ** 53 }, true],
    [2 ** 53, 2n ** 53n, true],
    [2n ** 63n - 1n, { $lt: 2 ** 63 }, true],
    [true, 1, false],
    [1n, true, false],
    [true, { $gt: 0 }, false],
    ['1', 1, false],
    ['b', { $in: ['a', 'b'] }, true],
    ['b', { $nin: ['a', 'b'] }, false],
    [1.5, { $in: [1, 1.5] }, true],
    [['a'], 'a', false],
    [['a'], { $in: ['a'] }, false],
    [['a'], { $ne: 'a' }, true],
    [['a'], { $nin: ['a'] }, true],
    [['a', 'b'], { $contains: 'b' }, true],
    [['a', 'b'], { $not_contains: 'b' }, false],
    [[1n, 2n], { $contains: 2.0 }, true],
    [[true], { $contains: 1 }, false],
    ['ab', { $contains: 'a' }, false],
    ['ab', { $not_contains: 'a' }, true],
    [{ indices: [1], values: [1] }, 1, false],
    [{ indices: [1], values: [1] }, { $ne: 1 }, true],
    [{ indices: [1], values: [1] }, { $contains: 1 }, false],
    [undefined, 1, false],
    [undefined, { $gt: 0 }, false],
    [undefined, { $in: [1] }, false],
    [undefined, { $contains: 1 }, false],
    [undefined, { $ne: 1 }, true],
    [undefined, { $nin: [1] }, true],
    [undefined, { $not_contains: 1 }, true],
  ]
  it.each(cases.map((one) => [inspect(one[0]), inspect(one[1]), one] as const))(
    '%s under %s',
    (_, __, [value, condition, expected]) => expect(on(value, condition)).toBe(expected),
  )

  it('never matches $contains and $regex without a document, and always their negations', () => {
    const test = (filter: unknown, document: string | null) =>
      compileFilter(parseWhere({ '#document': filter }))(row(null, document))
    for (const positive of ['$contains', '$regex'])
      expect([test({ [positive]: '' }, null), test({ [positive]: '' }, '')]).toEqual([false, true])
    for (const negative of ['$not_contains', '$not_regex']) {
      expect([test({ [negative]: '' }, null), test({ [negative]: '' }, '')]).toEqual([true, false])
    }
  })

  const scalar: fc.Arbitrary<MetadataScalar> = fc.oneof(
    fc.constantFrom<MetadataScalar>(
      0n,
      0,
      1n,
      1,
      2n ** 53n,
      2 ** 53,
      2n ** 53n + 1n,
      2 ** 53 + 2,
      true,
      false,
      '1',
      '',
    ),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  )

  it('compares numbers by value and everything else by identity', () => {
    /** Exact: compares as fractions of a power of two. */
    const equal = (a: MetadataScalar, b: MetadataScalar) => {
      const numeric = (x: MetadataScalar) => typeof x === 'bigint' || typeof x === 'number'
      if (!numeric(a) || !numeric(b)) return a === b
      return !(a < b) && !(a > b)
    }
    fc.assert(
      fc.property(scalar, scalar, (a, b) => {
        expect(equalityKey(a) === equalityKey(b)).toBe(equal(a, b))
      }),
    )
  })

  it('makes each negation the complement, and orders all numbers', () => {
    fc.assert(
      fc.property(
        fc.option(fc.oneof(scalar, fc.array(scalar, { minLength: 1 })), { nil: undefined }),
        scalar,
        (value, operand) => {
          const is = (filter: Filter) => compileFilter(filter)(row(value === undefined ? {} : { k: value }))
          const compare = (op: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte') =>
            is({ kind: 'compare', key: 'k', op, value: operand })
          expect(compare('ne')).toBe(!compare('eq'))
          for (const kind of ['in', 'contains'] as const) {
            const of = (negated: boolean) =>
              is(
                kind === 'in'
                  ? { kind, key: 'k', negated, values: [operand] }
                  : { kind, key: 'k', negated, value: operand },
              )
            expect(of(true)).toBe(!of(false))
          }
          expect(is({ kind: 'in', key: 'k', negated: false, values: [operand] })).toBe(compare('eq'))
          const numeric = [value, operand].every((x) => typeof x === 'bigint' || typeof x === 'number')
          const ways = [compare('lt'), compare('eq'), compare('gt')].filter(Boolean).length
          expect(numeric ? ways : Number(compare('lt')) + Number(compare('gt'))).toBe(numeric ? 1 : 0)
          expect(compare('lte')).toBe(numeric && (compare('lt') || compare('eq')))
          expect(compare('gte')).toBe(numeric && (compare('gt') || compare('eq')))
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('columnsOf', () => {
  it.each<[unknown, { metadata: boolean; document: boolean }]>([
    [{ k: 1 }, { metadata: true, document: false }],
    [{ k: { $contains: 1 } }, { metadata: true, document: false }],
    [{ '#document': { $contains: 'x' } }, { metadata: false, document: true }],
    [{ '#id': 'x' }, { metadata: false, document: false }],
    [{ $and: [] }, { metadata: false, document: false }],
    [
      { $or: [{ '#id': 'x' }, { $and: [{ k: 1 }, { '#document': { $regex: 'x' } }] }] },
      { metadata: true, document: true },
    ],
  ])('of %j are %j', (json, columns) => expect(columnsOf(parseWhere(json))).toEqual(columns))
})
