/** Searches as they are by default: how much they find, and what they tell of themselves. */
import { instrumented } from '../drivers/instrumented.ts'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countingObjectStore } from '../drivers/wrappers/counting-object-store.ts'
import type { Space } from '../model/collection.ts'
import { reading } from '../testing/folding-engine.ts'
import { checkWhole } from '../testing/search-checks.ts'
import { ask, elsewhere, faults, type SearchWorld, searchWorld } from '../testing/search-world.ts'
import { StoreEngine } from './engine.ts'
import { recallOf } from './recall.ts'

/** The recall@10 that searches aim at unless they are told otherwise. */
const PROMISED = 0.95

const SPACES: readonly Space[] = ['l2', 'cosine', 'ip']
const usual = { regrouped: 0.05, moved: 0.05, deleted: 0.05, tail: 50, near: true, seed: 7 } as const

/** No scan of a small segment and no log helps. */
const untouched = { regrouped: 0, moved: 0, deleted: 0, tail: 0, near: true, seed: 3 } as const

const drawn = (world: SearchWorld, count: number) => Array.from({ length: count }, () => world.query())

async function meanRecall(world: SearchWorld, share: number, queries: readonly Float32Array[]) {
  let sum = 0
  let clusters = 0
  for (const query of queries) {
    const { hits, explanation } = await ask(world, query, 10, share)
    expect(faults(world, hits, { query, k: 10, share })).toEqual([])
    sum += recallOf(hits, (await ask(world, query, 10, share, { exact: true })).hits)
    clusters += explanation.clusters
  }
  return { mean: sum / queries.length, clusters }
}

/** Data, seed and queries are fixed, so these are always the same figures. */
describe('a search by default', () => {
  const cases = SPACES.flatMap((space) =>
    (['uniform', 'clustered', 'duplicated'] as const).map((data) => ({ space, data })),
  )
  it.each(cases)('finds what is promised: $data, $space', async ({ space, data }) => {
    // Uniform data have no neighbourhoods in many dimensions; no index finds much there.
    const dimension = data === 'uniform' ? 16 : 64
    const world = await searchWorld({ ...usual, space, data, dimension, segments: [9_000, 3_000] })
    const far = await elsewhere(world, false)
    let visited = 0
    for (const share of [1, 0.1, 0.01]) {
      const queries = drawn(world, 30)
      const here = await meanRecall(world, share, queries)
      const there = await meanRecall(far, share, queries)
      expect(here.mean).toBeGreaterThanOrEqual(PROMISED)
      expect(there.mean).toBeGreaterThanOrEqual(PROMISED)
      // Near, what is measured first spares measuring most of the others, and loses hardly anything by it.
      expect(here.mean).toBeGreaterThanOrEqual(there.mean - 0.01)
      expect(there.clusters).toBe(here.clusters)
      // Few admitted rows are spread over more clusters; very few are all measured.
      if (share === 0.01) expect(here.clusters).toBe(0)
      else expect(here.clusters).toBeGreaterThan(visited)
      visited = here.clusters
    }
    await far.engine.close()
    await world.engine.close()
  })

  it('finds what is promised where all that a filter admits lies apart from the query', async () => {
    const shape = { ...untouched, data: 'clustered', groupedByPlace: true, segments: [9_000, 3_000] } as const
    const world = await searchWorld({ ...shape, space: 'l2', dimension: 16 })
    const { mean, clusters } = await meanRecall(world, 0.1, drawn(world, 30))
    expect(mean).toBeGreaterThanOrEqual(PROMISED)
    expect(clusters).toBeGreaterThan(0)
    // However little is looked at: clusters without an admitted row do not count.
    for (const query of drawn(world, 30)) {
      const { hits } = await ask(world, query, 10, 0.2, { fixed: { clusters: 1 } })
      expect(faults(world, hits, { query, k: 10, share: 0.2 })).toEqual([])
    }
    await world.engine.close()
  })

  it('finds what is promised where a filter admits one in a hundred of very many', async () => {
    const segments = [62_000, 55_000]
    const world = await searchWorld({ ...usual, space: 'l2', dimension: 8, segments, data: 'uniform' })
    for (const isNear of [true, false]) {
      const reader = await elsewhere(world, isNear)
      expect((await checkWhole(reader, 10, 0.01)).clusters).toBeGreaterThan(0)
      const { mean, clusters } = await meanRecall(reader, 0.01, drawn(world, 20))
      expect(mean).toBeGreaterThanOrEqual(PROMISED)
      expect(clusters).toBeGreaterThan(0)
      await reader.engine.close()
    }
    await world.engine.close()
  }, 120_000)
})

