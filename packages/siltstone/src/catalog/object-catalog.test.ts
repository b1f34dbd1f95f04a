import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { notFound } from '../errors.ts'
import { collectionPath } from '../format/keys.ts'
import { ModelCatalog } from '../testing/model-catalog.ts'
import { idKey, nameKey } from './collection-document.ts'
import type { ObjectCatalog } from './object-catalog.ts'
import { DATABASE, outcomeOf, TENANT, wanted, CatalogWorld } from '../testing/catalog-world.ts'

const SCOPE = { tenant: TENANT, database: DATABASE }

describe('one process after another', () => {
  const tenants = fc.constantFrom(TENANT, 'other')
  const databases = fc.constantFrom(DATABASE, 'second')
  const names = fc.constantFrom('alpha', 'beta', 'gamma')
  const place = fc.record({ tenant: tenants, database: databases, name: names, other: names, flag: fc.boolean() })
  const calls = {
    createTenant: async (c: Subject, p: Place) => c.catalog.createTenant(p.tenant),
    getTenant: async (c: Subject, p: Place) => c.catalog.getTenant(p.tenant),
    listTenants: async (c: Subject) => c.catalog.listTenants(),
    setResource: async (c: Subject, p: Place) => c.catalog.setTenantResourceName(p.tenant, p.name),
    createDatabase: async (c: Subject, p: Place) => void (await c.catalog.createDatabase(p.tenant, p.database)),
    getDatabase: async (c: Subject, p: Place) => (await c.catalog.getDatabase(p.tenant, p.database)).name,
    deleteDatabase: async (c: Subject, p: Place) => c.catalog.deleteDatabase(p.tenant, p.database),
    listDatabases: async (c: Subject, p: Place) => (await c.catalog.listDatabases(p.tenant)).map(({ name }) => name),
    create: async (c: Subject, p: Place) => {
      const request = { ...wanted(p.name, { metadata: '{"a":1.0}', inbox: p.flag }), ...at(p), getOrCreate: p.flag }
      const { info, created } = await c.catalog.createCollection(request)
      if (created) c.names.set(info.id, c.names.size)
      return [created, info.name, info.metadata, info.inbox, c.names.get(info.id)]
    },
    get: async (c: Subject, p: Place) => c.names.get((await c.catalog.getCollection(p.tenant, p.database, p.name)).id),
    getByCrn: async (c: Subject, p: Place) =>
      c.names.get((await c.catalog.getCollectionByCrn(p.other, p.database, p.name)).id),
    change: async (c: Subject, p: Place) => {
      const { id } = await c.catalog.getCollection(p.tenant, p.database, p.name)
      await c.catalog.changeCollection(p.tenant, p.database, id, {
        newName: p.other,
        ...(p.flag && { newMetadata: null }),
      })
      const { name, metadata } = await c.catalog.getCollectionById(p.tenant, p.database, id)
      return [name, metadata]
    },
    delete: async (c: Subject, p: Place) => c.catalog.deleteCollection(p.tenant, p.database, p.name),
    list: async (c: Subject, p: Place) =>
      (await c.catalog.listCollections(p.tenant, p.database)).map(({ id }) => String(c.names.get(id))).sort(),
    count: async (c: Subject, p: Place) => c.catalog.countCollections(p.tenant, p.database),
    reset: async (c: Subject) => c.catalog.reset(),
  }
  type Place = { tenant: string; database: string; name: string; other: string; flag: boolean }
  type Subject = { catalog: ObjectCatalog | ModelCatalog; names: Map<string, number> }
  const at = (p: Place) => ({ tenant: p.tenant, database: p.database })
  const weighted = fc.oneof(
    { weight: 40, arbitrary: fc.constantFrom(...(Object.keys(calls) as (keyof typeof calls)[]).filter(notReset)) },
    { weight: 1, arbitrary: fc.constant('reset' as const) },
  )
  function notReset(name: string): boolean {
    return name !== 'reset'
  }

  it('behaves like the model in every process', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(weighted, place, fc.boolean()), { maxLength: 40 }), async (steps) => {
        const world = new CatalogWorld()
        let made = 0
        const uuid = () => `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`
        const model: Subject = { catalog: new ModelCatalog({ uuid }, () => 0), names: new Map() }
        const names = new Map<string, number>()
        const one: Subject = { catalog: world.process().catalog, names }
        const two: Subject = { catalog: world.process().catalog, names }
        for (const [call, where, first] of steps) {
          const expected = await outcomeOf<unknown>(calls[call](model, where))
          const actual = await outcomeOf<unknown>(calls[call](first ? one : two, where))
          expect([call, where, actual]).toEqual([call, where, expected])
          await world.audit()
        }
      }),
      { numRuns: 150 },
    )
  }, 60_000)
})

