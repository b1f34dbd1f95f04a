import { describe, expect, it } from 'vitest'
import { defaultCompactLimits } from '../compact/compact-limits.ts'
import { pointerKey, snapshotPrefix } from '../format/keys.ts'
import { directoryLimits } from '../log/log-limits.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { between, upsert } from '../testing/world.ts'
import { pathOf, StoreEngine } from './engine.ts'
import type { CollectionInfo } from '../model/collection.ts'
import { collectionRequest } from '../testing/operations.ts'

const HOUR = 3_600_000

async function setUp() {
  const clock = new ManualClock()
  const run = <T>(work: Promise<T>) => clock.runUntil(work)
  const env = memoryEnvironment({ seed: 1, clock })
  const engine = await run(
    StoreEngine.open({
      env,
      log: directoryLimits,
      compact: { ...defaultCompactLimits, history: { everyCommitMs: 0, hourlyMs: 0, newest: 0 } },
    }),
  )
  const use = (info: CollectionInfo) => engine.collection(info.tenant, info.database, info.id)
  const { info } = await run(engine.catalog.createCollection(collectionRequest('source', { space: 'cosine' })))
  const ids = async (of: CollectionInfo) => (await (await use(of)).get({ include: {} })).ids
  const segmentsOf = async (of: CollectionInfo) =>
    (await env.store.list(`${snapshotPrefix(pathOf(of))}segment/`)).objects.length
  return { clock, run, env, engine, use, info, ids, segmentsOf }
}

