import { describe, expect, it } from 'vitest'
import { seededRandom } from '../ports/seeded-random.ts'
import { searchWorld } from '../testing/search-world.ts'
import { intervalOf, measureRecall, recallOf } from './recall.ts'

const hits = (...distances: number[]) => ({ distances })

describe('recall', () => {
  it('is the share of the nearest that was found', () => {
    expect(recallOf(hits(1, 2, 4, 5), hits(1, 2, 3, 4))).toBe(0.75)
    expect(recallOf(hits(), hits(1, 2))).toBe(0)
    expect(recallOf(hits(1, 2), hits(1, 2))).toBe(1)
  })

  it('takes records at the same distance for one another', () => {
    expect(recallOf(hits(1, 2), hits(1, 2 - 1e-12))).toBe(1)
  })

  it('is whole where there is nothing to find', () => {
    expect(recallOf(hits(), hits())).toBe(1)
  })

  it('does not count more answers than were asked for', () => {
    expect(recallOf(hits(1, 1, 1), hits(1, 1))).toBe(1)
  })
})

describe('the interval of a mean recall', () => {
  it('holds the true mean about 95 times in 100', () => {
    const random = seededRandom(5)
    // The number of the ten nearest that a query finds; the true mean is 0.95.
    const draw = () => Array.from({ length: 10 }, () => random.next()).filter((x) => x < 0.95).length / 10
    let held = 0
    for (let round = 0; round < 400; round++) {
      const [low, high] = intervalOf(Array.from({ length: 100 }, draw))
      if (low <= 0.95 && 0.95 <= high) held++
    }
    expect(held).toBeGreaterThan(370)
    const wide = (queries: number) => {
      const [low, high] = intervalOf(Array.from({ length: queries }, draw))
      return high - low
    }
    expect(wide(2_000)).toBeLessThan(wide(100) / 3)
  })

  it('is not a point if all queries find all', () => {
    const [low, high] = intervalOf(new Array<number>(50).fill(1))
    expect(low).toBeLessThan(0.98)
    expect(high).toBe(1)
  })
})

describe('a measurement', () => {
  it('makes queries apart from the records, or takes records, or takes what is given', async () => {
    const untouched = { regrouped: 0, moved: 0, deleted: 0, tail: 0, near: true, seed: 3 } as const
    const segments = [2_500]
    const world = await searchWorld({ ...untouched, space: 'cosine', dimension: 24, segments, data: 'clustered' })
    const measure = (more: object) =>
      measureRecall(world.collection, { k: 10, samples: 40, random: seededRandom(1), ...more })
    const mixed = await measure({})
    expect(mixed).toMatchObject({ source: 'mixed', queries: 40 })
    expect(mixed.recall).toBeGreaterThan(0.9)
    const { interval } = mixed
    expect(interval[0]).toBeLessThan(mixed.recall)
    const records = await measure({ source: 'records' })
    expect(records).toMatchObject({ source: 'records', queries: 40 })
    // A search that looks at little finds less of what is apart.
    const little = { search: { fixed: { clusters: 1 } } }
    const [apart, alike] = [await measure(little), await measure({ ...little, source: 'records' })]
    expect(apart.recall).toBeLessThan(alike.recall)
    expect(await measure({ vectors: [world.query()] })).toMatchObject({ source: 'given', queries: 1 })
    // Queries that users asked, if there are enough of them.
    const real = Array.from({ length: 30 }, () => world.query())
    expect(await measure({ real })).toMatchObject({ source: 'real', queries: 30 })
    expect(await measure({ real, source: 'records' })).toMatchObject({ source: 'records' })
    expect(await measure({ real: real.slice(1) })).toMatchObject({ source: 'mixed' })
    expect(await measure({ real: [], samples: 0 }).catch((error: unknown) => error)).toMatchObject({
      code: 'nothing-to-query',
    })
    await world.engine.close()
  })
})