describe('a new store', () => {
  it('has the defaults without a single object', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    expect(await catalog.getTenant(TENANT)).toEqual({ name: TENANT, resourceName: null })
    const database = { id: '00000000-0000-0000-0000-000000000000', name: DATABASE, tenant: TENANT }
    expect(await catalog.getDatabase(TENANT, DATABASE)).toEqual(database)
    expect(await catalog.listDatabases(TENANT)).toEqual([database])
    expect(await catalog.listDatabases('nobody')).toEqual([])
    expect(await catalog.listCollections(TENANT, DATABASE)).toEqual([])
    expect(await world.keys()).toEqual([])
  })
})

describe('collections', () => {
  it('are not made with a malformed schema, nor given one later', async () => {
    const { catalog } = new CatalogWorld().process()
    const schema = { keys: { words: { sparse_vector: true } } }
    const refused = { kind: 'invalid', code: 'bad-schema', field: 'schema' }
    await expect(catalog.createCollection(wanted('docs', { schema }))).rejects.toMatchObject(refused)
    const { info } = await catalog.createCollection(wanted('docs', { schema: null }))
    const change = catalog.changeCollection(TENANT, DATABASE, info.id, { newSchema: schema })
    await expect(change).rejects.toMatchObject(refused)
    expect((await catalog.getCollection(TENANT, DATABASE, 'docs')).schema).toBeNull()
  })

  it('are returned with all properties of their creation', async () => {
    const world = new CatalogWorld()
    const request = wanted('docs', {
      space: 'cosine',
      metadata: '{"n":9007199254740993,"f":1.0}',
      configuration: { hnsw: { ef_search: 10 } },
      schema: { keys: {} },
      inbox: false,
    })
    const { info } = await world.process().catalog.createCollection(request)
    const { getOrCreate: _, ...rest } = request
    const expected = { ...rest, id: info.id, dimension: null, createdAtMs: world.clock.nowMs() }
    expect(info).toEqual(expected)
    const { catalog } = world.process()
    expect(await catalog.getCollection(TENANT, DATABASE, 'docs')).toEqual(expected)
    expect(await catalog.getCollectionById(TENANT, DATABASE, info.id.toUpperCase())).toEqual(expected)
    const path = collectionPath({ ...SCOPE, collectionId: info.id })
    expect(await catalog.getCollectionByPath(path)).toEqual(expected)
    await expect(catalog.getCollectionById('other', DATABASE, info.id)).rejects.toMatchObject({ kind: 'not-found' })
    await expect(catalog.getCollectionById(TENANT, DATABASE, 'x')).rejects.toMatchObject({ code: 'bad-collection-id' })
  })

  it('are not changed when a caller changes an answer', async () => {
    const { catalog } = new CatalogWorld().process()
    await catalog.createCollection(wanted('docs', { configuration: { a: [1] } }))
    const info = await catalog.getCollection(TENANT, DATABASE, 'docs')
    ;(info.configuration['a'] as number[]).push(2)
    expect((await catalog.getCollection(TENANT, DATABASE, 'docs')).configuration).toEqual({ a: [1] })
  })

  it('need valid names on creation, rename and fork', async () => {
    const { catalog } = new CatalogWorld().process()
    await expect(catalog.createCollection(wanted('a'))).rejects.toMatchObject({ code: 'bad-collection-name' })
    const { info } = await catalog.createCollection(wanted('docs'))
    const rename = catalog.changeCollection(TENANT, DATABASE, info.id, { newName: 'a..b' })
    await expect(rename).rejects.toMatchObject({ kind: 'invalid' })
    const fork = catalog.createFork({ source: info, newName: '-', prepare: async () => {} })
    await expect(fork).rejects.toMatchObject({ kind: 'invalid' })
    await expect(catalog.getCollection(TENANT, DATABASE, '../\u0000/ \ud800')).rejects.toMatchObject({
      code: 'collection-missing',
    })
  })

  it('get their dimension from their log', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process({
      dimensionOf: async ({ name }) => {
        if (name === 'closed') throw notFound('collection-missing', 'its log is closed')
        return name.length
      },
    })
    for (const name of ['abc', 'abcd', 'closed']) await catalog.createCollection(wanted(name))
    expect((await catalog.getCollection(TENANT, DATABASE, 'abcd')).dimension).toBe(4)
    const listed = await catalog.listCollections(TENANT, DATABASE)
    expect(listed.map(({ dimension }) => String(dimension)).sort()).toEqual(['3', '4'])
    const again = catalog.createCollection(wanted('abc', { getOrCreate: true }))
    expect(await again).toMatchObject({ created: false, info: { dimension: 3 } })
  })

  it('that are damaged are reported; others keep working', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    const { info } = await catalog.createCollection(wanted('docs'))
    await catalog.createCollection(wanted('others'))
    await world.store.put(idKey(SCOPE, info.id), Buffer.from('{}'))
    const corrupt = { kind: 'corrupt', key: idKey(SCOPE, info.id) }
    await expect(catalog.getCollection(TENANT, DATABASE, 'docs')).rejects.toMatchObject(corrupt)
    await expect(catalog.listCollections(TENANT, DATABASE)).rejects.toMatchObject(corrupt)
    await catalog.getCollection(TENANT, DATABASE, 'others')
  })
})

