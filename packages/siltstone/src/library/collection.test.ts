import type { Collection as ChromaCollection, EmbeddingFunction as ChromaEmbeddingFunction } from 'chromadb'
import { expect, expectTypeOf, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { EmbedderRegistry } from '../embed/registry.ts'
import { indexedEngine } from '../testing/folding-engine.ts'
import { describeLibrary } from './collection.contract.ts'
import type { StoreCollection } from './collection.ts'
import type { EmbeddingFunction } from './embedding-function.ts'
import { openStore } from './open-store.ts'
import { systemModels } from '../host/model-host.ts'
import { Store } from './store.ts'

describeLibrary('the library', (environment, options) => openStore({ environment, ...options }))
describeLibrary('the library, everything indexed', async (environment, { allowReset } = { allowReset: false }) => {
  const engine = await indexedEngine(environment)
  const registry = new EmbedderRegistry({ ...environment, models: systemModels, variables: {} })
  return new Store({ engine, registry, allowReset, close: () => engine.close() })
})

it('reads the snapshot alone when that is enough', async () => {
  const store = await openStore({ environment: memoryEnvironment() })
  const stones = await store.createCollection({ name: 'stones' })
  await stones.add({ ids: ['a', 'b'], embeddings: [[1], [2]] })
  await stones.compact()
  await stones.delete({ ids: ['a'] })
  expect([await stones.count({ readLevel: 'index_only' }), await stones.count()]).toEqual([2, 1])
  await store.close()
})

it('accepts the arguments of the chromadb client, and its embedding functions', () => {
  type Arguments<M extends keyof ChromaCollection> = Parameters<
    Extract<ChromaCollection[M], (...args: never[]) => unknown>
  >[0]
  expectTypeOf<Arguments<'add'>>().toExtend<Parameters<StoreCollection['add']>[0]>()
  expectTypeOf<Arguments<'update'>>().toExtend<Parameters<StoreCollection['update']>[0]>()
  expectTypeOf<Arguments<'delete'>>().toExtend<Parameters<StoreCollection['delete']>[0]>()
  expectTypeOf<ChromaEmbeddingFunction>().toExtend<EmbeddingFunction>()
})
