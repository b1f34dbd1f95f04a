import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import { collectionRequest, update, upsert } from '../testing/operations.ts'

const ROWS = 1_200

it('a filter over an indexed segment sees what overlays and the log changed', async () => {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const request = collectionRequest('things')
  const { info } = await engine.catalog.createCollection(request)
  const collection = await engine.collection(request.tenant, request.database, info.id)
  const fold = () => engine.compactor.compact(pathOf(info))
  const found = async (n: number) => {
    const { ids } = await collection.get({
      filter: { kind: 'compare', key: 'n', op: 'eq', value: BigInt(n) },
      include: {},
    })
    return ids
  }
  await collection.write(
    Array.from({ length: ROWS }, (_, i) => upsert(`id-${i}`, [Math.sin(i), Math.cos(i)], { metadata: { n: 1 } })),
  )
  await fold()
  expect(await found(1)).toHaveLength(ROWS)

  await collection.write([update('id-3', { metadata: { n: 2 } })])
  await fold()
  expect(await found(2)).toEqual(['id-3'])
  expect(await found(1)).toHaveLength(ROWS - 1)

  await collection.write([update('id-4', { metadata: { n: 2 } }), update('id-3', { metadata: { n: 1 } })])
  expect(await found(2)).toEqual(['id-4'])
  expect(await found(1)).toHaveLength(ROWS - 1)
  await engine.close()
})
