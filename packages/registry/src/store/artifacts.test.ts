import fc from 'fast-check'
import { interceptedStore, isSiltstoneError } from 'siltstone/internal'
import { Crash, type Fault, randomFaults } from 'siltstone/testing'
import { describe, expect, it } from 'vitest'
import { bytes, keysOf, model, url, world } from '../testing/registry-world.ts'
import type { Artifacts } from './artifacts.ts'
import { INTENTS_PREFIX, metadataKey } from './keys.ts'
import { verifyRegistry } from './verify.ts'

describe('artifacts', () => {
  it('are registered, found and deleted, and a source is free again afterwards', async () => {
    const { process, store } = world()
    const { artifacts } = process()
    const made = await artifacts.register(model())
    expect(made).toMatchObject({ name: 'tern-small', type: 'model', url, repository: null, createdBy: 'ada' })
    expect(await process().artifacts.get(made.id)).toEqual(made)
    expect(await process().artifacts.findBySource('model', url)).toEqual(made)
    await expect(artifacts.register(model())).rejects.toMatchObject({ kind: 'conflict', code: 'artifact-exists' })
    // The same source as another type, and the same name from another source, are other artifacts.
    await artifacts.register(model({ type: 'dataset' }))
    await artifacts.register(model({ url: `${url}-2` }))

    await artifacts.delete(made.id, 'ben')
    await expect(artifacts.get(made.id)).rejects.toMatchObject({ kind: 'not-found' })
    await expect(artifacts.delete(made.id, 'ben')).rejects.toMatchObject({ kind: 'not-found' })
    const again = await artifacts.register(model())
    expect(again.id).not.toBe(made.id)
    expect((await artifacts.audit.of(made.id)).map(({ action, by }) => [action, by])).toEqual([['CREATE', 'ada']])
    expect(await keysOf(store, 'registry/audit/')).toHaveLength(1)
    expect(await keysOf(store, INTENTS_PREFIX)).toEqual([])
  })

  it('the metadata has the members of the seed', async () => {
    const { process, store } = world()
    const { id } = await process().artifacts.register(model())
    const got = await store.get(metadataKey(id))
    const json = JSON.parse(new TextDecoder().decode(got.status === 'ok' ? got.body : bytes('{}'))) as object
    expect(json).toMatchObject({
      metadata: { name: 'tern-small', id, type: 'model' },
      data: { url },
      created_by: 'ada',
    })
  })

  it('repository names are unique by any capitalisation', async () => {
    const { artifacts } = world().process()
    const made = await artifacts.register({ type: 'model', name: 'x', repository: 'Ada/X', by: 'ada' })
    expect(await artifacts.findByRepository('model', 'ada/x')).toEqual(made)
    await expect(
      artifacts.register({ type: 'model', name: 'x', repository: 'ada/x', by: 'ben' }),
    ).rejects.toMatchObject({ kind: 'conflict' })
    // Its source is free, its name is not: nothing of the attempt stays.
    await expect(artifacts.register(model({ repository: 'ADA/x' }))).rejects.toMatchObject({ kind: 'conflict' })
    await artifacts.register(model())
  })

  it.each([
    [{ name: '' }, 'artifact-name'],
    [{ name: '*' }, 'artifact-name'],
    [{ repository: 'no-owner' }, 'repository-name'],
    [{ repository: '../x' }, 'repository-name'],
  ])('%j is refused', async (more, code) => {
    await expect(world().process().artifacts.register(model(more))).rejects.toMatchObject({ kind: 'invalid', code })
  })

  it.each(['', '..', 'x/../y', '01J0000000000000000000000', 'A'.repeat(27)])('%j is no id', async (id) => {
    expect(await world().process().artifacts.find(id)).toBeUndefined()
  })

  it('of 14 parallel registrations of one source, by several processes, one succeeds', async () => {
    const { process, store } = world()
    const outcomes = await Promise.allSettled(Array.from({ length: 14 }, () => process().artifacts.register(model())))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ kind: 'conflict' })
    }
    expect(await keysOf(store, INTENTS_PREFIX)).toEqual([])
  })

  it('are deleted once, whoever is first', async () => {
    const { process, store } = world()
    const { id } = await process().artifacts.register(model())
    const outcomes = await Promise.allSettled(['ben', 'cyd', 'dot'].map((by) => process().artifacts.delete(id, by)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await keysOf(store, 'registry/audit/')).toHaveLength(1)
    expect(await keysOf(store, INTENTS_PREFIX)).toEqual([])
  })

  it('that somebody ends too early are begun again', async () => {
    const made = world()
    let hastened = 0
    const store = interceptedStore(made.store, async ({ operation, key }, send) => {
      if (operation === 'put' && key.startsWith('registry/claims/') && hastened++ < 3)
        await made.process().artifacts.finishIntents(0)
      return send()
    })
    const artifact = await made.over(store).artifacts.register(model())
    expect(hastened).toBeGreaterThan(3)
    expect(await made.process().artifacts.findBySource('model', url)).toEqual(artifact)
    expect(await made.process().artifacts.audit.of(artifact.id)).toHaveLength(1)
  })

  it('that end while another finishes them stay ended', async () => {
    const made = world()
    const broken = made.faulty({
      fault: (_request, isWrite) => (isWrite && ++writes === 3 ? 'crash-after' : undefined),
    })
    let writes = 0
    await expect(broken.artifacts.register(model())).rejects.toBeInstanceOf(Crash)
    const [first = ''] = (await made.store.list('artifacts/', { delimiter: '/' })).prefixes
    const id = first.split('/')[1] ?? ''
    let isDeleted = false
    const store = interceptedStore(made.store, async ({ operation, key }, send) => {
      if (operation === 'put' && key === metadataKey(id) && !isDeleted) {
        isDeleted = true
        const { artifacts } = made.process()
        await artifacts.finishIntents(0)
        await artifacts.delete(id, 'cyd')
      }
      return send()
    })
    const second = await made.over(store).artifacts.register(model({ by: 'ben' }))
    expect(isDeleted).toBe(true)
    expect(await made.process().artifacts.find(id)).toBeUndefined()
    expect(await made.process().artifacts.findBySource('model', url)).toEqual(second)
  })

  it('200 parallel registrations of different sources lose no id', async () => {
    const { process } = world()
    const { artifacts } = process()
    const made = await Promise.all(
      Array.from({ length: 200 }, (_, n) => artifacts.register(model({ url: `${url}-${n}` }))),
    )
    expect(new Set(made.map(({ id }) => id)).size).toBe(200)
    const read = await Promise.all(made.map(({ id }) => process().artifacts.get(id)))
    expect(read).toEqual(made)
  })
})

