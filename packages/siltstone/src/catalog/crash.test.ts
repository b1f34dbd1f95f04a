/** Every operation is stopped before and after each of its requests; another process must then succeed. */
import { describe, expect, it } from 'vitest'
import type { CollectionInfo } from '../model/collection.ts'
import { collectionType, idKey } from './collection-document.ts'
import { decodeDocument } from './document-codec.ts'
import { Crash, type Fault } from '../testing/faulty-object-store.ts'
import { DATABASE, mark, outcomeOf, type Process, TENANT, wanted, CatalogWorld } from '../testing/catalog-world.ts'

type Run = (process: Process, source: CollectionInfo) => Promise<unknown>

const fork: Run = ({ catalog, store }, source) =>
  catalog.createFork({ source, newName: 'new', prepare: ({ id }) => mark(store, `prepared/${id}`) })

/**
 * Runs `broken` in a process that ends at request n, for every n, then `check` in another process. To close a log and to
 * prepare a fork are requests too.
 */
async function atEveryStep(
  broken: (world: CatalogWorld) => Promise<Run>,
  check: (world: CatalogWorld, source: CollectionInfo, finished: boolean) => Promise<void>,
  faults: readonly Fault[] = ['crash-before', 'crash-after'],
): Promise<number> {
  for (let n = 1; ; n++) {
    let isOver = false
    for (const fault of faults) {
      const world = new CatalogWorld()
      const { info } = await world.process().catalog.createCollection(wanted('old', { metadata: '{"v":1}' }))
      const run = await broken(world)
      const process = world.process({ fault: (request) => (request === n ? fault : undefined) })
      const result = await run(process, info).then(
        () => 'finished',
        (error: unknown) => error,
      )
      isOver = process.store.requests < n
      if (!process.store.crashed) expect(result).toBe('finished')
      else if (result !== 'finished') expect(result).toBeInstanceOf(Crash)
      await world.audit()
      await check(world, info, result === 'finished')
      await world.audit()
    }
    if (isOver) return n - 1
  }
}

describe('a crash in a creation', () => {
  const broken =
    async (): Promise<Run> =>
    async ({ catalog }) =>
      catalog.createCollection(wanted('new'))

  it('leaves the name to getOrCreate', async () => {
    const steps = await atEveryStep(broken, async (world, _source, finished) => {
      const { catalog } = world.process()
      const { info, created } = await catalog.createCollection(wanted('new', { getOrCreate: true }))
      if (finished) expect(created).toBe(false)
      expect((await catalog.getCollection(TENANT, DATABASE, 'new')).id).toBe(info.id)
      expect(await catalog.countCollections(TENANT, DATABASE)).toBe(2)
    })
    expect(steps).toBeGreaterThan(5)
  })

  it('leaves nothing visible or a whole collection, and the name can be deleted and used', async () => {
    await atEveryStep(broken, async (world, _source, finished) => {
      const { catalog } = world.process()
      const seen = await outcomeOf(catalog.getCollection(TENANT, DATABASE, 'new'))
      if (finished) expect(seen).toMatchObject({ name: 'new' })
      const first = await outcomeOf(catalog.createCollection(wanted('new')))
      if (first === 'conflict: collection-exists') {
        await catalog.deleteCollection(TENANT, DATABASE, 'new')
        await catalog.createCollection(wanted('new'))
      }
      expect((await catalog.listCollections(TENANT, DATABASE)).map(({ name }) => name).sort()).toEqual(['new', 'old'])
    })
  })

  it('leaves the name to a rename', async () => {
    await atEveryStep(broken, async (world, source) => {
      const { catalog } = world.process()
      const renamed = await outcomeOf(catalog.changeCollection(TENANT, DATABASE, source.id, { newName: 'new' }))
      const { id } = await catalog.getCollection(TENANT, DATABASE, 'new')
      expect(id === source.id).toBe(renamed === undefined)
    })
  })

  it('leaves nothing to a deleted database', async () => {
    await atEveryStep(broken, async (world, source) => {
      const { catalog } = world.process()
      await catalog.deleteDatabase(TENANT, DATABASE)
      expect(await catalog.listCollections(TENANT, DATABASE)).toEqual([])
      expect(await world.closed()).toContain(source.id)
      await catalog.createDatabase(TENANT, DATABASE)
      expect((await catalog.createCollection(wanted('new'))).created).toBe(true)
      expect(await catalog.countCollections(TENANT, DATABASE)).toBe(1)
    })
  })

  it('leaves no object after garbage collection', async () => {
    await atEveryStep(broken, async (world) => {
      const { catalog } = world.process()
      for (let round = 0; round < 2; round++) {
        await world.clock.advance(25 * 3_600_000)
        expect((await catalog.collectGarbage()).failed).toBe(0)
      }
      for (const { state } of await world.collections()) expect(state).toBe('live')
      await catalog.createCollection(wanted('new', { getOrCreate: true }))
      await catalog.getCollection(TENANT, DATABASE, 'old')
    })
  })
})

