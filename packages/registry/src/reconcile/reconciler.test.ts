import { forwardingStore, type ObjectStore } from 'siltstone/internal'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Registry } from '../registry.ts'
import { verifyRegistry } from '../store/verify.ts'
import { type RegistryWorld, registryWorld } from '../testing/served-world.ts'

const NEXT = 'e'.repeat(40)
const INFO = '/api/models/harbour/tern-small/revision/main?blobs=true'
const admin = { name: 'root', isAdmin: true }

let world: RegistryWorld
let registry: Registry
let tern: string
beforeEach(async () => {
  world = await registryWorld()
  registry = world.registry
  tern = (await registry.register({ type: 'model', url: `${world.hub.url}/harbour/tern-small`, by: 'ada' })).id
  await registry.settled()
})
afterEach(() => world.close())

/** What the hub says about the model from now on. */
function hubSays(changed: Record<string, unknown>, at = INFO): void {
  const { body } = world.hub.routes.get(INFO) as { body: Record<string, unknown> }
  const next = { ...body, ...changed }
  world.hub.routes.set(at, { body: next })
  for (const [path, route] of world.hub.routes)
    if (path.startsWith('/harbour/tern-small/resolve/'))
      world.hub.routes.set(path.replace(/resolve\/\w+/, `resolve/${String(next['sha'])}`), route)
}

const found = async (options = {}, by = registry) => {
  const { findings } = await by.reconciler.reconcile(options)
  return findings.map(({ artifact, kind, isRepaired }) => [artifact, kind, isRepaired])
}

describe('reconciling sources', () => {
  it('finds nothing where nothing has changed, and asks each source that has a driver once', async () => {
    await registry.artifacts.register({ type: 'code', name: 'x', url: 'https://elsewhere.test/x', by: 'ada' })
    await registry.artifacts.register({ type: 'model', name: 'up', repository: 'ada/up', by: 'ada' })
    const before = world.hub.requests.length
    expect(await registry.reconciler.reconcile()).toEqual({ artifacts: 3, asked: 1, findings: [] })
    expect(world.hub.requests.slice(before)).toEqual([`GET ${INFO}`])
  })

  it('reports another revision and another licence, and rates again on request', async () => {
    const before = await registry.artifacts.get(tern)
    hubSays({ sha: NEXT, cardData: { license: 'gpl-3.0' }, tags: [] })
    const { findings } = await registry.reconciler.reconcile()
    expect(findings.map(({ kind }) => kind)).toEqual(['revision', 'licence'])
    expect(findings[0]?.text).toContain(NEXT)
    expect(await registry.artifacts.get(tern)).toEqual(before)
    expect(await found({ apply: true })).toEqual([
      [tern, 'revision', true],
      [tern, 'licence', true],
    ])
    const { facts } = await registry.artifacts.get(tern)
    expect(facts).toMatchObject({ revision: NEXT })
    expect(facts?.licence).not.toBe(before.facts?.licence)
    expect((await registry.index.list([{}], admin, 10)).artifacts).toMatchObject([{ licence: facts?.licence }])
    expect(await found()).toEqual([])
  })

  it('follows a source that has moved, unless its new place is registered', async () => {
    const url = registry.sources.hubUrl('model', 'harbour/tern-tiny')
    hubSays({ id: 'harbour/tern-tiny' })
    hubSays({ id: 'harbour/tern-tiny' }, INFO.replace('tern-small', 'tern-tiny'))
    for (const [path, route] of world.hub.routes)
      if (path.startsWith('/harbour/tern-small/')) world.hub.routes.set(path.replace('small', 'tiny'), route)
    expect(await found()).toEqual([[tern, 'moved', false]])
    expect(await found({ apply: true })).toEqual([[tern, 'moved', true]])
    expect(await registry.artifacts.get(tern)).toMatchObject({ url, facts: { revision: 'a'.repeat(40) } })
    expect(await found()).toEqual([])
    const again = await registry.artifacts.register({
      type: 'model',
      name: 'tern-small',
      url: registry.sources.hubUrl('model', 'harbour/tern-small'),
      by: 'ben',
    })
    const { findings } = await registry.reconciler.reconcile({ apply: true })
    expect(findings).toMatchObject([{ artifact: again.id, kind: 'moved', isRepaired: false }])
    expect(findings[0]?.text).toContain(tern)
    expect((await registry.artifacts.get(again.id)).url).toContain('tern-small')
  })

  it('does not take another capitalisation for a move', async () => {
    hubSays({ id: 'Harbour/Tern-Small' })
    expect(await found()).toEqual([])
  })

  it('reports a source that is gone or does not answer, and changes nothing', async () => {
    const before = await registry.artifacts.get(tern)
    world.hub.routes.set(INFO, { status: 403 })
    expect(await found({ apply: true })).toEqual([[tern, 'unreachable', false]])
    world.hub.routes.delete(INFO)
    expect(await found({ apply: true })).toEqual([[tern, 'vanished', false]])
    expect(await registry.artifacts.get(tern)).toEqual(before)
  })

  it('rates what was not rated', async () => {
    const { id } = await registry.artifacts.register({
      type: 'dataset',
      name: 'squalls',
      url: registry.sources.hubUrl('dataset', 'harbour/squalls'),
      by: 'ada',
    })
    expect(await found()).toEqual([[id, 'unrated', false]])
    expect(await found({ apply: true })).toEqual([[id, 'unrated', true]])
    expect((await registry.artifacts.get(id)).facts).not.toBeNull()
  })
})

