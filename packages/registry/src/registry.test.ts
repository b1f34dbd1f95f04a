import fc from 'fast-check'
import { openStore } from 'siltstone'
import { isSiltstoneError } from 'siltstone/internal'
import { memoryEnvironment } from 'siltstone/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Registry } from './registry.ts'
import { verifyRegistry } from './store/verify.ts'
import { type RegistryWorld, registryWorld } from './testing/served-world.ts'

let world: RegistryWorld
let registry: Registry
beforeEach(async () => {
  world = await registryWorld()
  registry = world.registry
})
afterEach(() => world.close())

const ada = { name: 'ada', isAdmin: false }
const admin = { name: 'root', isAdmin: true }
const all = [{}]
const tern = () => ({ type: 'model' as const, url: `${world.hub.url}/harbour/tern-small`, by: 'ada' })
const names = (artifacts: readonly { name: string }[]) => artifacts.map(({ name }) => name)
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (isSiltstoneError(error) ? error.code : String(error)),
  )
const plain = (name: string, type: 'model' | 'dataset' | 'code' = 'model') => ({
  type,
  name,
  url: `https://elsewhere.test/${name}`,
  by: 'ada',
})

describe('the index', () => {
  it('has an artifact when its registration returns, in every process, and its README when it was rated', async () => {
    const other = await world.other()
    expect(await other.index.count()).toBe(0)
    const { id } = await registry.register(tern())
    expect(await other.index.list(all, ada, 10)).toMatchObject({ artifacts: [{ id, name: 'tern-small' }], next: null })
    await registry.settled()
    const { artifacts } = await other.index.matching('Meridian corpus', ada, 10)
    expect(artifacts).toMatchObject([{ id, licence: 'Apache-2.0', netScore: expect.any(Number) as number }])
  })

  it('matches name and README each as one text', async () => {
    const { id } = await registry.register(tern())
    await registry.settled()
    const found = async (pattern: string) => (await registry.index.matching(pattern, ada, 10)).artifacts.length
    expect(await found('^tern-small$')).toBe(1)
    expect(await found('^# Tern small$')).toBe(0)
    expect(await found('(?m)^# Tern small$')).toBe(1)
    expect(await found('TERN-SMALL')).toBe(0)
    expect(await found('(l+)+$')).toBe(1)
    expect(await found('no such text')).toBe(0)
    expect(await codeOf(registry.index.matching('(?=x)', ada, 10))).toBe('regex-syntax')
    await registry.artifacts.delete(id, 'ada')
    expect(await found('tern')).toBe(0)
  })

  it('searches by words and by meaning, with conditions', async () => {
    await registry.register(tern())
    await registry.artifacts.register(plain('invoice-parser'))
    await registry.settled()
    const found = async (options: Parameters<typeof registry.index.search>[0]) =>
      names(await registry.index.search(options, ada))
    expect((await found({ text: 'gale warnings at sea' }))[0]).toBe('tern-small')
    expect(await found({ text: 'invoice-parser' })).toContain('invoice-parser')
    expect(await found({ text: 'weather', licence: 'MIT' })).toEqual([])
    expect(await found({ text: 'weather', minNetScore: 0.99 })).toEqual([])
    expect(await found({ text: '', madeFrom: registry.sources.hubUrl('model', 'harbour/tern-base') })).toEqual([
      'tern-small',
    ])
  })

  it('does not show a private artifact to others', async () => {
    await registry.artifacts.register({ ...plain('secret'), isPrivate: true })
    const seen = async (viewer: { name: string; isAdmin: boolean }) => [
      (await registry.index.list(all, viewer, 10)).artifacts.length,
      (await registry.index.matching('secret', viewer, 10)).artifacts.length,
      (await registry.index.search({ text: 'secret' }, viewer)).length,
    ]
    expect(await seen(ada)).toEqual([1, 1, 1])
    expect(await seen(admin)).toEqual([1, 1, 1])
    expect(await seen({ name: 'ben', isAdmin: false })).toEqual([0, 0, 0])
  })

  it('answers pages in the order of ids that together are what a plain list is', async () => {
    const made: { id: string; name: string; type: string }[] = []
    for (let i = 0; i < 12; i++) {
      const type = (['model', 'dataset', 'code'] as const)[i % 3] ?? 'model'
      made.push(await registry.artifacts.register({ ...plain(`n${i % 5}`, type), url: `https://elsewhere.test/${i}` }))
    }
    const types = fc.subarray(['model', 'dataset', 'code'] as const)
    const clause = fc.record({ name: fc.constantFrom('n0', 'n1', 'n4', 'absent'), types }, { requiredKeys: ['types'] })
    await fc.assert(
      fc.asyncProperty(fc.array(clause, { maxLength: 3 }), fc.integer({ min: 1, max: 5 }), async (clauses, limit) => {
        const expected = made.filter(({ name, type }) =>
          clauses.some(
            (each) =>
              (each.name === undefined || each.name === name) &&
              (each.types.length === 0 || each.types.some((one) => one === type)),
          ),
        )
        const seen: string[] = []
        let after: string | undefined
        do {
          const page = await registry.index.list(clauses, ada, limit, after)
          seen.push(...page.artifacts.map(({ id }) => id))
          after = page.next ?? undefined
        } while (after !== undefined)
        expect(seen).toEqual(expected.map(({ id }) => id).toSorted())
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 40) },
    )
  })

  it('comes back after the loss of its collections, and after changes that it did not see', async () => {
    const { id } = await registry.register(tern())
    await registry.settled()
    const unseen = await (await world.other()).artifacts.register(plain('b'))
    const index = registry.index
    // Another index over the same bucket, which has seen nothing.
    const fresh = await openStore({ environment: memoryEnvironment() })
    try {
      const lost = await world.other({ index: fresh })
      expect((await lost.index.list(all, ada, 10)).artifacts.map((each) => each.id)).toEqual([id, unseen.id].toSorted())
      await registry.artifacts.delete(unseen.id, 'ada')
      expect((await lost.index.list(all, ada, 10)).artifacts).toHaveLength(2)
      expect(await lost.index.reindex()).toEqual({ refreshed: 2, artifacts: 1 })
      expect((await lost.index.matching('Meridian', ada, 10)).artifacts).toHaveLength(1)
      expect(await index.count()).toBe(1)
    } finally {
      await fresh.close()
    }
  })

  it('is brought up to date by the process that finishes the intent of a process that ended before', async () => {
    expect(await registry.index.count()).toBe(0)
    const broken = await world.other()
    broken.index.refresh = () => Promise.reject(new Error('the process ended'))
    await expect(broken.artifacts.register(plain('cut-off'))).rejects.toThrow('ended')
    expect(await registry.index.count()).toBe(0)
    expect(await registry.artifacts.finishIntents(0)).toBe(1)
    const { artifacts } = await registry.index.list(all, ada, 10)
    expect(names(artifacts)).toEqual(['cut-off'])
    const id = artifacts[0]?.id ?? ''
    await expect(broken.artifacts.delete(id, 'ada')).rejects.toThrow('ended')
    await registry.artifacts.finishIntents(0)
    expect(await registry.index.count()).toBe(0)
  })

  it('ends as the bucket is, whatever processes change at the same time', async () => {
    const processes = [registry, await world.other(), await world.other()]
    const { id } = await registry.artifacts.register(plain('x'))
    await Promise.all(
      processes.map(async ({ artifacts }, p) => {
        for (let i = 0; i < 5; i++) {
          await artifacts.change(id, 'ada', 'UPDATE', (current) => ({
            ...current,
            metadata: { ...current.metadata, name: `x-${p}-${i}` },
          }))
        }
      }),
    )
    const { name } = await registry.artifacts.get(id)
    expect(names((await registry.index.list(all, ada, 10)).artifacts)).toEqual([name])
    expect((await registry.artifacts.audit.of(id)).filter(({ action }) => action === 'UPDATE')).toHaveLength(15)
  })
})

