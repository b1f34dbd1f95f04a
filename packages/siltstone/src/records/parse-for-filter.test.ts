import fc from 'fast-check'
import { expect, it } from 'vitest'
import { compileFilter } from '../filter/evaluate.ts'
import type { Filter } from '../model/filter.ts'
import { parseMetadata, stringifyMetadata } from './metadata.ts'
import { parseForFilter } from './parse-for-filter.ts'
import type { MetadataScalar } from '../model/record.ts'

const scalar: fc.Arbitrary<MetadataScalar> = fc.oneof(
  fc.constantFrom<MetadataScalar>(
    1n,
    1,
    1.5,
    2n,
    true,
    'a',
    '1',
    9007199254740993n,
    9007199254740992,
    -3n,
    '1234567890123456',
  ),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const value = fc.oneof(
  scalar,
  fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
  fc.array(fc.integer().map(BigInt), { minLength: 1, maxLength: 3 }),
  fc.array(fc.bigInt({ min: 2n ** 53n - 3n, max: 2n ** 53n + 3n }), { minLength: 1, maxLength: 3 }),
  fc.array(fc.constantFrom(9007199254740992, 1e300, 0.1234567890123456), { minLength: 1, maxLength: 3 }),
)

it('judges as exact metadata does', () => {
  const filter: fc.Arbitrary<Filter> = fc.oneof(
    fc.record({
      kind: fc.constant('compare' as const),
      key: fc.constant('k'),
      op: fc.constantFrom('eq' as const, 'ne' as const),
      value: scalar,
    }),
    fc.record({
      kind: fc.constant('compare' as const),
      key: fc.constant('k'),
      op: fc.constantFrom('lt' as const, 'lte' as const, 'gt' as const, 'gte' as const),
      value: fc.oneof(fc.double({ noNaN: true }), fc.bigInt({ min: -100n, max: 100n })),
    }),
    fc.record({ kind: fc.constant('contains' as const), key: fc.constant('k'), negated: fc.boolean(), value: scalar }),
  )
  fc.assert(
    fc.property(value, filter, (stored, one) => {
      const text = stringifyMetadata(new Map([['k', stored]]))
      const test = compileFilter(one)
      expect(test({ id: 'x', document: null, metadata: parseForFilter(text) })).toBe(
        test({ id: 'x', document: null, metadata: parseMetadata(text) }),
      )
    }),
    { numRuns: 2_000 },
  )
})
