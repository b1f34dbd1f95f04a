import { expect, it } from 'vitest'
import { unavailable } from '../errors.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { pointerKey } from '../format/keys.ts'
import { forwardingStore } from '../ports/forwarding-store.ts'
import { collectionRequest, upsert } from '../testing/operations.ts'
import { pathOf, StoreEngine } from './engine.ts'

const HOUR = 3_600_000

async function folded(names: readonly string[]) {
  const clock = new ManualClock()
  const env = memoryEnvironment({ seed: 1, clock })
  const run = <T>(work: Promise<T>) => clock.runUntil(work)
  const engine = await run(StoreEngine.open({ env }))
  const paths: string[] = []
  for (const name of names) {
    const { info } = await run(engine.catalog.createCollection(collectionRequest(name)))
    const collection = await run(engine.collection(info.tenant, info.database, info.id))
    await run(collection.write([upsert('a', [1])]))
    await run(engine.compact(pathOf(info)))
    paths.push(pathOf(info))
  }
  const entries = async (path: string) => (await env.store.list(`delta/${path}/`)).objects.length
  return { clock, env, run, engine, paths: paths.sort() as [string, string, string], entries }
}

it('a damaged collection keeps no other from the garbage collection that is due', async () => {
  const { clock, env, run, engine, paths, entries } = await folded(['notes-1', 'notes-2', 'notes-3'])
  const [damaged, ...others] = paths
  await env.store.put(pointerKey(damaged), Buffer.from('nonsense'))
  await clock.advance(26 * HOUR)
  await expect(run(engine.collectDue())).rejects.toMatchObject({ kind: 'corrupt' })
  for (const path of others) expect(await entries(path)).toBe(0)
  expect(await entries(damaged)).toBe(1)
  // It stays due, and the others do not.
  expect((await env.store.list('gc-due/')).objects.map(({ key }) => key.includes(damaged))).toContain(true)
})

it('garbage is collected although a full disk has no room for the fold before', async () => {
  const { clock, env, run, paths, entries } = await folded(['notes'])
  const [path] = paths
  await clock.advance(26 * HOUR)
  const store = forwardingStore(env.store, {
    put: (key, body, options) =>
      key.includes('/segment/')
        ? Promise.reject(unavailable('disk-full', 'no room'))
        : env.store.put(key, body, options),
    upload: () => Promise.reject(unavailable('disk-full', 'no room')),
  })
  const full = await run(StoreEngine.open({ env: { ...env, store } }))
  const [info] = await run(full.catalog.listCollections('default_tenant', 'default_database'))
  if (!info) throw new Error('there is no collection')
  await run((await run(full.collection(info.tenant, info.database, info.id))).write([upsert('b', [2])]))
  expect(await run(full.collectGarbage(path))).toMatchObject({ busy: false, failed: 0 })
  // The unfolded one.
  expect(await entries(path)).toBe(1)
})