describe('forks', () => {
  it('share the segments and nothing else', async () => {
    const { run, engine, use, info, ids, segmentsOf } = await setUp()
    const source = await run(use(info))
    await run(source.write([upsert('a', [1, 0]), upsert('b', [0, 1])]))
    const forked = await run(source.fork('fork'))
    expect(forked).toMatchObject({ name: 'fork', space: 'cosine' })
    expect(await run(segmentsOf(forked))).toBe(0)
    const fork = await run(use(forked))
    await run(fork.write([upsert('c', [1, 1])]))
    await run(source.write([upsert('d', [1, 1])]))
    expect(await run(ids(forked))).toEqual(['a', 'b', 'c'])
    expect(await run(ids(info))).toEqual(['a', 'b', 'd'])
    expect(await run(source.forkCount())).toBe(1)
    await run(engine.compact(pathOf(forked)))
    expect(await run(ids(forked))).toEqual(['a', 'b', 'c'])
    await expect(run(source.fork('fork'))).rejects.toMatchObject({ kind: 'conflict' })
  })

  it('began with what their source held, never empty', async () => {
    const { clock, run, use, info, engine } = await setUp()
    const source = await run(use(info))
    await run(source.write([upsert('a', [1, 0])]))
    const forked = await run(source.fork('fork'))
    const fork = await run(use(forked))
    const idsAt = async (at: number) => (await fork.get({ include: {}, at })).ids
    expect(await run(idsAt(0))).toEqual(['a'])
    await run(fork.write([upsert('b', [0, 1])]))
    await clock.advance(60_000)
    await run(engine.compact(pathOf(forked)))
    await run(fork.write([upsert('c', [0, 1])]))
    expect(await run(idsAt(2))).toEqual(['a', 'b', 'c'])
    // Nothing keeps the first snapshot any more (this history keeps none): gone, not empty.
    await expect(run(idsAt(0))).rejects.toMatchObject({ code: 'gone' })
  })

  it('of an empty collection are empty', async () => {
    const { run, use, info, ids } = await setUp()
    const forked = await run((await run(use(info))).fork('fork'))
    await run((await run(use(forked))).write([upsert('x', [1])]))
    expect(await run(ids(forked))).toEqual(['x'])
    expect(await run(ids(info))).toEqual([])
  })

  it('keep what they read alive when the source changes, is collected or deleted, until they let go of it', async () => {
    const { clock, run, engine, use, info, ids, segmentsOf } = await setUp()
    const source = await run(use(info))
    await run(source.write([upsert('a', [1, 0]), upsert('b', [0, 1])]))
    const forked = await run(source.fork('fork'))
    await run(engine.catalog.deleteCollection(info.tenant, info.database, 'source'))
    for (let i = 0; i < 3; i++) {
      await clock.advance(4 * HOUR)
      await run(engine.collectGarbage(pathOf(info)))
      await run(engine.collectGarbage(pathOf(forked)))
    }
    await expect(run(ids(info))).rejects.toMatchObject({ kind: 'not-found' })
    expect(await run(ids(forked))).toEqual(['a', 'b'])
    expect(await run(segmentsOf(info))).toBe(1)
    // The fork rewrites every record: it reads nothing of the source any more.
    await run((await run(use(forked))).write([upsert('a', [2, 0]), upsert('b', [0, 2])]))
    await run(engine.compact(pathOf(forked)))
    for (let i = 0; i < 3; i++) {
      await clock.advance(4 * HOUR)
      await run(engine.collectGarbage(pathOf(forked)))
      await run(engine.collectGarbage(pathOf(info)))
    }
    expect(await run(segmentsOf(info))).toBe(0)
    expect(await run(ids(forked))).toEqual(['a', 'b'])
  })

  it('of a fork keep what lies in the source of the source alive', async () => {
    const { clock, run, env, engine, use, info } = await setUp()
    const source = await run(use(info))
    await run(source.write([upsert('a', [1, 0])]))
    const middle = await run(source.fork('middle'))
    const last = await run((await run(use(middle))).fork('last'))
    // Neither the source nor the middle needs the segment of `a` any more.
    for (const of of [info, middle]) {
      await run((await run(use(of))).write([upsert('a', [0, 1]), upsert('b', [0, 1])]))
      await run(engine.compact(pathOf(of), { full: true }))
    }
    for (let round = 0; round < 3; round++)
      for (const of of [last, middle, info]) {
        await clock.advance(25 * HOUR)
        await run(engine.collectGarbage(pathOf(of)))
      }
    // Nothing of it is in the memory of this one.
    const fresh = await run(StoreEngine.open({ env, log: directoryLimits }))
    const collection = await run(fresh.collection(last.tenant, last.database, last.id))
    const { ids, embeddings } = await run(collection.get({ include: { embeddings: true } }))
    expect([ids, embeddings?.map((vector) => [...(vector ?? [])])]).toEqual([['a'], [[1, 0]]])
    await run(fresh.close())
  })

  it('of a collection that is deleted meanwhile fail as they do afterwards', async () => {
    const { run, engine, use, info, env } = await setUp()
    const source = await run(use(info))
    await run(source.write([upsert('a', [1, 0])]))
    await run(engine.compact(pathOf(info)))
    const path = pathOf(info)
    let isMaking = false
    const store = between(env.store, {
      put: (key, body, options) => {
        isMaking ||= key.startsWith('catalog/')
        return env.store.put(key, body, options)
      },
      get: async (key, options) => {
        // The source was folded, and the fork is about to pin its snapshot.
        if (isMaking && key === pointerKey(path)) {
          isMaking = false
          await engine.catalog.deleteCollection(info.tenant, info.database, info.name)
          await engine.compact(path)
        }
        return env.store.get(key, options)
      },
    })
    const other = await run(
      StoreEngine.open({ env: { ...env, store }, log: directoryLimits, compact: defaultCompactLimits }),
    )
    const forking = other.collection(info.tenant, info.database, info.id).then((stale) => stale.fork('fork'))
    await expect(run(forking)).rejects.toMatchObject({ kind: 'not-found', code: 'collection-missing' })
  })

  it('that stalled before their pointer fail, and free what they had pinned', async () => {
    const { clock, run, env, engine, use, info, segmentsOf } = await setUp()
    const source = await run(use(info))
    await run(source.write([upsert('a', [1, 0])]))
    let stalled: string | undefined
    const { put } = env.store
    env.store.put = async (key, body, options) => {
      if (key.endsWith('/latest/pointer.txt') && key !== pointerKey(pathOf(info)) && stalled === undefined) {
        stalled = key
        return new Promise(() => {})
      }
      return put.call(env.store, key, body, options)
    }
    void source.fork('fork')
    while (stalled === undefined) await clock.advance(100)
    await run(source.write([upsert('a', [2, 0])]))
    await run(engine.compact(pathOf(info)))
    expect(await run(source.forkCount())).toBe(1)
    await clock.advance(2 * HOUR)
    await run(engine.collectGarbage(pathOf(info)))
    expect(await run(source.forkCount())).toBe(0)
    // The fork's pointer is a tombstone now: the stalled put can no longer create it.
    expect(await env.store.head(stalled)).toBeDefined()
    await clock.advance(4 * HOUR)
    await run(engine.collectGarbage(pathOf(info)))
    expect(await run(segmentsOf(info))).toBe(1)
  })
})

describe('deletion', () => {
  it('ends the collection for every process, frees its name, and its objects go after the grace period', async () => {
    const { clock, run, env, engine, use, info, segmentsOf } = await setUp()
    const other = await run(StoreEngine.open({ env }))
    const theirs = await run(other.collection(info.tenant, info.database, info.id))
    await run((await run(use(info))).write([upsert('a', [1])]))
    await run(engine.compact(pathOf(info)))
    await run(engine.catalog.deleteCollection(info.tenant, info.database, 'source'))
    await expect(run(theirs.write([upsert('b', [1])]))).rejects.toMatchObject({ kind: 'not-found' })
    await expect(run(theirs.count())).rejects.toMatchObject({ kind: 'not-found' })
    const { info: again } = await run(engine.catalog.createCollection(collectionRequest('source')))
    expect(again.id).not.toBe(info.id)
    expect(await run((await run(use(again))).count())).toBe(0)
    for (let i = 0; i < 3; i++) {
      await clock.advance(4 * HOUR)
      await run(engine.collectDue())
    }
    expect(await run(segmentsOf(info))).toBe(0)
    expect((await env.store.list(`delta/${pathOf(info)}/`)).objects).toEqual([])
  })
})
