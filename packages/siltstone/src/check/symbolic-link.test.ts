/** Symbolic links in a directory store are refused by name, and verify goes on. */
import { mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { closeEnvironment, openEnvironment } from '../drivers/directory/directory-environment.ts'
import { pathOf, StoreEngine } from '../engine/engine.ts'
import { collectionIdKey, logEntryKey, pointerKey } from '../format/keys.ts'
import type { Environment } from '../ports/environment.ts'
import { verifyCatalog } from './verify-catalog.ts'
import { verifyCollection } from './verify-collection.ts'

const SCOPE = { tenant: 'default_tenant', database: 'default_database' }
let root: string
let env: Environment
let path: string
let id: string

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'siltstone-links-'))
  env = await openEnvironment(join(root, 'data'))
  const engine = await StoreEngine.open({ env })
  const { info } = await engine.catalog.createCollection({
    ...SCOPE,
    name: 'notes',
    getOrCreate: false,
    space: 'l2',
    metadata: null,
    schema: null,
    configuration: {},
  })
  id = info.id
  path = pathOf(info)
  const collection = await engine.collection(SCOPE.tenant, SCOPE.database, id)
  for (const record of ['a', 'b', 'c'])
    await collection.write([
      { op: 'add', id: record, vector: Float32Array.of(1, 2), document: null, metadata: null, uri: null },
    ])
  await engine.compact(path)
  await collection.write([{ op: 'delete', id: 'a', vector: null, document: null, metadata: null, uri: null }])
  await engine.close()
})
afterEach(async () => {
  await closeEnvironment(env)
  rmSync(root, { recursive: true, force: true })
})

/** Moves a file or directory of the store out of it and puts a link in its place. */
function link(key: string): void {
  const place = join(root, 'data', key)
  const target = join(root, key.replaceAll('/', '_'))
  renameSync(place, target)
  symlinkSync(target, place)
}

const open = () => StoreEngine.open({ env })

it.each([
  ['the newest log entry', () => logEntryKey(path, 4)],
  ['the pointer', () => pointerKey(path)],
])('refuses %s', async (_, keyOf) => {
  const key = keyOf()
  link(key)
  const { problems } = await verifyCollection(env, path, { deep: true })
  expect(problems.map((problem) => problem.key)).toContain(key)
  expect(problems[0]?.problem).toContain('symbolic link')
  const engine = await open()
  const collection = await engine.collection(SCOPE.tenant, SCOPE.database, id)
  await expect(collection.count()).rejects.toMatchObject({ kind: 'corrupt', code: 'symbolic-link', key })
  await engine.close()
})

it('refuses a catalog object', async () => {
  const key = collectionIdKey({ ...SCOPE, collectionId: id })
  link(key)
  expect((await verifyCatalog(env)).problems).toMatchObject([
    { key, problem: expect.stringContaining('symbolic link') },
  ])
  const engine = await open()
  await expect(engine.catalog.getCollection(SCOPE.tenant, SCOPE.database, 'notes')).rejects.toMatchObject({ key })
  await engine.close()
})

it('refuses a directory, at any depth', async () => {
  for (const key of [dirname(logEntryKey(path, 4)), 'delta']) {
    link(key)
    const { problems } = await verifyCollection(env, path, { deep: true })
    expect(problems[0]?.problem).toMatch(/symbolic link/)
    const engine = await open()
    const collection = await engine.collection(SCOPE.tenant, SCOPE.database, id)
    await expect(collection.count()).rejects.toMatchObject({ code: 'symbolic-link' })
    await engine.close()
    const place = join(root, 'data', key)
    rmSync(place)
    renameSync(join(root, key.replaceAll('/', '_')), place)
  }
})

it('lets the store itself be one', async () => {
  renameSync(join(root, 'data'), join(root, 'elsewhere'))
  symlinkSync(join(root, 'elsewhere'), join(root, 'data'))
  const again = await openEnvironment(join(root, 'data'))
  const engine = await StoreEngine.open({ env: again })
  expect(await (await engine.collection(SCOPE.tenant, SCOPE.database, id)).count()).toBe(2)
  expect(readdirSync(join(root, 'data'))).toContain('delta')
  await engine.close()
  await closeEnvironment(again)
})
