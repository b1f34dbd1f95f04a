import { expect, it } from 'vitest'
import { forwardingStore } from '../ports/forwarding-store.ts'
import type { Environment } from '../ports/environment.ts'
import { plainTop, WordWorld } from './testing.ts'

/** A store whose requests are answered in rounds: all that wait are answered together. */
function inRounds(env: Environment): { env: Environment; rounds: () => number } {
  let rounds = 0
  let waiting: (() => void)[] = []
  const round = () =>
    new Promise<void>((resolve) => {
      if (waiting.push(resolve) > 1) return
      setTimeout(() => {
        rounds++
        for (const answer of waiting.splice(0)) answer()
      }, 20)
    })
  const { store } = env
  const slow = forwardingStore(store, {
    capabilities: { ...store.capabilities, isLocal: false },
    get: async (key, options) => {
      await round()
      return store.get(key, options)
    },
    list: async (...args) => {
      await round()
      return store.list(...args)
    },
  })
  return { env: { ...env, store: slow }, rounds: () => rounds }
}

it('takes five rounds to storage in a process that has read nothing, over two segments in a bucket', async () => {
  const world = await WordWorld.open(100)
  for (const first of [0, 300]) {
    const records = Array.from({ length: 300 }, (_, i) =>
      world.put(`r${first + i}`, {
        document: `word${i % 7} word${i % 11} every number ${i}`,
        title: `word${i % 3}`,
        tags: [],
        vector: { indices: [i % 5, 100 + (i % 60)], values: [1, 2] },
        group: 0,
      }),
    )
    await world.collection.write(records)
    await world.fold()
  }
  for (const query of [
    { kind: 'text', text: 'word3 word5 number 77' },
    { kind: 'sparse', indices: [1, 2, 105], values: [1, 2, 3], idf: true },
  ] as const) {
    const slow = inRounds(world.env)
    const retrieved = await world.reader(slow.env).scores(query, 10)
    expect(retrieved).toEqual(plainTop(world.held, query, 10).map(([, score]) => score))
    expect(slow.rounds()).toBeLessThanOrEqual(5)
  }
  // Ids and documents of the best are read in the round of their ordinals.
  const cold = inRounds(world.env)
  const { engine, collection } = await world.opened(cold.env)
  const before = cold.rounds()
  const knn = { query: { kind: 'text', text: 'word3 number 77' }, key: '#document', limit: 10 } as const
  const { results } = await collection.search({
    searches: [
      {
        rank: { kind: 'knn', knn: { ...knn, default: null, returnRank: false } },
        offset: 0,
        select: { documents: true, embeddings: false, metadatas: false, scores: true },
      },
    ],
  })
  expect(results[0]?.ids).toEqual(plainTop(world.held, knn.query, 10).map(([id]) => id))
  expect(results[0]?.documents).toHaveLength(10)
  // Five, and one more if the machine is so busy that one of them is cut in two; they were seven.
  expect(cold.rounds() - before).toBeLessThanOrEqual(6)
  await engine.close()
  const slow = inRounds(world.env)
  const prefix = { kind: 'text', text: 'word3 word*' } as const
  expect(await world.reader(slow.env).scores(prefix, 10)).toEqual(
    plainTop(world.held, prefix, 10).map(([, score]) => score),
  )
  // One more for a dictionary that is read in one piece.
  expect(slow.rounds()).toBeLessThanOrEqual(6)
  const suggesting = inRounds(world.env)
  expect(await world.reader(suggesting.env).completions('wo', 2)).toMatchObject([{ word: 'word0' }, { word: 'word1' }])
  expect(suggesting.rounds()).toBeLessThanOrEqual(3)
  await world.engine.close()
})
