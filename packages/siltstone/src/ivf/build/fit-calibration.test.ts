import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../ports/seeded-random.ts'
import { type Flatness, FLATNESSES } from '../flatness.ts'
import { RECALL_LEVELS } from '../recall-levels.ts'
import { fitCalibration, type Needed, shareToFind, standardError } from './fit-calibration.ts'

const COUNTS = [1, 10, 100]
const CLUSTERS = 500

/** Queries whose neighbours need `base` clusters times a power of N, and times 1 to 2 by chance. */
function queriesOf(seed: number, exponent: number, kinds: readonly Needed['kind'][] = ['row']): Needed[] {
  const random = seededRandom(seed)
  return Array.from({ length: 150 }, (_, i) => {
    const flat = 1 + 40 * random.next() ** 2
    return {
      kind: kinds[i % kinds.length] as Needed['kind'],
      isApart: false,
      near: FLATNESSES.map(({ nearly }) => (nearly === 1.2 ? flat : 1 + 40 * random.next())),
      places: Array.from({ length: 100 }, () => Math.ceil(2 * flat ** exponent * (1 + random.next()))),
    }
  })
}

describe('fitting the calibration', () => {
  it('chooses what tells best how many clusters a query needs', () => {
    const all = (one: Flatness) => COUNTS.map(() => one)
    expect(fitCalibration(queriesOf(1, 0), COUNTS, CLUSTERS)?.flatness).toEqual(all({ nearly: 1.15, exponent: 0 }))
    expect(fitCalibration(queriesOf(2, 1), COUNTS, CLUSTERS)?.flatness).toEqual(all({ nearly: 1.2, exponent: 1 }))
    expect(fitCalibration(queriesOf(3, 0.5), COUNTS, CLUSTERS)?.flatness).toEqual(all({ nearly: 1.2, exponent: 0.5 }))
  })

  it('chooses apart for few and for many neighbours', () => {
    const few = queriesOf(4, 1)
    const queries = queriesOf(4, 0).map((query, i) => ({
      ...query,
      places: [...(few[i]?.places.slice(0, 10) ?? []), ...query.places.slice(10).map((place) => place * 40)],
    }))
    const fitted = fitCalibration(queries, COUNTS, CLUSTERS)?.flatness
    expect(fitted?.slice(0, 2)).toEqual([1, 10].map(() => ({ nearly: 1.2, exponent: 1 })))
    expect(fitted?.[2]?.exponent).toBe(0)
  })

  it('finds what each level promises for each kind of queries, and grows with the level', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom(0, 0.3, 0.8), (seed, exponent) => {
        const random = seededRandom(seed)
        const harder = { row: 1, shifted: 1 + 3 * random.next(), between: 1 + 3 * random.next() }
        const queries = queriesOf(seed, exponent, ['row', 'shifted', 'between']).map((query) => ({
          ...query,
          places: query.places.map((place) => place * harder[query.kind]),
        }))
        const fitted = fitCalibration(queries, COUNTS, CLUSTERS)
        RECALL_LEVELS.forEach(({ recall }, level) => {
          const theta = fitted?.theta[level] as number[]
          if (level > 0)
            for (const [i, one] of theta.entries())
              expect(one).toBeGreaterThanOrEqual(fitted?.theta[level - 1]?.[i] as number)
          for (const kind of ['row', 'shifted', 'between'] as const)
            COUNTS.forEach((count, i) => {
              // That of one neighbour is at most that of ten.
              if (count === 1) return
              const some = queries.filter((query) => query.kind === kind)
              const { nearly = 0, exponent: power = 0 } = fitted?.flatness[i] ?? {}
              const at = FLATNESSES.findIndex((one) => one.nearly === nearly && one.exponent === power)
              const found = some.flatMap(({ places, near }) => {
                const visited = (theta[i] as number) * (near[at] as number) ** power
                return places.slice(0, count).map((place) => (place <= visited * (1 + 1e-6) ? 1 : 0))
              })
              const share = found.reduce((sum: number, one) => sum + one, 0) / found.length
              expect(share).toBeGreaterThanOrEqual(shareToFind(recall) - 1e-9)
            })
        })
      }),
      { numRuns: 5 },
    )
  })

  it('finds what each level promises for the rows that lie apart, however few they are', () => {
    const isApart = (i: number) => i % 8 === 0
    const queries = queriesOf(6, 0.5).map((query, i) => ({
      ...query,
      isApart: isApart(i),
      places: isApart(i) ? query.places.map((place) => 6 * place) : query.places,
    }))
    const fitted = fitCalibration(queries, [10], CLUSTERS)
    const { nearly = 0, exponent = 0 } = fitted?.flatness[0] ?? {}
    const at = FLATNESSES.findIndex((one) => one.nearly === nearly && one.exponent === exponent)
    const found = queries
      .filter((_, i) => isApart(i))
      .flatMap(({ places, near }) => {
        const visited = (fitted?.theta[3]?.[0] as number) * (near[at] as number) ** exponent
        return places.slice(0, 10).map((place) => (place <= visited * (1 + 1e-6) ? 1 : 0))
      })
    expect(found.reduce((sum: number, one) => sum + one, 0) / found.length).toBeGreaterThanOrEqual(shareToFind(0.95))
  })

  it('takes a margin for rows, the larger the less sure their recall is', () => {
    // As many neighbours are found of each query, or all of one query in two and none of the others.
    const queriesWith = (placesOf: (query: number, i: number) => number): Needed[] =>
      Array.from({ length: 100 }, (_, query) => ({
        kind: 'row',
        isApart: false,
        near: FLATNESSES.map(() => 1),
        places: Array.from({ length: 10 }, (_unused, i) => placesOf(query, i)),
      }))
    const thetaOf = (queries: readonly Needed[], recall: number) =>
      fitCalibration(queries, [10], CLUSTERS)?.theta[RECALL_LEVELS.findIndex((one) => one.recall === recall)]?.[0]
    const even = queriesWith((query, i) => 1 + i * 100 + query)
    const uneven = queriesWith((query, i) => 1 + query * 10 + i)
    expect(thetaOf(even, 0.5)).toBeGreaterThanOrEqual(550)
    expect(thetaOf(even, 0.5)).toBeLessThan(570)
    expect(thetaOf(uneven, 0.5)).toBeGreaterThan(600)
    expect(thetaOf(uneven, 0.5)).toBeLessThanOrEqual(751)
  })

  it('asks for no more clusters for one neighbour than for ten', () => {
    const queries = queriesOf(5, 0).map((query) => ({ ...query, places: [400, ...query.places.slice(1)] }))
    for (const [one, ten] of fitCalibration(queries, [1, 10], CLUSTERS)?.theta ?? [])
      expect(one).toBeLessThanOrEqual(ten as number)
  })

  it('never takes away more than half of what may be missed', () => {
    expect(shareToFind(0.95)).toBeCloseTo(0.955)
    expect(shareToFind(0.95, 0.005)).toBeCloseTo(0.955 + 1.3 * 0.005)
    expect(shareToFind(0.95, 1)).toBeCloseTo(0.975)
    expect(shareToFind(0.5, 1)).toBeCloseTo(0.75)
    expect(standardError([0.5, 0.7])).toBeCloseTo(0.1)
    expect(standardError([0.5])).toBe(1)
  })

  it('says nothing of queries without neighbours', () => {
    const empty = queriesOf(1, 0).map((query) => ({ ...query, places: [] }))
    expect(fitCalibration(empty, COUNTS, CLUSTERS)).toBeUndefined()
    expect(fitCalibration([], COUNTS, CLUSTERS)).toBeUndefined()
  })
})