describe('a crash in a fork', () => {
  it('leaves the name free, at once or after a while', async () => {
    let waited = 0
    await atEveryStep(
      async () => fork,
      async (world, source, finished) => {
        const { catalog } = world.process()
        const first = await outcomeOf(catalog.createCollection(wanted('new', { getOrCreate: true })))
        if (finished) expect(first).toMatchObject({ created: false })
        if (typeof first !== 'string') return
        expect(first).toBe('unavailable: collection-being-created')
        waited++
        await world.clock.advance(16 * 60_000)
        expect(await fork(world.process(), source)).toMatchObject({ name: 'new' })
      },
    )
    expect(waited).toBeGreaterThan(0)
  })

  it('leaves a closed log after the fork was prepared', async () => {
    await atEveryStep(
      async () => fork,
      async (world) => {
        await world.clock.advance(16 * 60_000)
        const { catalog } = world.process()
        await catalog.createCollection(wanted('new', { getOrCreate: true }))
        const live = (await catalog.listCollections(TENANT, DATABASE)).map(({ id }) => id)
        const prepared = (await world.keys('prepared/')).map((key) => key.slice('prepared/'.length))
        const known = [...live, ...(await world.closed())]
        for (const id of prepared) expect(known).toContain(id)
      },
    )
  })
})

describe('a crash in a rename', () => {
  const broken =
    async (): Promise<Run> =>
    ({ catalog }, { id }) =>
      catalog.changeCollection(TENANT, DATABASE, id, { newName: 'new', newMetadata: '{"v":2}' })

  it('leaves the collection under one of the names, with that name’s metadata', async () => {
    const steps = await atEveryStep(broken, async (world, source, finished) => {
      const { catalog } = world.process()
      const [seen] = await catalog.listCollections(TENANT, DATABASE)
      if (finished) expect(seen?.name).toBe('new')
      expect([seen?.name, seen?.metadata]).toEqual(seen?.name === 'new' ? ['new', '{"v":2}'] : ['old', '{"v":1}'])
      expect((await catalog.getCollection(TENANT, DATABASE, seen?.name ?? '')).id).toBe(source.id)
      const absent = seen?.name === 'new' ? 'old' : 'new'
      await expect(catalog.getCollection(TENANT, DATABASE, absent)).rejects.toMatchObject({ kind: 'not-found' })
      for (const newName of ['third', 'old', 'new']) {
        await catalog.changeCollection(TENANT, DATABASE, source.id, { newName })
        expect((await catalog.getCollection(TENANT, DATABASE, newName)).id).toBe(source.id)
      }
    })
    expect(steps).toBeGreaterThan(5)
  })

  it('is over when the collection is given the name that it has: no late request of the other process changes it', async () => {
    await atEveryStep(broken, async (world, source) => {
      const { catalog, store } = world.process()
      const { name } = await catalog.getCollectionById(TENANT, DATABASE, source.id)
      await catalog.changeCollection(TENANT, DATABASE, source.id, { newName: name })
      const key = idKey({ tenant: TENANT, database: DATABASE }, source.id)
      const got = await store.get(key)
      if (got.status !== 'ok') throw new Error(got.status)
      expect(decodeDocument(collectionType, got.body, key)).toMatchObject({ name, renaming: null })
    })
  })

  it('leaves both names usable', async () => {
    await atEveryStep(broken, async (world, source) => {
      const { catalog } = world.process()
      for (const name of ['new', 'old']) await catalog.createCollection(wanted(name, { getOrCreate: true }))
      const names = await world.audit()
      expect([...names.keys()].sort()).toEqual(['new', 'old'])
      expect([...names.values()]).toContain(source.id)
    })
  })

  it('leaves a collection that can be deleted', async () => {
    await atEveryStep(broken, async (world, source) => {
      const { catalog } = world.process()
      const { name } = await catalog.getCollectionById(TENANT, DATABASE, source.id)
      await catalog.deleteCollection(TENANT, DATABASE, name)
      expect(await world.closed()).toEqual([source.id])
      for (const name of ['new', 'old']) expect((await catalog.createCollection(wanted(name))).created).toBe(true)
    })
  })
})

