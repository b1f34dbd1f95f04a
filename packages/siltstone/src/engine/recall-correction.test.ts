/** Sampled queries correct how far later ones look. */
import { describe, expect, it } from 'vitest'
import { reading } from '../testing/folding-engine.ts'
import { ask, type SearchWorld, searchWorld } from '../testing/search-world.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { StoreEngine } from './engine.ts'
import { recallOf } from './recall.ts'

const untouched = { regrouped: 0, moved: 0, deleted: 0, tail: 0, near: true, seed: 3 } as const
const shape = { ...untouched, space: 'l2', dimension: 24, segments: [4_000, 2_000], data: 'clustered' } as const
const QUERIES = 60

/** The same collection in a process that samples every query, and a wait until so many are sampled. */
async function sampling(world: SearchWorld) {
  let sampled = 0
  const env = reading(world.env, true)
  const metrics = {
    ...env.metrics,
    count: (name: string) => {
      if (name === 'query_recall_sampled') sampled++
    },
    gauge: () => undefined,
  }
  const engine = await StoreEngine.open({ env: { ...env, metrics }, recallSampling: { share: 1, alarmBelow: 0 } })
  const { tenant, database, id } = world.collection.info
  const sampledWorld = { ...world, engine, collection: await engine.collection(tenant, database, id) }
  const query = async (vector: Float32Array) => {
    const before = sampled
    await sampledWorld.collection.query({ vectors: [vector], k: 10, include: {} })
    while (sampled === before) await new Promise((resolve) => setImmediate(resolve))
    // The sampler is free again after its last step.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { world: sampledWorld, query }
}

async function work(world: SearchWorld, queries: readonly Float32Array[]) {
  let clusters = 0
  let recall = 0
  for (const query of queries) {
    const { hits, explanation } = await ask(world, query, 10, 1)
    clusters += explanation.clusters
    recall += recallOf(hits, (await ask(world, query, 10, 1, { exact: true })).hits)
  }
  return { clusters: clusters / queries.length, recall: recall / queries.length }
}

describe('sampled queries', () => {
  it('change how far later ones look, and these still find what is promised', async () => {
    const world = await searchWorld(shape)
    const rows = [...world.held.values()].map(({ vector }) => vector)
    const random = seededRandom(9)
    const anywhere = () => Float32Array.from({ length: shape.dimension }, () => random.next() * 2 - 1)
    // Records are the easiest queries, and points anywhere lie apart from all records.
    const near = Array.from({ length: QUERIES }, (_, i) => (rows[i * 90] as Float32Array).map((x) => x + 1e-3))
    const apart = Array.from({ length: QUERIES }, anywhere)
    for (const queries of [near, apart]) {
      const { world: sampled, query } = await sampling(world)
      const before = await work(sampled, queries.slice(0, 20))
      for (const vector of queries) await query(vector)
      const after = await work(sampled, queries.slice(0, 20))
      expect(after.clusters).not.toBe(before.clusters)
      expect(after.recall).toBeGreaterThanOrEqual(0.95)
      // The same queries tell what recall is.
      const report = await sampled.engine.maintenance.recall(sampled.collection.info, { k: 10, samples: 40 })
      expect(report).toMatchObject({ source: 'real', queries: 40 })
      expect(report.recall).toBeGreaterThanOrEqual(0.95)
      await sampled.engine.close()
    }
    await world.engine.close()
  })
})
