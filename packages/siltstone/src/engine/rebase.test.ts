/** A fold and a merge that run beside each other: who commits second carries over what the first did to its rows. */
import { describe, expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { parseKey } from '../format/keys.ts'
import type { ReadLevel } from '../model/read.ts'
import type { Collection } from '../model/store.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import { seededRandom } from '../ports/seeded-random.ts'
import { everythingIndexed } from '../testing/folding-engine.ts'
import { ModelEngine } from '../testing/model.ts'
import { collectionRequest, remove, update, upsert } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'

const EVERYTHING = { embeddings: true, documents: true, metadatas: true, uris: true }
const ROWS = 60

async function race(indexRows: number, second: 'fold' | 'merge') {
  const env = memoryEnvironment({ seed: 1 })
  const compact = { ...everythingIndexed, indexRows, fanIn: 2 }
  const [engine, model] = [await StoreEngine.open({ env, compact }), new ModelEngine()]
  const request = collectionRequest('things')
  const [{ info }, { info: twin }] = [
    await engine.catalog.createCollection(request),
    await model.catalog.createCollection(request),
  ]
  const path = pathOf(info)
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const expected = await model.collection(info.tenant, info.database, twin.id)
  const write = async (operations: Parameters<Collection['write']>[0]) => {
    await expected.write(operations)
    await collection.write(operations)
  }
  const random = seededRandom(2)
  const vector = () => Array.from({ length: 8 }, () => Math.fround(random.next()))
  // Clusters are in another order than insertion, so a row's number tells nothing of its record.
  for (const first of [0, ROWS]) {
    await write(Array.from({ length: ROWS }, (_, i) => upsert(`r${first + i}`, vector(), { document: `text ${i}` })))
    await engine.compact(path, { merge: false })
  }
  const changes = [
    ...Array.from({ length: 10 }, (_, i) => remove(`r${i * 7}`)),
    ...Array.from({ length: 10 }, (_, i) => update(`r${i * 7 + 1}`, { metadata: { n: i }, document: `changed ${i}` })),
    ...Array.from({ length: 10 }, (_, i) => upsert(`r${i * 7 + 2}`, vector())),
  ]
  if (second === 'fold') await write(changes)
  let committed = false
  const store = forwardingStore(env.store, {
    put: async (key, body, options) => {
      if (parseKey(key)?.kind === 'manifest' && !committed) {
        committed = true
        if (second === 'fold') expect(await engine.compactor.merge(path)).toMatchObject({ merges: 1 })
        else {
          await write(changes)
          expect(await engine.compactor.fold(path)).toMatchObject({ folds: 1 })
        }
      }
      return env.store.put(key, body, options)
    },
  })
  const other = await StoreEngine.open({ env: { ...env, store }, compact })
  const outcome = await other.compactor[second](path)
  expect(committed).toBe(true)
  return { outcome, collection, expected }
}

describe.each([
  ['segments in order of insertion', 1_000_000],
  ['clustered segments', 1],
])('%s', (_, indexRows) => {
  it.each(['fold', 'merge'] as const)('keep every change when a %s commits second', async (second) => {
    const { outcome, collection, expected } = await race(indexRows, second)
    expect(second === 'fold' ? outcome.folds : outcome.merges).toBeGreaterThan(0)
    expect(await contentOf(collection, 'index')).toEqual(await contentOf(expected))
  })
})

async function contentOf(collection: Collection, level: ReadLevel = 'strong') {
  const { ids, embeddings, documents, metadatas, uris } = await collection.get({ include: EVERYTHING, level })
  return { ids, embeddings, documents, metadatas, uris }
}
