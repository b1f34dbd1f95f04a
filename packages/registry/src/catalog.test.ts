import { isSiltstoneError } from 'siltstone/internal'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { catalogOf } from './catalog.ts'
import { METRICS } from './metrics/measurement.ts'
import { type RegistryWorld, registryWorld } from './testing/served-world.ts'

let world: RegistryWorld
beforeEach(async () => {
  world = await registryWorld()
})
afterEach(() => world.close())

it('shows artifacts in pages, by a text, and one with its rating and descent', async () => {
  const { registry } = world
  const catalog = catalogOf(registry)
  expect(await catalog.page({ limit: 10 })).toEqual({ artifacts: [], cursor: null })
  const { id } = await registry.register({ type: 'model', url: `${world.hub.url}/harbour/tern-small`, by: 'ada' })
  const secret = {
    type: 'code' as const,
    name: 'secret',
    url: 'https://elsewhere.test/secret',
    isPrivate: true,
    by: 'ben',
  }
  const other = await registry.artifacts.register(secret)
  expect((await catalog.artifact(id)).rating?.metrics.length ?? 0).toSatisfy((count) => count === 0 || count === 11)
  await registry.settled()

  const first = await catalog.page({ limit: 1 })
  expect(first).toMatchObject({ artifacts: [{ id, name: 'tern-small', licence: 'Apache-2.0' }], cursor: id })
  expect((await catalog.page({ limit: 1, cursor: id })).artifacts).toMatchObject([{ id: other.id, netScore: null }])
  expect((await catalog.page({ limit: 10, type: 'code' })).artifacts).toMatchObject([{ id: other.id }])
  expect((await catalog.search('tern', { limit: 1 }))[0]).toMatchObject({ id })
  expect(await catalog.search('tern', { limit: 5, type: 'dataset' })).toEqual([])

  const shown = await catalog.artifact(id)
  const { rating } = await registry.ratings.of(id)
  expect(shown.rating?.netScore.value).toBe(rating.netScore.value)
  expect(shown.netScore).toBe(rating.netScore.value)
  expect(shown.rating?.metrics.map(({ name }) => name)).toEqual([...METRICS])
  expect(shown.readme).toContain('Tern small')
  const parent = shown.lineage.nodes.find(({ name }) => name.includes('tern-base'))
  expect(shown.lineage.edges).toContainEqual({ from: parent?.id, to: id, relation: expect.any(String) as string })
  expect(await catalog.artifact(other.id)).toMatchObject({ rating: null, readme: null, sizeBytes: null })
  await expect(catalog.artifact('none')).rejects.toSatisfy((error) => isSiltstoneError(error, 'not-found'))
})