describe('a recall that is asked for', () => {
  const shape = { ...usual, dimension: 24, segments: [4_000, 1_500] } as const

  it('finds no less if it is larger, of whatever data, near and far', async () => {
    const recall = fc.double({ min: 0.01, max: 1, noNaN: true })
    for (const [space, data] of [
      ['l2', 'uniform'],
      ['cosine', 'clustered'],
      ['ip', 'duplicated'],
    ] as const) {
      const near = await searchWorld({ ...shape, space, data })
      const far = await elsewhere(near, false)
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(near, far),
          fc.tuple(recall, recall),
          fc.constantFrom(1, 10, 60),
          fc.constantFrom(1, 0.5, 0.3),
          async (world, asked, k, share) => {
            const query = near.query()
            const answers = []
            for (const one of asked.toSorted((a, b) => a - b))
              answers.push((await ask(world, query, k, share, { recall: one })).hits.distances)
            const [less = [], more = []] = answers
            expect(more.length).toBe(less.length)
            // The i-th nearest that is found is at least as near.
            for (const [i, distance] of more.entries()) expect(distance).toBeLessThanOrEqual(less[i] as number)
          },
        ),
        { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 50) },
      )
      await far.engine.close()
      await near.engine.close()
    }
  })

  it('is that of an exact search if it is 1', async () => {
    const world = await searchWorld({ ...shape, space: 'l2', data: 'clustered' })
    const query = world.query()
    const whole = await ask(world, query, 10, 1, { recall: 1 })
    expect(whole.hits).toEqual((await ask(world, query, 10, 1, { exact: true })).hits)
    expect(whole.explanation.clusters).toBe(0)
    await world.engine.close()
  })

  it.each([0, -0.5, 1.01, Number.NaN, Number.POSITIVE_INFINITY])('is refused if it is %s', async (recall) => {
    const world = await searchWorld({ ...shape, segments: [100], space: 'l2', data: 'uniform' })
    await expect(ask(world, world.query(), 10, 1, { recall })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'bad-recall',
      field: 'search.recall',
    })
    await world.engine.close()
  })
})

describe('an explanation', () => {
  it.each([true, false])('tells what happened, near: %s', async (near) => {
    const segments = [2_000, 1_500]
    const built = await searchWorld({ ...usual, space: 'l2', dimension: 16, segments, data: 'clustered' })
    const store = countingObjectStore(reading(built.env, near).store)
    const engine = await StoreEngine.open({ env: instrumented({ ...built.env, store }) })
    const { tenant, database, id } = built.collection.info
    const world = { ...built, engine, collection: await engine.collection(tenant, database, id) }
    const query = world.query()
    store.takeCounts()
    const first = await ask(world, query, 10, 1)
    const { get, head, list, bytesOut } = store.takeCounts()
    expect(first.explanation).toMatchObject({ requests: get + head + list, bytesRead: bytesOut })
    // The third holds the records that moved: too few for an index.
    expect(first.explanation.segments).toBe(3)
    expect(first.explanation.scannedRows).toBeGreaterThan(100)
    expect(first.explanation.scannedRows).toBeLessThan(300)
    const { clusters, listsRead, entries, candidates, measured, rounds } = first.explanation
    expect(listsRead).toBe(clusters)
    expect(entries).toBeGreaterThanOrEqual(candidates)
    expect(candidates).toBeGreaterThanOrEqual(measured)
    expect(measured).toBeGreaterThanOrEqual(10)
    expect(rounds).toBeGreaterThan(0)
    // Of what is in memory nothing is read again.
    const again = await ask(world, query, 10, 1)
    expect(again.hits).toEqual(first.hits)
    expect(again.explanation).toMatchObject({ listsRead: 0, clusters, entries, candidates, measured })
    await engine.close()
  })

  it('shows that more is looked at for more', async () => {
    const segments = [3_000, 3_000]
    const world = await searchWorld({ ...untouched, space: 'l2', dimension: 16, segments, data: 'uniform' })
    const query = world.query()
    const looked = async (k: number, share: number, recall: number) => {
      const { explanation } = await ask(world, query, k, share, { recall })
      return explanation
    }
    const usual = await looked(10, 1, 0.95)
    for (const more of [await looked(40, 1, 0.95), await looked(10, 0.5, 0.95), await looked(10, 1, 0.99)])
      expect(more.clusters).toBeGreaterThan(usual.clusters)
    expect((await looked(10, 1, 0.99)).measured).toBeGreaterThan(usual.measured)
    expect((await looked(10, 1, 0.8)).measured).toBeLessThan(usual.measured)
    await world.engine.close()
  })

  it('shows that less is measured near than far', async () => {
    const segments = [3_000, 3_000]
    const world = await searchWorld({ ...untouched, space: 'l2', dimension: 64, segments, data: 'clustered' })
    const far = await elsewhere(world, false)
    const query = world.query()
    const [here, there] = [await ask(world, query, 10, 1), await ask(far, query, 10, 1)]
    expect(here.hits).toEqual(there.hits)
    expect(here.explanation.measured).toBeLessThan(there.explanation.measured)
    await far.engine.close()
    await world.engine.close()
  })
})
