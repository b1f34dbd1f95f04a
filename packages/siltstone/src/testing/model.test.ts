import { describe, expect, it } from 'vitest'
import { describeCollection } from './collection.contract.ts'
import { describeHistory } from './history.contract.ts'
import { ModelEngine } from './model.ts'
import { describeSearch } from './search.contract.ts'
import { add, collectionRequest, remove } from './operations.ts'

describeCollection('the model', async () => new ModelEngine())
describeHistory('the model', async () => new ModelEngine())
describeSearch('the model', async () => new ModelEngine())

describe('the model', () => {
  it('rolls back to any version, as one more entry', async () => {
    const engine = new ModelEngine()
    const { info } = await engine.catalog.createCollection(collectionRequest('things'))
    const collection = await engine.collection(info.tenant, info.database, info.id)
    await collection.write([add('a', [1])])
    await collection.write([remove('a'), add('b', [2])])
    const [, first] = await collection.snapshots()
    expect(first).toMatchObject({ watermark: 1, liveRecords: 1, current: false })
    expect(await collection.rollback(first?.name ?? '')).toEqual({ version: 3 })
    expect((await collection.get({ include: {} })).ids).toEqual(['a'])
    expect((await collection.get({ include: {}, at: 2 })).ids).toEqual(['b'])
    await collection.write([add('c', [3])])
    expect((await collection.get({ include: {}, at: 3 })).ids).toEqual(['a'])
    await expect(collection.rollback('nonsense')).rejects.toMatchObject({ kind: 'not-found' })
  })
})
