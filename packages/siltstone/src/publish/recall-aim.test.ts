import { describe, expect, it } from 'vitest'
import { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { fileHost } from '../drivers/fetch/testing/file-host.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { decodePublished, PUBLISHED_FILE } from '../format/published.ts'
import { systemModels } from '../host/model-host.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { PublishedSource } from '../reader/published-source.ts'
import { ReadOnlyCollection } from '../reader/read-only-collection.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { publish } from './publish.ts'
import { MemoryTarget } from './testing.ts'

const DIMENSION = 24

/** Around as many centres, as far from them. */
function vectorsOf(rows: number, centres: number, spread: number): number[][] {
  const random = seededRandom(7)
  const point = (scale: number) => Array.from({ length: DIMENSION }, () => (random.next() - 0.5) * scale)
  const middles = Array.from({ length: centres }, () => point(1))
  return Array.from({ length: rows }, (_, n) => {
    const off = point(spread)
    return (middles[n % centres] as number[]).map((value, d) => value + (off[d] as number))
  })
}

async function published(vectors: readonly number[][]) {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const { info } = await engine.catalog.createCollection(collectionRequest('things'))
  const collection = await engine.collection(info.tenant, info.database, info.id)
  await collection.write(vectors.map((vector, n) => upsert(`r-${n}`, vector, { document: `number ${n}` })))
  const target = new MemoryTarget()
  const publishNow = () => publish({ collection, staging: memoryEnvironment(), target, models: systemModels })
  await publishNow()
  const recall = () => decodePublished(target.files.get(PUBLISHED_FILE) as Uint8Array).recall
  return { collection, target, publishNow, recall, close: () => engine.close() }
}

describe('the aim of a folder', () => {
  it.each([
    ['alike', 1, 1],
    ['in groups', 60, 0.2],
  ])('finds what is promised among records that are %s', async (_, centres, spread) => {
    const vectors = vectorsOf(3_000, centres, spread)
    const { target, recall, close } = await published(vectors)
    expect(recall()).toBeGreaterThan(0.5)
    expect(recall()).toBeLessThan(1)
    const { fetch } = fileHost(async (path) => {
      const body = target.files.get(path)
      return body ? { body } : null
    })
    const store = new FetchObjectStore('http://127.0.0.1', { fetch })
    const source = await PublishedSource.open(store, { cacheBytes: 1e7 })
    expect(source.effort.recall).toBe(recall())
    const things = new ReadOnlyCollection(source)
    // Others than those that the aim was measured with.
    const queryEmbeddings = Array.from({ length: 100 }, (__, i) =>
      (vectors[i * 7] as number[]).map(
        (value, d) => (value + ((vectors[i * 29 + centres] as number[])[d] as number)) / 2,
      ),
    )
    const [near, right] = await Promise.all([
      things.query({ queryEmbeddings, nResults: 10, include: [] }),
      things.query({ queryEmbeddings, nResults: 10, include: [], search: { exact: true } }),
    ])
    const shares = near.ids.map((ids, i) => new Set(ids).intersection(new Set(right.ids[i])).size / 10)
    expect(shares.reduce((sum, share) => sum + share, 0) / shares.length).toBeGreaterThan(0.88)
    await close()
  })

  it('stays while a publication is continued, and is not there where all is read', async () => {
    const { collection, publishNow, recall, close } = await published(vectorsOf(600, 10, 0.5))
    const before = recall()
    expect(before).not.toBeNull()
    await collection.write([upsert('r-3', vectorsOf(1, 1, 1)[0] as number[], { document: 'changed' })])
    await publishNow()
    expect(recall()).toBe(before)
    await close()
    const few = await published(vectorsOf(40, 2, 1))
    expect(few.recall()).toBeNull()
    await few.close()
  })
})
