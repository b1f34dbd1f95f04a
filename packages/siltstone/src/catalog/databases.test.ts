import { describe, expect, it } from 'vitest'
import { databaseKey, tenantKey } from '../format/keys.ts'
import { DATABASE, outcomeOf, TENANT, wanted, CatalogWorld } from '../testing/catalog-world.ts'

describe('databases', () => {
  it('are listed by name, page by page', async () => {
    const { catalog } = new CatalogWorld().process()
    await catalog.createTenant('other')
    for (const name of ['zeta', 'alpha', 'Beta']) await catalog.createDatabase(TENANT, name)
    await catalog.createDatabase('other', 'mine')
    const names = async (page = {}) => (await catalog.listDatabases(TENANT, page)).map(({ name }) => name)
    expect(await names()).toEqual(['Beta', 'alpha', DATABASE, 'zeta'])
    expect(await names({ offset: 1, limit: 2 })).toEqual(['alpha', DATABASE])
    await catalog.deleteDatabase(TENANT, DATABASE)
    expect(await names()).toEqual(['Beta', 'alpha', 'zeta'])
    const { id } = await catalog.createDatabase(TENANT, DATABASE)
    expect(await catalog.getDatabase(TENANT, DATABASE)).toEqual({ id, name: DATABASE, tenant: TENANT })
  })

  it('are created by one of many concurrent calls', async () => {
    const world = new CatalogWorld()
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => outcomeOf(world.process().catalog.createDatabase(TENANT, 'second'))),
    )
    expect(answers.filter((answer) => answer === 'conflict: database-exists')).toHaveLength(4)
  })

  it('need a valid name and an existing tenant', async () => {
    const { catalog } = new CatalogWorld().process()
    await expect(catalog.createDatabase(TENANT, 'a')).rejects.toMatchObject({ code: 'bad-database-name' })
    await expect(catalog.createDatabase('nobody', 'second')).rejects.toMatchObject({ code: 'tenant-missing' })
    await expect(catalog.createTenant('ab')).rejects.toMatchObject({ code: 'bad-tenant-name' })
  })

  it('keep their collections when an earlier deletion that stalled continues', async () => {
    const world = new CatalogWorld()
    const setUp = world.process().catalog
    await setUp.createDatabase(TENANT, 'second')
    await setUp.createCollection(wanted('before', { database: 'second' }))
    // The stalled process has marked the database and waits for the answer to its first listing.
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    const stalled = world.process({
      pause: async () => {
        if (!stalled.store.log.some((line) => line.startsWith('list'))) return
        reached.resolve()
        await released.promise
      },
    })
    const deletion = stalled.catalog.deleteDatabase(TENANT, 'second')
    await reached.promise
    await setUp.deleteDatabase(TENANT, 'second')
    await setUp.createDatabase(TENANT, 'second')
    const { info } = await setUp.createCollection(wanted('after', { database: 'second' }))
    released.resolve()
    await deletion
    expect(await setUp.getCollection(TENANT, 'second', 'after')).toEqual(info)
    expect(await setUp.listDatabases(TENANT)).toHaveLength(2)
  })

  it('do not share the key prefix of another with the same hash bits', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    const neighbour = (key: string) => key.replace(/(.{12})[0-9a-f]{52}\.json$/, `$1${'0'.repeat(52)}.json`)
    await world.store.put(neighbour(tenantKey('tenant')), new Uint8Array(0))
    await expect(catalog.createTenant('tenant')).rejects.toMatchObject({ code: 'name-hash-collision' })
    await world.store.put(neighbour(databaseKey({ tenant: TENANT, database: 'second' })), new Uint8Array(0))
    await expect(catalog.createDatabase(TENANT, 'second')).rejects.toMatchObject({ code: 'name-hash-collision' })
  })
})

describe('resource names', () => {
  it('belong to one tenant, once', async () => {
    const { catalog } = new CatalogWorld().process()
    await catalog.createTenant('other')
    await catalog.setTenantResourceName('other', 'mine')
    expect(await catalog.getTenant('other')).toEqual({ name: 'other', resourceName: 'mine' })
    const set = (tenant: string, name: string) => outcomeOf(catalog.setTenantResourceName(tenant, name))
    expect(await set('other', 'second')).toBe('conflict: resource-name-set')
    expect(await set(TENANT, 'mine')).toBe('conflict: resource-name-taken')
    expect(await set('nobody', 'second')).toBe('not-found: tenant-missing')
    expect(await set(TENANT, 'second')).toBeUndefined()
    const { info } = await catalog.createCollection(wanted('docs'))
    expect(await catalog.getCollectionByCrn('second', DATABASE, 'docs')).toEqual(info)
    await expect(catalog.getCollectionByCrn('nobody', DATABASE, 'docs')).rejects.toMatchObject({
      code: 'tenant-missing',
    })
  })

  it('go to one of many tenants that claim it at once', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    for (let i = 0; i < 5; i++) await catalog.createTenant(`tenant-${i}`)
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, i) =>
        outcomeOf(world.process().catalog.setTenantResourceName(`tenant-${i}`, 'shared')),
      ),
    )
    expect(answers.filter((answer) => answer === undefined)).toHaveLength(1)
    const winner = answers.indexOf(undefined)
    for (let i = 0; i < 5; i++) {
      const { resourceName } = await catalog.getTenant(`tenant-${i}`)
      expect(resourceName).toBe(i === winner ? 'shared' : null)
    }
  })
})

describe('a reset', () => {
  it('leaves the state of a new store, and closed logs', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    await catalog.createTenant('other')
    await catalog.createDatabase('other', 'second')
    await catalog.setTenantResourceName(TENANT, 'resource')
    const ids: string[] = []
    for (const scope of [{}, { tenant: 'other', database: 'second' }]) {
      ids.push((await catalog.createCollection(wanted('docs', scope))).info.id)
    }
    await catalog.deleteDatabase(TENANT, DATABASE)
    await catalog.reset()
    for (const { catalog } of [world.process(), world.process()]) {
      expect(await catalog.getTenant(TENANT)).toEqual({ name: TENANT, resourceName: null })
      expect(await catalog.listDatabases(TENANT)).toEqual([
        { id: '00000000-0000-0000-0000-000000000000', name: DATABASE, tenant: TENANT },
      ])
      await expect(catalog.getTenant('other')).rejects.toMatchObject({ code: 'tenant-missing' })
      expect(await catalog.listDatabases('other')).toEqual([])
      expect(await catalog.countCollections(TENANT, DATABASE)).toBe(0)
    }
    expect((await world.closed()).sort()).toEqual(ids.sort())
    await catalog.createTenant('other')
    await catalog.setTenantResourceName('other', 'resource')
    await catalog.createDatabase('other', 'second')
    expect((await catalog.createCollection(wanted('docs', { tenant: 'other', database: 'second' }))).created).toBe(true)
  })
})
