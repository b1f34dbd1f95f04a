/** Any one object of the catalog is lost or damaged: verify names it, and repair makes it again or says what is lost. */
import { beforeEach, describe, expect, it } from 'vitest'
import { collectionType } from '../catalog/collection-document.ts'
import { decodeDocument, encodeDocument } from '../catalog/document-codec.ts'
import { nameClaimType } from '../catalog/document-types.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { StoreEngine } from '../engine/engine.ts'
import { catalogRoot, collectionIdKey, collectionNameKey, parseKey, storeKey, tenantKey } from '../format/keys.ts'
import type { CollectionInfo } from '../model/collection.ts'
import type { Environment } from '../ports/environment.ts'
import { repairCatalog } from './repair-catalog.ts'
import { verifyCatalog } from './verify-catalog.ts'

const DEFAULT = { tenant: 'default_tenant', database: 'default_database' }
const OTHER = { tenant: 'acme', database: 'letters' }

let env: Environment
let engine: StoreEngine

async function create(scope: typeof DEFAULT, name: string): Promise<CollectionInfo> {
  const { info } = await engine.catalog.createCollection({
    ...scope,
    name,
    getOrCreate: false,
    space: 'cosine',
    metadata: '{"topic":"silt","f":1.0}',
    schema: { keys: {} },
    configuration: { hnsw: { space: 'cosine', ef_search: 33 } },
  })
  return info
}

async function write(scope: typeof DEFAULT, { id }: CollectionInfo): Promise<void> {
  const collection = await engine.collection(scope.tenant, scope.database, id)
  await collection.write([
    { op: 'add', id: 'a', vector: Float32Array.of(1, 2), document: 'text', metadata: null, uri: null },
  ])
}

beforeEach(async () => {
  env = memoryEnvironment()
  engine = await StoreEngine.open({ env })
  const { catalog } = engine
  await catalog.createTenant('acme')
  await catalog.createTenant('unused')
  await catalog.setTenantResourceName('acme', 'crn-acme')
  await catalog.createDatabase('acme', 'letters')
  await catalog.createDatabase('acme', 'without-collections')
  await write(DEFAULT, await create(DEFAULT, 'notes'))
  await create(DEFAULT, 'empty')
  await write(OTHER, await create(OTHER, 'mail'))
  // Changes after the creation: a name, metadata, configuration; a deletion.
  const old = await create(DEFAULT, 'old-name')
  await catalog.changeCollection(DEFAULT.tenant, DEFAULT.database, old.id, {
    newName: 'renamed',
    newMetadata: '{"with":"the name"}',
  })
  const changed = await create(OTHER, 'changed')
  await catalog.changeCollection(OTHER.tenant, OTHER.database, changed.id, {
    newMetadata: '{"later":true}',
    newConfiguration: { hnsw: { space: 'cosine', ef_search: 99 } },
  })
  await write(DEFAULT, await create(DEFAULT, 'deleted'))
  await catalog.deleteCollection(DEFAULT.tenant, DEFAULT.database, 'deleted')
})

async function keys(): Promise<string[]> {
  return [storeKey, ...(await env.store.list(catalogRoot)).objects.map(({ key }) => key)]
}

async function bytesOf(key: string): Promise<Uint8Array> {
  const got = await env.store.get(key)
  if (got.status !== 'ok') throw new Error(`no ${key}`)
  return got.body
}

async function flip(key: string): Promise<void> {
  const bytes = Uint8Array.from(await bytesOf(key))
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] as number) ^ 1
  await env.store.put(key, bytes)
}

/** Everything that a client can ask the catalog. */
async function contents(): Promise<unknown> {
  const fresh = await StoreEngine.open({ env })
  const all: unknown[] = []
  for (const scope of [DEFAULT, OTHER]) {
    all.push(await fresh.catalog.getTenant(scope.tenant))
    for (const info of await fresh.catalog.listCollections(scope.tenant, scope.database)) {
      all.push(info, await fresh.catalog.getCollection(scope.tenant, scope.database, info.name))
      const collection = await fresh.collection(scope.tenant, scope.database, info.id)
      all.push(await collection.count())
    }
    all.push((await fresh.catalog.listDatabases(scope.tenant)).map(({ name }) => name))
  }
  all.push(await fresh.catalog.getCollectionByCrn('crn-acme', 'letters', 'mail'))
  await fresh.close()
  return all
}