describe('ratings', () => {
  it('are computed once for requests at the same time, stored, and read by other processes', async () => {
    const { id } = await registry.artifacts.register({ ...plain('tern-small'), url: canonical() })
    const rated = await Promise.all(Array.from({ length: 14 }, () => registry.ratings.of(id)))
    expect(new Set(rated).size).toBe(1)
    const asked = world.hub.requests.length
    const again = await (await world.other()).ratings.of(id)
    expect(again.rating).toEqual(rated[0]?.rating)
    expect(world.hub.requests.length).toBe(asked)
  })

  it('count the ratings of registered parents, and end where two are parents of each other', async () => {
    const base = `${world.hub.url}/harbour/tern-base`
    const parent = structuredClone(world.hub.routes.get('/api/models/harbour/tern-small/revision/main?blobs=true'))
    const body = (parent as { body: Record<string, unknown> }).body
    world.hub.routes.set('/api/models/harbour/tern-base/revision/main?blobs=true', {
      body: { ...body, id: 'harbour/tern-base', tags: [], cardData: { base_model: 'harbour/tern-small' } },
    })
    const [child, other] = await Promise.all([registry.register(tern()), registry.register({ ...tern(), url: base })])
    await registry.settled()
    const [a, b] = await Promise.all([registry.ratings.of(child.id), registry.ratings.of(other.id)])
    const scores = [a, b].map(({ rating }) => rating.metrics.tree_score.value)
    // One of them was computed first, without the other.
    expect(scores).toContain(0)
    expect(Math.max(...scores)).toBeGreaterThan(0)
  })

  it('of a source that fails are the error of who asks, and nothing is stored', async () => {
    const { id } = await registry.register({ type: 'model', url: `${world.hub.url}/harbour/absent`, by: 'ada' })
    await registry.settled()
    expect(await codeOf(registry.ratings.of(id))).toBe('source-not-found')
    expect((await registry.artifacts.get(id)).facts).toBeNull()
  })

  it('decide with a gate, before anything is written', async () => {
    const gated = await world.other({ gate: { net_score: 0.99 } })
    expect(await codeOf(gated.register(tern()))).toBe('rating-too-low')
    expect(await gated.index.count()).toBe(0)
    const open = await world.other({ gate: { license: 0.5 } })
    const { id, facts } = await open.register(tern())
    expect(facts?.netScore).toBeGreaterThan(0)
    const asked = world.hub.requests.length
    await open.ratings.of(id)
    expect(world.hub.requests.length).toBe(asked)
  })
})