describe('a crash in a deletion', () => {
  const broken =
    async (): Promise<Run> =>
    ({ catalog }) =>
      catalog.deleteCollection(TENANT, DATABASE, 'old')

  it('leaves it visible to all readers, or to none', async () => {
    const steps = await atEveryStep(broken, async (world, source, finished) => {
      const { catalog } = world.process()
      const byName = await outcomeOf(catalog.getCollection(TENANT, DATABASE, 'old'))
      const byId = await outcomeOf(catalog.getCollectionById(TENANT, DATABASE, source.id))
      const count = await catalog.countCollections(TENANT, DATABASE)
      expect(byId).toEqual(byName)
      expect(count).toBe(typeof byName === 'string' ? 0 : 1)
      if (finished) expect(count).toBe(0)
      const rename = await outcomeOf(catalog.changeCollection(TENANT, DATABASE, source.id, { newName: 'new' }))
      expect(rename).toBe(count === 1 ? undefined : 'not-found: collection-missing')
    })
    expect(steps).toBeGreaterThan(4)
  })

  it('is completed by deleting again', async () => {
    await atEveryStep(broken, async (world, source) => {
      const again = await outcomeOf(world.process().catalog.deleteCollection(TENANT, DATABASE, 'old'))
      expect([undefined, 'not-found: collection-missing']).toContain(again)
      expect(await world.closed()).toContain(source.id)
      expect(await world.collections()).toMatchObject([{ state: 'deleted' }])
    })
  })

  it('is completed by a process that wants the name', async () => {
    await atEveryStep(broken, async (world, source) => {
      const { catalog } = world.process()
      const { info, created } = await catalog.createCollection(wanted('old', { getOrCreate: true }))
      expect(created).toBe(info.id !== source.id)
      if (created) expect(await world.closed()).toContain(source.id)
    })
  })

  it('is completed by garbage collection', async () => {
    await atEveryStep(broken, async (world, source) => {
      const { catalog } = world.process()
      const before = await catalog.countCollections(TENANT, DATABASE)
      await world.clock.advance(25 * 3_600_000)
      expect((await catalog.collectGarbage()).failed).toBe(0)
      if (before === 0) expect(await world.closed()).toContain(source.id)
      await world.clock.advance(25 * 3_600_000)
      await catalog.collectGarbage()
      expect(await world.collections()).toHaveLength(before)
      await catalog.createCollection(wanted('old', { getOrCreate: true }))
    })
  })
})

describe('a crash in the deletion of a database', () => {
  it('is completed by deleting or creating it again', async () => {
    for (const again of ['delete', 'create'] as const) {
      await atEveryStep(
        async () =>
          ({ catalog }) =>
            catalog.deleteDatabase(TENANT, DATABASE),
        async (world, source) => {
          const { catalog } = world.process()
          if (again === 'delete') {
            await outcomeOf(catalog.deleteDatabase(TENANT, DATABASE))
            await expect(catalog.createCollection(wanted('new'))).rejects.toMatchObject({ code: 'database-missing' })
            expect(await world.closed()).toContain(source.id)
          }
          const created = await outcomeOf(catalog.createDatabase(TENANT, DATABASE))
          if (created === 'conflict: database-exists') expect(await world.closed()).toEqual([])
          else expect(await catalog.countCollections(TENANT, DATABASE)).toBe(0)
          await catalog.createCollection(wanted('new'))
        },
      )
    }
  })
})

describe('a crash in the setting of a resource name', () => {
  it('leaves the name to its tenant, or to another', async () => {
    await atEveryStep(
      async (world) => {
        await world.process().catalog.createTenant('other')
        return ({ catalog }) => catalog.setTenantResourceName(TENANT, 'resource')
      },
      async (world, source, finished) => {
        const { catalog } = world.process()
        const other = await outcomeOf(catalog.setTenantResourceName('other', 'resource'))
        if (finished) expect(other).toBe('conflict: resource-name-taken')
        const { resourceName } = await catalog.getTenant(TENANT)
        expect(resourceName).toBe(other === undefined ? null : 'resource')
        const found = await outcomeOf(catalog.getCollectionByCrn('resource', DATABASE, 'old'))
        expect(found).toEqual(other === undefined ? 'not-found: collection-missing' : source)
      },
    )
  })
})

describe('answers that are lost', () => {
  it.each<Fault>(['before', 'after', 'refused-after'])('%s: every operation succeeds all the same', async (fault) => {
    const operations: Run[] = [
      ({ catalog }) => catalog.createCollection(wanted('new')),
      ({ catalog }, { id }) => catalog.changeCollection(TENANT, DATABASE, id, { newName: 'new' }),
      ({ catalog }) => catalog.deleteCollection(TENANT, DATABASE, 'old'),
      ({ catalog }) => catalog.createDatabase(TENANT, 'second'),
      ({ catalog }) => catalog.setTenantResourceName(TENANT, 'resource'),
    ]
    for (const operation of operations) {
      const onlyWrites: Fault[] = [fault]
      await atEveryStep(
        async () => async (process, source) => {
          await operation(process, source)
          expect(process.warnings).toEqual([])
        },
        async (_world, _source, finished) => expect(finished).toBe(true),
        onlyWrites,
      )
    }
  })
})
