import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { interceptedStore } from '../ports/forwarding-store.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'

const ROWS = 3_000
const DIMENSION = 16
const vectorOf = (n: number) => Array.from({ length: DIMENSION }, (_, i) => Math.sin((n + 1) * (i + 1)))

/** @returns reads of segments by queries of a process that has read ahead until `isOver`, and what it answered */
async function readsOf(blockCacheBytes: number, isOver: () => boolean) {
  const env = memoryEnvironment()
  const request = collectionRequest('things')
  const writing = await StoreEngine.open({ env })
  const { info } = await writing.catalog.createCollection(request)
  const numbers = Array.from({ length: ROWS }, (_, n) => n)
  await (await writing.collection(request.tenant, request.database, info.id)).write(
    numbers.map((n) => upsert(`id-${n}`, vectorOf(n), { document: `Station ${n}`, metadata: { n } })),
  )
  await writing.compactor.compact(pathOf(info))
  await writing.close()

  let reads = 0
  // As a disk.
  const store = interceptedStore(
    env.store,
    async ({ operation, key }, send) => {
      if (operation === 'get' && key.includes('/segment/')) reads++
      return send()
    },
    { capabilities: { ...env.store.capabilities, isLocal: true } },
  )
  const engine = await StoreEngine.open({ env: { ...env, store }, blockCacheBytes })
  await engine.readAhead(info, isOver)
  const collection = await engine.collection(request.tenant, request.database, info.id)
  const ask = (n: number) =>
    collection.query({
      vectors: [Float32Array.from(vectorOf(n))],
      k: 10,
      include: { documents: true, metadatas: true },
    })
  await ask(0)
  reads = 0
  const answers = []
  for (let n = 1; n < 20; n++) answers.push((await ask(n * 100)).hits[0]?.documents?.[0])
  await engine.close()
  return { reads, answers }
}

describe('a process that reads ahead', () => {
  const expected = Array.from({ length: 19 }, (_, i) => `Station ${(i + 1) * 100}`)

  it('answers queries without a read but that of lists', async () => {
    const { reads, answers } = await readsOf(64e6, () => false)
    expect(answers).toEqual(expected)
    expect(reads).toBeLessThanOrEqual(expected.length)
  })

  it.each([
    ['whose cache is too small', 20_000, () => false],
    ['whose time is up', 64e6, () => true],
  ])('%s answers all the same', async (_, blockCacheBytes, isOver) => {
    const { reads, answers } = await readsOf(blockCacheBytes, isOver)
    expect(answers).toEqual(expected)
    expect(reads).toBeGreaterThan(expected.length)
  })
})
