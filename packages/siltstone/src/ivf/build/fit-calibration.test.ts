import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../ports/seeded-random.ts'
import { FLATNESSES } from '../flatness.ts'
import { RECALL_LEVELS } from '../recall-levels.ts'
import { fitCalibration, type Needed, shareToFind } from './fit-calibration.ts'

const COUNTS = [1, 10, 100]
const CLUSTERS = 500

/** Queries whose neighbours need `base` clusters times a power of N, and times 1 to 2 by chance. */
function queriesOf(seed: number, exponent: number, kinds: readonly Needed['kind'][] = ['row']): Needed[] {
  const random = seededRandom(seed)
  return Array.from({ length: 150 }, (_, i) => {
    const flat = 1 + 40 * random.next() ** 2
    return {
      kind: kinds[i % kinds.length] as Needed['kind'],
      near: FLATNESSES.map(({ nearly }) => (nearly === 1.2 ? flat : 1 + 40 * random.next())),
      places: Array.from({ length: 100 }, () => Math.ceil(2 * flat ** exponent * (1 + random.next()))),
    }
  })
}

describe('fitting the calibration', () => {
  it('chooses what tells best how many clusters a query needs', () => {
    expect(fitCalibration(queriesOf(1, 0), COUNTS, CLUSTERS)?.flatness.exponent).toBe(0)
    expect(fitCalibration(queriesOf(2, 1), COUNTS, CLUSTERS)?.flatness).toEqual({ nearly: 1.2, exponent: 1 })
    expect(fitCalibration(queriesOf(3, 0.5), COUNTS, CLUSTERS)?.flatness).toEqual({ nearly: 1.2, exponent: 0.5 })
  })

  it('finds what each level promises for each kind of queries, and grows with the level and the neighbours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(0, 0.3, 0.8), (seed, exponent) => {
        const random = seededRandom(seed)
        const harder = { row: 1, shifted: 1 + 3 * random.next(), between: 1 + 3 * random.next() }
        const queries = queriesOf(seed, exponent, ['row', 'shifted', 'between']).map((query) => ({
          ...query,
          places: query.places.map((place) => place * harder[query.kind]),
        }))
        const fitted = fitCalibration(queries, COUNTS, CLUSTERS)
        const { nearly, exponent: power } = fitted?.flatness ?? { nearly: 0, exponent: 0 }
        const at = FLATNESSES.findIndex((one) => one.nearly === nearly && one.exponent === power)
        RECALL_LEVELS.forEach(({ recall }, level) => {
          const theta = fitted?.theta[level] as number[]
          expect(theta).toEqual(theta.toSorted((a, b) => a - b))
          if (level > 0)
            for (const [i, one] of theta.entries())
              expect(one).toBeGreaterThanOrEqual(fitted?.theta[level - 1]?.[i] as number)
          for (const kind of ['row', 'shifted', 'between'] as const)
            COUNTS.forEach((count, i) => {
              const some = queries.filter((query) => query.kind === kind)
              const found = some.flatMap(({ places, near }) => {
                const visited = (theta[i] as number) * (near[at] as number) ** power
                return places.slice(0, count).map((place) => (place <= visited * (1 + 1e-6) ? 1 : 0))
              })
              const share = found.reduce((sum: number, one) => sum + one, 0) / found.length
              expect(share).toBeGreaterThanOrEqual(shareToFind(recall, kind, count, some.length) - 1e-9)
            })
        })
      }),
      { numRuns: 5 },
    )
  })

  it('takes a margin for rows, the larger the fewer there are, and never more than half of what may be missed', () => {
    const share = (queries: number, recall = 0.95) => shareToFind(recall, 'row', 10, queries)
    expect(share(1e9)).toBeCloseTo(0.955, 4)
    expect(share(240)).toBeGreaterThan(share(1_000))
    expect(share(240)).toBeCloseTo(0.955 + (1.3 * 0.11) / Math.sqrt(240), 3)
    expect(share(1)).toBeCloseTo(0.975)
    expect(share(1, 0.5)).toBeLessThanOrEqual(0.75)
    for (const { recall } of RECALL_LEVELS) {
      expect(shareToFind(recall, 'shifted', 10, 1)).toBe(recall)
      expect(shareToFind(recall, 'shifted', 100, 240)).toBe(shareToFind(recall, 'row', 100, 240))
      expect(shareToFind(recall, 'between', 10, 240)).toBe(shareToFind(recall, 'row', 10, 240))
    }
  })

  it('says nothing of queries without neighbours', () => {
    const empty = queriesOf(1, 0).map((query) => ({ ...query, places: [] }))
    expect(fitCalibration(empty, COUNTS, CLUSTERS)).toBeUndefined()
    expect(fitCalibration([], COUNTS, CLUSTERS)).toBeUndefined()
  })
})
