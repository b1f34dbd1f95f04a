import { describe, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { defaultCompactLimits } from '../compact/compact-limits.ts'
import { collectionRequest } from '../testing/operations.ts'
import { remove, upsert } from '../testing/world.ts'
import { pathOf, StoreEngine } from './engine.ts'

const HOUR = 3_600_000

async function setUp() {
  const clock = new ManualClock()
  const run = <T>(work: Promise<T>) => clock.runUntil(work)
  const env = memoryEnvironment({ seed: 1, clock })
  // Nothing is kept by history alone.
  const compact = { ...defaultCompactLimits, history: { everyCommitMs: 0, hourlyMs: 0, newest: 0 } }
  const engine = await run(StoreEngine.open({ env, compact }))
  const { info } = await run(engine.catalog.createCollection(collectionRequest('things')))
  const collection = await run(engine.collection(info.tenant, info.database, info.id))
  const { maintenance } = engine
  return { clock, run, engine, info, collection, maintenance, path: pathOf(info) }
}

describe('restore points', () => {
  it('keep a snapshot beyond the history until their time, and then free it', async () => {
    const { clock, run, engine, info, collection, maintenance, path } = await setUp()
    await run(collection.write([upsert('a', [1]), upsert('b', [2])]))
    const point = await run(maintenance.keep(info, { name: 'p', untilMs: clock.nowMs() + 100 * HOUR }))
    await run(collection.write([remove('a')]))
    await run(engine.compact(path))
    await clock.advance(60 * HOUR)
    await run(engine.collectGarbage(path))
    expect((await run(collection.get({ include: {}, at: point.version }))).ids).toEqual(['a', 'b'])
    await run(collection.rollback(point.snapshot))
    expect((await run(collection.get({ include: {} }))).ids).toEqual(['a', 'b'])
    await clock.advance(60 * HOUR)
    expect(await run(maintenance.restorePoints(info))).toEqual([])
    // The name is free again.
    await run(maintenance.keep(info, { name: 'p' }))
    expect(await run(maintenance.restorePoints(info))).toMatchObject([{ name: 'p', untilMs: null }])
  })

  it('free the snapshot when they are released', async () => {
    const { clock, run, engine, info, collection, maintenance, path } = await setUp()
    await run(collection.write([upsert('a', [1])]))
    const point = await run(maintenance.keep(info, { name: 'p' }))
    await run(collection.write([upsert('b', [2])]))
    await run(engine.compact(path, { full: true }))
    await run(maintenance.release(info, 'p'))
    await clock.advance(48 * HOUR)
    await run(engine.collectGarbage(path))
    await expect(run(collection.get({ include: {}, at: point.version }))).rejects.toMatchObject({ code: 'gone' })
    await expect(run(maintenance.release(info, 'p'))).rejects.toMatchObject({ code: 'restore-point-missing' })
  })

  it('need a name that is no other, a kept snapshot and a time to come', async () => {
    const { clock, run, info, collection, maintenance } = await setUp()
    await expect(run(maintenance.keep(info, { name: 'p' }))).rejects.toMatchObject({ code: 'snapshot-missing' })
    await run(collection.write([upsert('a', [1])]))
    await run(maintenance.keep(info, { name: 'p' }))
    const keep = (request: Parameters<typeof maintenance.keep>[1]) => run(maintenance.keep(info, request))
    await expect(keep({ name: 'p' })).rejects.toMatchObject({ kind: 'conflict', field: 'name' })
    await expect(keep({ name: ' ' })).rejects.toMatchObject({ code: 'bad-name' })
    await expect(keep({ name: 'x'.repeat(201) })).rejects.toMatchObject({ code: 'bad-name' })
    await expect(keep({ name: 'q', untilMs: clock.nowMs() })).rejects.toMatchObject({ code: 'bad-until' })
    await expect(keep({ name: 'q', snapshot: '7-none' })).rejects.toMatchObject({ code: 'snapshot-missing' })
  })
})

describe('a preview of the garbage', () => {
  it('tells what the collection then deletes, and changes nothing', async () => {
    const { clock, run, engine, info, collection, maintenance, path } = await setUp()
    expect(await run(maintenance.garbage(info))).toMatchObject({ deletable: 0, waiting: 0 })
    for (let i = 0; i < 6; i++) {
      await run(collection.write([upsert('same', [i]), upsert(`r${i}`, [i])]))
      await run(engine.compact(path, { full: true }))
    }
    const young = await run(maintenance.garbage(info))
    expect(young).toMatchObject({ deletable: 0 })
    expect(young.waiting).toBeGreaterThan(5)
    await clock.advance(48 * HOUR)
    const before = await run(maintenance.garbage(info))
    expect(before.deletable).toBeGreaterThan(6)
    expect(await run(maintenance.garbage(info))).toEqual(before)
    const outcome = await run(engine.collectGarbage(path))
    expect(outcome).toMatchObject({
      deleted: before.deletable,
      deletedBytes: before.deletableBytes,
      waiting: before.waiting,
    })
    expect(await run(maintenance.garbage(info))).toMatchObject({ deletable: 0 })
  })
})
