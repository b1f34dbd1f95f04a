import { expect, it } from 'vitest'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import { testApi } from './testing/api.ts'

it('shows as the version of a collection how much of its log is folded', async () => {
  const engine = await StoreEngine.open({ env: memoryEnvironment() })
  const api = testApi(engine)
  const path = await api.collection('things')
  const shown = async () => {
    const { version, log_position } = (await api.db('GET', '/collections/things')).json
    return [version, log_position]
  }
  expect(await shown()).toEqual([0, 0])
  await api.db('POST', `${path}/add`, { ids: ['a'], embeddings: [[1]] })
  expect(await shown()).toEqual([0, 1])
  const { id } = (await api.db('GET', '/collections/things')).json
  const { info } = await engine.collection('default_tenant', 'default_database', id)
  await engine.compact(pathOf(info))
  expect(await shown()).toEqual([1, 1])
})
