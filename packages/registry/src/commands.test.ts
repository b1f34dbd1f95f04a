import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from 'siltstone'
import { closeEnvironment, loadCommandLine, openEnvironmentAt } from 'siltstone/internal'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Registry } from './registry.ts'
import { Sources } from './sources/sources.ts'
import { Blobs } from './store/blobs.ts'
import { metadataKey } from './store/keys.ts'

let data: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'siltstone-registry-'))
})
afterEach(async () => {
  process.exitCode = 0
  await rm(data, { recursive: true, force: true })
})

async function run(...args: string[]): Promise<void> {
  const program = await loadCommandLine()
  await program.parseAsync(['registry', ...args, '--data', data, '--json'], { from: 'user' })
}

it('makes a lost index again, and names what does not fit', async () => {
  const environment = await openEnvironmentAt(data)
  const index = await openStore({ environment })
  const { store, clock, ids, log, random } = environment
  const registry = new Registry({ store, index, clock, ids, log, sources: new Sources({ clock, random }) })
  const { id } = await registry.artifacts.register({
    type: 'code',
    name: 'x',
    url: 'https://elsewhere.test/x',
    by: 'ada',
  })
  await index.in({ tenant: 'siltstone', database: 'registry' }).deleteCollection({ name: 'names' })
  await run('reindex')
  expect(await registry.index.count()).toBe(1)
  await run('verify')
  expect(process.exitCode ?? 0).toBe(0)
  const names = await index.in({ tenant: 'siltstone', database: 'registry' }).getCollection({ name: 'names' })
  await names.delete({ ids: [id] })
  await run('reconcile')
  expect(process.exitCode).toBe(4)
  process.exitCode = 0
  await run('reconcile', '--apply')
  expect(process.exitCode).toBe(0)
  expect(await registry.index.count()).toBe(1)
  await store.delete([(await store.list('registry/claims/')).objects[0]?.key ?? ''])
  await run('verify')
  expect(process.exitCode).toBe(4)
  expect((await store.head(metadataKey(id)))?.sizeBytes).toBeGreaterThan(0)
  await index.close()
  await closeEnvironment(environment)
})

it('deletes the contents of files that no version names', async () => {
  const environment = await openEnvironmentAt(data)
  await new Blobs(environment.store).put(new TextEncoder().encode('garbage'))
  const stored = async () => (await environment.store.list('registry/blobs/')).objects.length
  await run('gc')
  await run('gc', '--grace-hours', '0', '--dry-run')
  expect(await stored()).toBe(1)
  await expect(run('gc', '--grace-hours', 'soon')).rejects.toMatchObject({ code: 'bad-number' })
  await run('expire', '--older-than-days', '0')
  await expect(run('expire')).rejects.toThrow('--older-than-days')
  await run('gc', '--grace-hours', '0', '--xorb-days', '0')
  expect(await stored()).toBe(0)
  await closeEnvironment(environment)
})
