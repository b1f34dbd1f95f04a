/** Searches as they are by default: how much they find, and what they tell of themselves. */
import { instrumented } from '../drivers/instrumented.ts'
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
      // Near, what is measured first spares measuring most of the others, and loses nothing by it.
      expect(here.mean).toBeGreaterThanOrEqual(there.mean - 0.005)
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
      const { hits } = await ask(world, query, 10, 0.2, { probes: 1 })
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

  it('shows that the options bound what is done', async () => {
    const segments = [2_000, 2_000]
    const world = await searchWorld({ ...untouched, space: 'l2', dimension: 16, segments, data: 'clustered' })
    const { explanation } = await ask(world, world.query(), 10, 1, { probes: 2, rerank: 12 })
    // Two equal segments have √2 times the clusters of one.
    expect(explanation.clusters).toBe(Math.ceil(2 * Math.SQRT2))
    expect(explanation.measured).toBeGreaterThanOrEqual(10)
    expect(explanation.measured).toBeLessThanOrEqual(12)
    await world.engine.close()
  })

  it('shows that more is looked at for more', async () => {
    const segments = [3_000, 3_000]
    // Uniform data: very many records may be among the nearest, so the limit of measuring is reached.
    const world = await searchWorld({ ...untouched, space: 'l2', dimension: 64, segments, data: 'uniform' })
    for (const k of [10, 40]) {
      const { explanation } = await ask(world, world.query(), k, 1)
      expect(explanation.clusters).toBe(Math.ceil(48 * Math.sqrt(k / 10) * Math.SQRT2))
      expect(explanation.measured).toBe(Math.max(200, 10 * k))
    }
    await world.engine.close()
  })

  it('shows that a search with a filter ends once it saw enough of what that admits', async () => {
    const segments = [3_000, 3_000]
    const world = await searchWorld({ ...untouched, space: 'l2', dimension: 16, segments, data: 'clustered' })
    const query = world.query()
    const half = (await ask(world, query, 10, 0.5)).explanation.clusters
    const all = (await ask(world, query, 10, 0.5, { probes: 1e9 })).explanation.clusters
    expect(half).toBeGreaterThan(48 * Math.SQRT2)
    expect(half).toBeLessThan(all / 2)
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