describe('the number of requests', () => {
  it('is one conditional GET for a collection known by name, even if another process changed it', async () => {
    const world = new CatalogWorld()
    const { catalog, store } = world.process()
    const other = world.process().catalog
    const { info } = await catalog.createCollection(wanted('docs'))
    const cost = async (call: () => Promise<unknown>) => {
      store.log.length = 0
      await call()
      return store.log.map((line) => line.replace(/ .*/, ''))
    }
    expect(await cost(() => catalog.getCollection(TENANT, DATABASE, 'docs'))).toEqual(['get'])
    await other.changeCollection(TENANT, DATABASE, info.id, { newMetadata: '{"a":1}' })
    expect(await cost(() => catalog.getCollection(TENANT, DATABASE, 'docs'))).toEqual(['get'])
    expect((await catalog.getCollection(TENANT, DATABASE, 'docs')).metadata).toBe('{"a":1}')
    expect(await cost(() => catalog.recentCollectionById(TENANT, DATABASE, info.id))).toEqual([])
    await world.clock.advance(1001)
    expect(await cost(() => catalog.recentCollectionById(TENANT, DATABASE, info.id))).toEqual(['get'])
    await other.deleteCollection(TENANT, DATABASE, 'docs')
    await expect(catalog.getCollection(TENANT, DATABASE, 'docs')).rejects.toMatchObject({ code: 'collection-missing' })
  })

  it('is a listing for a count, and only a page of objects for a page', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    const ids: string[] = []
    for (let i = 0; i < 30; i++) ids.push((await catalog.createCollection(wanted(`name-${i}`))).info.id)
    for (const i of [3, 11]) await catalog.deleteCollection(TENANT, DATABASE, `name-${i}`)
    const live = ids.filter((_, i) => i !== 3 && i !== 11).sort()
    const { catalog: fresh, store } = world.process()
    expect(await fresh.countCollections(TENANT, DATABASE)).toBe(28)
    expect(store.log).toHaveLength(1)
    store.log.length = 0
    const page = await fresh.listCollections(TENANT, DATABASE, { offset: 10, limit: 5 })
    expect(page.map(({ id }) => id)).toEqual(live.slice(10, 15))
    expect(store.log).toHaveLength(6)
    const all = await fresh.listCollections(TENANT, DATABASE)
    expect(all.map(({ id }) => id)).toEqual(live)
    expect(await fresh.listCollections(TENANT, DATABASE, { offset: 28 })).toEqual([])
    expect(await fresh.listCollections(TENANT, DATABASE, { limit: 0 })).toEqual([])
  })

  it('continues after a page of 1,000 keys', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    for (let i = 0; i < 1100; i++) await catalog.createCollection(wanted(`name-${i}`))
    expect(await catalog.countCollections(TENANT, DATABASE)).toBe(1100)
    const page = await catalog.listCollections(TENANT, DATABASE, { offset: 990, limit: 50 })
    expect(new Set(page.map(({ id }) => id)).size).toBe(50)
    expect(await catalog.listCollections(TENANT, DATABASE)).toHaveLength(1100)
  })
})

describe('unknown fields and versions', () => {
  it('survive a change', async () => {
    const world = new CatalogWorld()
    const { catalog } = world.process()
    const { info } = await catalog.createCollection(wanted('docs'))
    const { collectionType } = await import('./collection-document.ts')
    const { encodeDocument } = await import('./document-codec.ts')
    const key = idKey(SCOPE, info.id)
    const [document] = await world.collections()
    const future = { ...document, future: { kept: true } } as unknown as NonNullable<typeof document>
    await world.store.put(key, encodeDocument(collectionType, future))
    await catalog.changeCollection(TENANT, DATABASE, info.id, { newName: 'renamed' })
    expect(await world.collections()).toMatchObject([{ name: 'renamed', future: { kept: true } }])
    expect(await world.keys('catalog/')).toContain(nameKey(SCOPE, 'renamed'))
  })
})
