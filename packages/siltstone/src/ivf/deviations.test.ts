import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../ports/seeded-random.ts'
import { deviationsFor, deviationsForTies, nextOf } from './deviations.ts'
import { missedByCodes, RECALL_LEVELS } from './recall-levels.ts'

/** Normal with the mean and the deviation of the errors of true neighbours. */
function errorsOf(count: number, seed: number): number[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, () => {
    const [u, v] = [1 - random.next(), random.next()]
    return 0.25 + 0.8 * Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v)
  })
}

/** The share of the neighbours whose estimates, less so many deviations, lie beyond the next one. */
function missedShare(distances: readonly number[], deviation: number, deviations: number): number {
  const errors = errorsOf(40_000, 5)
  const next = nextOf(distances)
  const misses = errors.filter((error, i) => {
    const distance = distances[i % distances.length] as number
    return distance + (error - deviations) * deviation > next
  })
  return misses.length / errors.length
}

describe('the deviations that estimates are given', () => {
  it('miss no more neighbours than may be missed, however close these are to one another', () => {
    const distances = fc
      .array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 1, maxLength: 8 })
      .map((all) => all.toSorted((a, b) => a - b))
    fc.assert(
      fc.property(
        distances,
        fc.constantFrom(0.05, 0.01, 0.005),
        fc.constantFrom(0.1, 1, 10),
        (some, missed, deviation) => {
          const deviations = deviationsFor(some, missed, 0, 8, deviation)
          expect(missedShare(some, deviation, deviations)).toBeLessThan(1.15 * missed + 0.001)
          // And not many more are measured than must be.
          if (deviations > 0.1)
            expect(missedShare(some, deviation, deviations - 0.1)).toBeGreaterThan(0.75 * missed - 0.001)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('grow as the distances come closer, between the bounds', () => {
    const apart = Array.from({ length: 10 }, (_, i) => i)
    const found = [4, 1, 0.3, 0.1, 0].map((factor) =>
      deviationsFor(
        apart.map((x) => 10 + factor * x),
        0.005,
        1.4,
        2.3,
      ),
    )
    expect(found).toEqual(found.toSorted((a, b) => a - b))
    expect(found[0]).toBe(1.4)
    expect(found.at(-1)).toBeCloseTo(2.3, 1)
    expect(deviationsFor([1, 1, 1], 0.005, 0, 8)).toBeCloseTo(deviationsForTies(0.005), 2)
  })

  it('are as many as can be where nothing is known', () => {
    expect(deviationsFor([], 0.01, 1, 2)).toBe(2)
    expect(deviationsFor([1], 0.01, 1, 2, 0)).toBe(2)
    expect(deviationsFor([1], 0.01, 1, 2, Number.NaN)).toBe(2)
  })

  it('are at most those of ties at each level, and these grow', () => {
    const most = RECALL_LEVELS.map(({ mostDeviations }) => mostDeviations)
    expect(most).toEqual(most.toSorted((a, b) => a - b))
    for (const { recall, deviations, mostDeviations } of RECALL_LEVELS) {
      expect(mostDeviations).toBeGreaterThan(deviations)
      expect(mostDeviations).toBeCloseTo(deviationsForTies(missedByCodes(recall)))
    }
  })
})