/** Objects of which no other knows anything: their loss is said, and concerns only them. */
const isAlone = async (key: string): Promise<boolean> => {
  const text = Buffer.from(await bytesOf(key)).toString()
  return text.includes('"unused"') || text.includes('"without-collections"') || text.includes('"state":"deleted"')
}

describe('the catalog', () => {
  it('is whole after any change', async () => {
    expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
    expect(await repairCatalog(env, { dryRun: false })).toEqual({ actions: [], problems: [] })
  })

  it('is whole with a rename that broke off, and its damaged claim is named and made vacant', async () => {
    const { id } = await engine.catalog.getCollection(DEFAULT.tenant, DEFAULT.database, 'notes')
    const key = collectionIdKey({ ...DEFAULT, collectionId: id })
    const claimKey = collectionNameKey({ ...DEFAULT, name: 'wanted' })
    const document = decodeDocument(collectionType, await bytesOf(key), key)
    const renaming = { to: 'wanted', operation: '01JAAAAAAAAAAAAAAAAAAAAAAA' }
    await env.store.put(key, encodeDocument(collectionType, { ...document, renaming }))
    const claim = { format: nameClaimType.format, version: nameClaimType.version, ...DEFAULT, name: 'wanted' } as const
    await env.store.put(claimKey, encodeDocument(nameClaimType, { ...claim, collectionId: id, writes: [] }))
    expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
    await flip(claimKey)
    expect((await verifyCatalog(env)).problems).toMatchObject([{ key: claimKey }])
    expect(await repairCatalog(env, { dryRun: false })).toMatchObject({ actions: [{ key: claimKey }], problems: [] })
    expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
    // Without a claim the rename has no effect: the name is free, and the collection keeps its own.
    const { catalog } = await StoreEngine.open({ env })
    expect((await catalog.getCollection(DEFAULT.tenant, DEFAULT.database, 'notes')).id).toBe(id)
    await create(DEFAULT, 'wanted')
  })

  it('is named and made again when one bit of any object is flipped', async () => {
    const before = await contents()
    const all = await keys()
    expect(all.length).toBeGreaterThan(15)
    for (const key of all) {
      const saved = await bytesOf(key)
      const alone = await isAlone(key)
      await flip(key)
      const { problems, collections } = await verifyCatalog(env)
      expect(problems.map((one) => one.key)).toContain(key)
      // Nothing else is hidden by it.
      expect(collections.length).toBeGreaterThanOrEqual(5)
      const dry = await repairCatalog(env, { dryRun: true })
      const isLeftOver = Buffer.from(saved).includes('"state":"deleted"')
      expect(dry.actions.some((action) => action.key === key)).toBe(!alone || isLeftOver)
      const { actions, problems: left } = await repairCatalog(env, { dryRun: false })
      if (isLeftOver) {
        expect([actions, left]).toMatchObject([[{ kind: 'remove', key }], []])
        expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
        await env.store.put(key, saved)
        continue
      }
      if (alone) {
        expect(left).toMatchObject([
          { key, problem: expect.stringMatching(/no other object|nothing else is lost|no claim/) },
        ])
        await env.store.put(key, saved)
        continue
      }
      expect(actions.map((action) => action.key)).toContain(key)
      expect([key, left]).toEqual([key, []])
      expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
      expect([key, await contents()]).toEqual([key, before])
      await env.store.put(key, saved)
    }
  })

  it('is named and made again when any object is in the place of another of its kind', async () => {
    const before = await contents()
    const kindOf = (key: string) => parseKey(key)?.kind
    const all = await keys()
    for (const key of all) {
      const saved = await bytesOf(key)
      if (await isAlone(key)) continue
      for (const other of all.filter((one) => one !== key && kindOf(one) === kindOf(key))) {
        const copied = await bytesOf(other)
        await env.store.put(key, copied)
        const { problems } = await verifyCatalog(env)
        // A claim that nobody holds means nothing where nobody wants it.
        const isNobodys = [saved, copied].every((bytes) =>
          /"(collectionId|tenant)":null/.test(Buffer.from(bytes).toString()),
        )
        if (!isNobodys) expect([key, other, problems.map((one) => one.key)]).toEqual([key, other, [key]])
        expect(await repairCatalog(env, { dryRun: false })).toMatchObject({ problems: [] })
        expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
        expect([key, other, await contents()]).toEqual([key, other, before])
        await env.store.put(key, saved)
      }
    }
  })

  it('is named and made again when any object is deleted', async () => {
    const before = await contents()
    for (const key of await keys()) {
      const saved = await bytesOf(key)
      const alone = await isAlone(key)
      const isVacant = /"(collectionId|tenant)":null/.test(Buffer.from(saved).toString())
      await env.store.delete([key])
      const { problems } = await verifyCatalog(env)
      // A vacant claim, a tombstone, and what no other object names leave no trace and mean nothing to others.
      if (alone || isVacant) expect([key, problems]).toEqual([key, []])
      else expect([key, problems.map((one) => one.key)]).toEqual([key, expect.arrayContaining([key])])
      expect(await repairCatalog(env, { dryRun: false })).toMatchObject({ problems: [] })
      expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
      if (!alone) expect([key, await contents()]).toEqual([key, before])
      await env.store.put(key, saved)
    }
  })

  it('keeps a damaged collection from hiding another in the creation of one of its name', async () => {
    const notes = await engine.catalog.getCollection(DEFAULT.tenant, DEFAULT.database, 'notes')
    await env.store.delete([collectionNameKey({ ...DEFAULT, name: 'notes' })])
    const fresh = await StoreEngine.open({ env })
    const second = await fresh.catalog.createCollection({
      ...DEFAULT,
      name: 'notes',
      getOrCreate: false,
      space: 'l2',
      metadata: null,
      schema: null,
      configuration: {},
    })
    const { problems } = await repairCatalog(env, { dryRun: false })
    expect(problems).toMatchObject([
      { problem: expect.stringContaining(`two collections have the name notes: ${second.info.id}`) },
    ])
    expect(problems[0]?.remedy).toContain(`collections rename ${notes.id}`)
    await fresh.catalog.changeCollection(DEFAULT.tenant, DEFAULT.database, notes.id, { newName: 'notes-1' })
    expect(await verifyCatalog(env)).toMatchObject({ problems: [] })
    await fresh.close()
  })

  it('says what is lost with an id object whose claim is older than the copy in it', async () => {
    const info = await engine.catalog.getCollection(DEFAULT.tenant, DEFAULT.database, 'notes')
    const claimKey = collectionNameKey({ ...DEFAULT, name: 'notes' })
    const { copy: _, ...old } = decodeDocument(nameClaimType, await bytesOf(claimKey), claimKey)
    await env.store.put(claimKey, encodeDocument(nameClaimType, old))
    const key = collectionIdKey({ ...DEFAULT, collectionId: info.id })
    const document = decodeDocument(collectionType, await bytesOf(key), key)
    await env.store.delete([key])
    const { problems } = await repairCatalog(env, { dryRun: false })
    expect(problems).toMatchObject([
      {
        key,
        problem: expect.stringContaining('distance, metadata, configuration'),
        remedy: expect.stringContaining('--space SPACE'),
      },
    ])
    const path = `${key.split('/')[1]}-${info.id}`
    expect(problems[0]?.remedy).toContain(path)
    const described = new Map([[path, { ...document, metadata: null }]])
    expect(await repairCatalog(env, { dryRun: false, described })).toMatchObject({ problems: [] })
    const fresh = await StoreEngine.open({ env })
    const again = await fresh.collection(DEFAULT.tenant, DEFAULT.database, info.id)
    expect(await again.count()).toBe(1)
    await fresh.close()
  })

  it('survives the loss of a tenant whose name is in its databases', async () => {
    await env.store.delete([tenantKey('acme')])
    expect(await repairCatalog(env, { dryRun: false })).toMatchObject({ problems: [] })
    expect(await engine.catalog.getTenant('acme')).toEqual({ name: 'acme', resourceName: 'crn-acme' })
  })
})