/** Runs `work` in a process that ends before or after its nth request, for every n, then `check`. Returns the number of requests. */
async function atEveryRequest(
  prepare: (artifacts: Artifacts) => Promise<string | undefined>,
  work: (process: ReturnType<ReturnType<typeof world>['faulty']>, prepared: string | undefined) => Promise<unknown>,
  check: (made: ReturnType<typeof world>, didFinish: boolean, prepared: string | undefined) => Promise<void>,
): Promise<number> {
  for (let n = 1; ; n++) {
    let isOver = false
    for (const fault of ['crash-before', 'crash-after'] as const satisfies readonly Fault[]) {
      const made = world()
      const prepared = await prepare(made.process().artifacts)
      const broken = made.faulty({ fault: (request) => (request === n ? fault : undefined) })
      const result = await work(broken, prepared).then(
        () => 'finished',
        (error: unknown) => error,
      )
      isOver = broken.faulty.requests < n
      if (result !== 'finished') expect(result).toBeInstanceOf(Crash)
      await check(made, result === 'finished', prepared)
      const { store, documents, blobs } = made.process()
      expect((await verifyRegistry({ store, documents, blobs })).findings).toEqual([])
    }
    if (isOver) return n - 1
  }
}

describe('a process that ends between any two requests', () => {
  const nothing = () => Promise.resolve(undefined)

  it('of a registration leaves the source to the next, whole or not at all', async () => {
    const requests = await atEveryRequest(
      nothing,
      ({ artifacts }) => artifacts.register(model({ repository: 'ada/x' })),
      async (made, didFinish) => {
        const { artifacts, store } = made.process()
        const before = await artifacts.findBySource('model', url)
        if (didFinish) expect(before).toBeDefined()
        const second = await artifacts.register(model({ repository: 'ada/x', by: 'ben' })).catch((error: unknown) => {
          if (!isSiltstoneError(error, 'conflict')) throw error
        })
        const visible = await artifacts.findBySource('model', url)
        expect(visible).toEqual(second ?? expect.objectContaining({ createdBy: 'ada' }))
        expect(await artifacts.findByRepository('model', 'ada/x')).toEqual(visible)
        await artifacts.finishIntents(0)
        expect(await keysOf(store, INTENTS_PREFIX)).toEqual([])
        expect(await artifacts.findBySource('model', url)).toEqual(visible)
        expect(await artifacts.audit.of(visible?.id ?? '')).toEqual([
          expect.objectContaining({ action: 'CREATE', by: visible?.createdBy }),
        ])
      },
    )
    expect(requests).toBeGreaterThan(8)
  })

  it('of a deletion leaves it undone, or to be finished', async () => {
    const requests = await atEveryRequest(
      async (artifacts) => (await artifacts.register(model())).id,
      ({ artifacts }, id) => artifacts.delete(id ?? '', 'ben'),
      async (made, didFinish, id = '') => {
        const { artifacts, store } = made.process()
        const wasThere = (await artifacts.find(id)) !== undefined
        if (didFinish) expect(wasThere).toBe(false)
        const hadIntent = (await keysOf(store, INTENTS_PREFIX)).length > 0
        await artifacts.finishIntents(0)
        expect(await keysOf(store, INTENTS_PREFIX)).toEqual([])
        const isThere = (await artifacts.find(id)) !== undefined
        expect(isThere).toBe(wasThere && !hadIntent)
        expect(await keysOf(store, 'registry/audit/')).toHaveLength(isThere ? 0 : 1)
      },
    )
    expect(requests).toBeGreaterThan(4)
  })

  it('of a commit leaves the branch before or after it', async () => {
    const requests = await atEveryRequest(
      async (artifacts) => (await artifacts.register(model())).id,
      async ({ commits, blobs }, id = '') => {
        const blob = await blobs.put(bytes('weights'))
        await commits.commit(id, { message: 'one', by: 'ada', changes: { 'model.bin': blob } })
      },
      async (made, didFinish, id = '') => {
        const { commits, blobs } = made.process()
        const head = await commits.resolve(id, 'main').catch(() => undefined)
        if (didFinish) expect(head).toBeDefined()
        if (head !== undefined) expect(await blobs.get(head.files['model.bin']?.sha256 ?? '')).toEqual(bytes('weights'))
        const next = await commits.commit(id, {
          message: 'two',
          by: 'ben',
          changes: { 'a.txt': await blobs.put(bytes('a')) },
        })
        expect(next.parent).toBe(head?.oid ?? null)
      },
    )
    expect(requests).toBeGreaterThan(4)
  })
})