const canonical = () => registry.sources.hubUrl('model', 'harbour/tern-small')

describe('lineage', () => {
  it('names what is not registered, and the artifact itself once it is', async () => {
    const { id } = await registry.register(tern())
    await registry.settled()
    const graph = async (direction: 'ancestors' | 'descendants' | 'both' = 'ancestors', of = id) =>
      registry.lineage.graph(await registry.artifacts.get(of), ada, direction)
    const before = await graph()
    expect(before.edges).toEqual([
      { from: expect.stringMatching(/^ext-[0-9a-f]{12}$/) as string, to: id, relation: 'finetune' },
      { from: expect.stringMatching(/^ext-/) as string, to: id, relation: 'fine_tuning_dataset' },
      { from: expect.stringMatching(/^ext-/) as string, to: id, relation: 'fine_tuning_dataset' },
      { from: expect.stringMatching(/^ext-/) as string, to: id, relation: 'training_code' },
    ])
    expect(before.nodes).toHaveLength(5)
    const url = registry.sources.hubUrl('model', 'harbour/tern-base')
    const base = await registry.artifacts.register({ type: 'model', name: 'tern-base', url, by: 'ben' })
    const after = await graph()
    expect(after.nodes).toHaveLength(5)
    expect(after.edges[0]).toEqual({ from: base.id, to: id, relation: 'finetune' })
    expect((await graph('descendants', base.id)).edges).toEqual([{ from: base.id, to: id, relation: 'finetune' }])
  })
})

describe('a change of the source', () => {
  it('frees the old one, keeps id and name, and forgets what was learned', async () => {
    const { id } = await registry.register(tern())
    await registry.settled()
    const next = 'https://elsewhere.test/next'
    const changed = await registry.artifacts.changeSource(id, 'ada', next)
    expect(changed).toMatchObject({ id, name: 'tern-small', url: next, facts: null })
    expect(await registry.artifacts.findBySource('model', canonical())).toBeUndefined()
    expect((await registry.artifacts.findBySource('model', next))?.id).toBe(id)
    expect(await codeOf(registry.artifacts.register({ ...plain('y'), url: next }))).toBe('artifact-exists')
    const again = await registry.artifacts.register({ ...plain('z'), url: canonical() })
    expect(await codeOf(registry.artifacts.changeSource(again.id, 'ada', next))).toBe('artifact-exists')
    expect((await registry.artifacts.get(again.id)).url).toBe(canonical())
    expect((await verifyRegistry(registry)).findings).toEqual([])
  })

  it('to one address by several at the same time succeeds for one', async () => {
    const processes = [registry, await world.other(), await world.other(), await world.other()]
    const made = await Promise.all(processes.map(({ artifacts }, i) => artifacts.register(plain(`p${i}`))))
    const target = 'https://elsewhere.test/target'
    const outcomes = await Promise.all([
      ...made.map(({ id }, i) => codeOf((processes[i] as Registry).artifacts.changeSource(id, 'ada', target))),
      codeOf(registry.artifacts.register({ ...plain('q'), url: target })),
    ])
    expect(outcomes.filter((outcome) => outcome === 'done')).toHaveLength(1)
    const owners = (await registry.index.list(all, ada, 100)).artifacts.filter(({ url }) => url === target)
    expect(owners).toHaveLength(1)
    await registry.artifacts.finishIntents(0)
    expect((await verifyRegistry(registry)).findings).toEqual([])
  })
})
