import { describe, expect, it } from 'vitest'
import { notFound, unavailable } from '../errors.ts'
import { DATABASE, outcomeOf, TENANT, wanted, CatalogWorld } from '../testing/catalog-world.ts'

async function setUp() {
  const world = new CatalogWorld()
  const { catalog } = world.process()
  const request = wanted('source', { space: 'ip', metadata: '{"a":1}', configuration: { x: 1 }, inbox: false })
  const { info: source } = await catalog.createCollection(request)
  return { world, catalog, source }
}

describe('a fork', () => {
  it('is like its source, and visible when it is prepared', async () => {
    const { world, catalog, source } = await setUp()
    const other = world.process().catalog
    let prepared = ''
    const info = await catalog.createFork({
      source,
      newName: 'fork',
      prepare: async (fork) => {
        prepared = fork.id
        expect(fork.name).toBe('fork')
        await expect(other.getCollection(TENANT, DATABASE, 'fork')).rejects.toMatchObject({ kind: 'not-found' })
        expect(await other.countCollections(TENANT, DATABASE)).toBe(1)
        const meanwhile = outcomeOf(other.createCollection(wanted('fork', { getOrCreate: true })))
        expect(await meanwhile).toBe('unavailable: collection-being-created')
      },
    })
    expect(info).toEqual({ ...source, id: prepared, name: 'fork', createdAtMs: info.createdAtMs, forkOf: source.id })
    expect(await other.getCollection(TENANT, DATABASE, 'fork')).toEqual(info)
    expect((await world.collections()).find(({ id }) => id === prepared)?.forkOf).toBe(source.id)
  })

  it('that cannot be prepared leaves the name free and its log closed', async () => {
    const { world, catalog, source } = await setUp()
    let id = ''
    const fork = catalog.createFork({
      source,
      newName: 'fork',
      prepare: async (info) => {
        id = info.id
        throw notFound('gone', 'the source is gone')
      },
    })
    await expect(fork).rejects.toMatchObject({ code: 'gone' })
    expect(await world.closed()).toEqual([id])
    expect((await catalog.createCollection(wanted('fork'))).created).toBe(true)
  })

  it('that takes too long loses its name, with an error', async () => {
    const { world, catalog, source } = await setUp()
    const other = world.process().catalog
    let taken = ''
    const fork = catalog.createFork({
      source,
      newName: 'fork',
      prepare: async () => {
        await world.clock.advance(15 * 60_000 + 1)
        taken = (await other.createCollection(wanted('fork'))).info.id
      },
    })
    await expect(fork).rejects.toMatchObject({ kind: 'conflict', code: 'creation-abandoned' })
    expect((await catalog.getCollection(TENANT, DATABASE, 'fork')).id).toBe(taken)
    await world.audit()
  })

  it('with a taken name is not started', async () => {
    const { catalog, source } = await setUp()
    const prepare = async () => {
      throw new Error('there is nothing to prepare')
    }
    const fork = catalog.createFork({ source, newName: 'source', prepare })
    await expect(fork).rejects.toMatchObject({ code: 'collection-exists' })
  })
})

describe('a deletion whose log cannot be closed', () => {
  it('is an error of the same kind, hides the collection, and can be repeated', async () => {
    const { world, source } = await setUp()
    let isBroken = true
    const closed: string[] = []
    const closeLog = async ({ id }: { id: string }) => {
      if (isBroken) throw unavailable('throttled', 'slow down', { retryAfterMs: 7 })
      closed.push(id)
    }
    const { catalog, warnings } = world.process({ closeLog })
    const deletion = () => catalog.deleteCollection(TENANT, DATABASE, 'source')
    const unfinished = { kind: 'unavailable', code: 'deletion-unfinished', retryAfterMs: 7 }
    await expect(deletion()).rejects.toMatchObject(unfinished)
    await expect(catalog.getCollection(TENANT, DATABASE, 'source')).rejects.toMatchObject({ kind: 'not-found' })
    await expect(deletion()).rejects.toMatchObject(unfinished)
    expect(await catalog.listCollections(TENANT, DATABASE)).toEqual([])
    isBroken = false
    await deletion()
    expect(closed).toEqual([source.id])
    await expect(deletion()).rejects.toMatchObject({ code: 'collection-missing' })
    expect(warnings).toEqual([])
  })

  it('does not block the name', async () => {
    const { world, source } = await setUp()
    const closeLog = () => Promise.reject(unavailable('throttled', 'slow down'))
    const { catalog, warnings } = world.process({ closeLog })
    await outcomeOf(catalog.deleteCollection(TENANT, DATABASE, 'source'))
    const { info } = await catalog.createCollection(wanted('source'))
    expect(info.id).not.toBe(source.id)
    expect(warnings).toEqual(['catalog.deletion-unfinished'])
    await world.clock.advance(25 * 3_600_000)
    expect(await catalog.collectGarbage()).toEqual({ finished: 0, removed: 0, failed: 1 })
    expect(await world.process().catalog.collectGarbage()).toEqual({ finished: 1, removed: 0, failed: 0 })
    expect(await world.closed()).toEqual([source.id])
    expect((await catalog.getCollection(TENANT, DATABASE, 'source')).id).toBe(info.id)
  })

  it('succeeds when there is no log; by id it can be repeated', async () => {
    const { world, source } = await setUp()
    const closeLog = () => Promise.reject(notFound('collection-missing', 'closed'))
    const { catalog } = world.process({ closeLog })
    await catalog.deleteCollectionById(TENANT, DATABASE, source.id)
    await catalog.deleteCollectionById(TENANT, DATABASE, source.id)
    expect(await world.collections()).toMatchObject([{ state: 'deleted' }])
  })
})
