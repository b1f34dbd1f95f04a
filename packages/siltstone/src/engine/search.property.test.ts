/** Search over indexed segments against exact search and against the plainest computation. */
import fc from 'fast-check'
import { describe, it } from 'vitest'
import type { Space } from '../model/collection.ts'
import { checkWhole } from '../testing/search-checks.ts'
import { type SearchShape, searchWorld } from '../testing/search-world.ts'

const SHARES = [1, 0.1, 0.01, 0]

const share = fc.constantFrom(0, 0.02, 0.2)
const shape: fc.Arbitrary<SearchShape> = fc.record({
  space: fc.constantFrom<Space>('l2', 'cosine', 'ip'),
  dimension: fc.constantFrom(8, 17, 64),
  segments: fc.array(fc.integer({ min: 1_000, max: 2_500 }), { minLength: 1, maxLength: 3 }),
  data: fc.constantFrom('uniform', 'clustered', 'duplicated'),
  regrouped: share,
  moved: share,
  deleted: share,
  tail: fc.constantFrom(0, 1, 40),
  near: fc.boolean(),
  seed: fc.nat(1_000_000),
})

const usual = { regrouped: 0.05, moved: 0.05, deleted: 0.05, tail: 50, near: true, seed: 7 } as const

describe('a search that looks at everything', () => {
  it('is the exact search', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(shape, fc.constantFrom(1, 10, 60), async (shape, k) => {
        const world = await searchWorld(shape)
        for (const share of SHARES) await checkWhole(world, k, share)
        await world.engine.close()
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 15) },
    )
  })

  it.each([
    { space: 'l2', dimension: 384, segments: [1_500, 1_100], near: true },
    { space: 'cosine', dimension: 384, segments: [1_500, 1_100], near: false },
    { space: 'ip', dimension: 1_536, segments: [1_200, 600], near: true },
    { space: 'cosine', dimension: 1_536, segments: [1_200, 600], near: false },
  ] as const)('is the exact search in $dimension dimensions, $space, near: $near', async (rest) => {
    const world = await searchWorld({ ...usual, ...rest, data: 'clustered' })
    for (const share of SHARES) await checkWhole(world, 10, share)
    await world.engine.close()
  })
})