it('processes with faults of every kind never make two of one source, and lose nothing that they acknowledged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const made = world(seed)
      const chances = { before: 0.1, after: 0.1, late: 0.05, delayMs: 1 }
      const processes = Array.from({ length: 3 }, () => made.faulty(randomFaults(chances, made.random, made.clock)))
      const sources = [url, `${url}-2`]
      const acknowledged = new Map<string, string[]>()
      // Another finishes, too early, what the others are doing: that may cost them a repetition, and nothing else.
      const hasty = async () => {
        for (let round = 0; round < 20; round++) await made.process().artifacts.finishIntents(0)
      }
      await Promise.all([
        hasty(),
        ...processes.map(async ({ artifacts }) => {
          for (const source of [...sources, ...sources]) {
            const result = await artifacts.register(model({ url: source })).catch((error: unknown) => {
              if (!isSiltstoneError(error)) throw error
            })
            if (result !== undefined) acknowledged.set(source, [...(acknowledged.get(source) ?? []), result.id])
          }
        }),
      ])
      for (const { faulty } of processes) await faulty.settled()
      const { artifacts, store, documents, blobs } = made.process()
      await artifacts.finishIntents(0)
      for (const source of sources) {
        const ids = acknowledged.get(source) ?? []
        expect(ids.length).toBeLessThanOrEqual(1)
        if (ids[0] !== undefined) expect((await artifacts.findBySource('model', source))?.id).toBe(ids[0])
      }
      const report = await verifyRegistry({ store, documents, blobs })
      expect(report.findings).toEqual([])
      expect(report.artifacts).toBeLessThanOrEqual(2)
    }),
    { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 60) },
  )
})