describe('reconciling the index', () => {
  it('finds what the index lacks, has too much, or has otherwise, and refreshes it', async () => {
    const other = await registry.artifacts.register({
      type: 'code',
      name: 'x',
      url: 'https://elsewhere.test/x',
      by: 'ada',
    })
    const collections = await world.collections()
    const gone = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
    await collections.names.delete({ ids: [other.id] })
    await collections.names.update({ ids: [tern], metadatas: [{ licence: 'MIT-0' }] })
    await collections.names.upsert({
      ids: [gone],
      documents: ['gone'],
      metadatas: [{ type: 'model' }],
      embeddings: [[0]],
    })
    const expected = [tern, other.id, gone]
    const { findings } = await registry.reconciler.reconcile()
    expect(findings.map(({ artifact, kind }) => [artifact, kind])).toEqual(expected.map((id) => [id, 'index']))
    expect(findings.map(({ name }) => name)).toEqual(['tern-small', 'x', null])
    expect(await found({ apply: true })).toEqual(expected.map((id) => [id, 'index', true]))
    expect(await found()).toEqual([])
    await collections.readmes.update({ ids: [tern], documents: ['another README'] })
    expect(await found({ apply: true })).toEqual([[tern, 'index', true]])
    expect((await registry.index.list([{}], admin, 10)).artifacts.map(({ id }) => id)).toEqual([tern, other.id])
  })
})

it('a run that ends anywhere leaves what the next one finishes', async () => {
  const killed = new Error('killed')
  for (let number = 0, goesOn = true; goesOn; number++) {
    await world.close()
    world = await registryWorld()
    registry = world.registry
    tern = (await registry.register({ type: 'model', url: `${world.hub.url}/harbour/tern-small`, by: 'ada' })).id
    await registry.settled()
    hubSays({ sha: NEXT, cardData: { license: 'gpl-3.0' }, tags: [] })
    let calls = 0
    const before = async () => {
      if (calls++ === number) throw killed
    }
    const ending = (inner: ObjectStore) =>
      forwardingStore(inner, {
        put: async (...args) => (await before(), inner.put(...args)),
        delete: async (...args) => (await before(), inner.delete(...args)),
      })
    const one = await world.other({ store: ending(registry.store) })
    const outcome = await one.reconciler.reconcile({ apply: true }).catch((error: unknown) => error)
    goesOn = calls > number
    if (goesOn) expect(outcome).toBe(killed)
    await registry.artifacts.finishIntents(0)
    await registry.reconciler.reconcile({ apply: true })
    expect(await found()).toEqual([])
    expect((await registry.artifacts.get(tern)).facts).toMatchObject({ revision: NEXT })
    expect((await verifyRegistry(registry)).findings).toEqual([])
  }
})
