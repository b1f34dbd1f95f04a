import { expect, it } from 'vitest'
import { defaultCompactLimits } from '../compact/compact-limits.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { collectionRequest, remove, upsert } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'

it('keeps the order of insertion when a clustered segment becomes too small for an index', async () => {
  const compact = { ...defaultCompactLimits, indexRows: 20, indexDimension: 1 }
  const engine = await StoreEngine.open({ env: memoryEnvironment(), compact })
  const request = collectionRequest('things')
  const { info } = await engine.catalog.createCollection(request)
  const collection = await engine.collection(request.tenant, request.database, info.id)
  const ids = Array.from({ length: 60 }, (_, i) => `id-${i}`)
  await collection.write(ids.map((id, i) => upsert(id, [Math.sin(i * 7), Math.cos(i * 3)])))
  await engine.compact(pathOf(info))
  const kept = ids.filter((_, i) => i % 6 === 0)
  await collection.write(ids.filter((id) => !kept.includes(id)).map((id) => remove(id)))
  const { merges } = await engine.compact(pathOf(info))
  expect(merges).toBe(1)
  expect((await collection.get({ include: {} })).ids).toEqual(kept)
  await engine.close()
})
