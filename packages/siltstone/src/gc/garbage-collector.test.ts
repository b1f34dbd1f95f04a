import { describe, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { manifestKey, snapshotPrefix } from '../format/keys.ts'
import { produce } from '../log/produce.ts'
import { unavailable } from '../errors.ts'
import { between, path, remove, upsert, World } from '../testing/world.ts'

const HOUR = 3_600_000

describe('history, rollback and garbage collection', () => {
  function timed() {
    const clock = new ManualClock()
    const world = new World({
      env: memoryEnvironment({ seed: 1, clock }),
      compact: { history: { everyCommitMs: HOUR, hourlyMs: 0, newest: 2 } },
    })
    return { clock, world, run: <T>(work: Promise<T>) => clock.runUntil(work) }
  }

  it('reads the state after any kept entry, and rolls back to a kept snapshot', async () => {
    const { clock, world, run } = timed()
    const one = world.process()
    for (const id of ['a', 'b', 'c']) {
      await run(one.collection.write([upsert(id, [1])]))
      if (id !== 'c') await run(one.fold())
      await clock.advance(1_000)
    }
    for (const [at, expected] of [
      [0, []],
      [1, ['a']],
      [2, ['a', 'b']],
      [3, ['a', 'b', 'c']],
    ] as const)
      expect((await run(world.process().collection.get({ include: {}, at }))).ids).toEqual(expected)
    const snapshots = await run(one.collection.snapshots())
    const first = snapshots.find(({ watermark }) => watermark === 1)
    await run(one.collection.rollback(first?.name ?? ''))
    expect(await run(world.process().ids())).toEqual(['a'])
    await run(one.collection.write([upsert('d', [2])]))
    await run(one.fold())
    expect(await run(world.process().ids())).toEqual(['a', 'd'])
    expect((await run(world.process().collection.get({ include: {}, at: 3 }))).ids).toEqual(['a', 'b', 'c'])
    await run(one.collection.rollback('empty'))
    expect(await run(world.process().ids())).toEqual([])
    await expect(run(one.collection.rollback('9-nothing'))).rejects.toMatchObject({ kind: 'not-found' })
  })

  it('shrinks an idle collection to what it keeps, and breaks neither readers nor history', async () => {
    const { clock, world, run } = timed()
    const one = world.process()
    for (let i = 0; i < 12; i++) {
      await run(one.collection.write([upsert('same', [i]), upsert(`r${i}`, [i])]))
      await run(one.compactor.compact(path))
    }
    const before = (await world.keys()).length
    await clock.advance(2 * HOUR)
    expect(await run(one.gc())).toMatchObject({ busy: false, failed: 0 })
    await clock.advance(2 * HOUR)
    await run(one.gc())
    const after = await world.keys()
    expect(after.length).toBeLessThan(before / 2)
    expect(after.filter((key) => key.startsWith('delta/'))).toEqual([])
    expect(await run(world.process().ids())).toHaveLength(13)
    for (const { name } of await run(one.collection.snapshots())) expect(name).toMatch(/^12-/)
    await expect(run(world.process().collection.get({ include: {}, at: 5 }))).rejects.toMatchObject({ code: 'gone' })
  })

  it('makes room for its fence on a full disk by deleting folded entries', async () => {
    const { clock, world, run } = timed()
    const one = world.process()
    for (let i = 0; i < 3; i++) await run(one.collection.write([upsert('same', [i])]))
    await run(one.fold())
    let isFull = true
    const store = between(world.env.store, {
      put: (key, body, options) =>
        isFull ? Promise.reject(unavailable('disk-full', 'no room')) : world.env.store.put(key, body, options),
      delete: (keys) => {
        isFull = false
        return world.env.store.delete(keys)
      },
    })
    const full = world.process('full', store)
    // They may still be read.
    await expect(run(full.gc())).rejects.toMatchObject({ code: 'disk-full' })
    await clock.advance(2 * HOUR)
    expect(await run(full.gc())).toMatchObject({ busy: false, failed: 0 })
    expect(await world.keys('delta/')).toEqual([])
    expect(await run(world.process().ids())).toEqual(['same'])
  })

  it('works without leases where a full disk has no room for them', async () => {
    const { clock, world, run } = timed()
    const one = world.process()
    await run(one.collection.write([upsert('a', [1])]))
    await run(one.fold())
    await clock.advance(2 * HOUR)
    const acquire = () => Promise.reject(unavailable('disk-full', 'no room'))
    const leases = new Proxy(world.env.leases, {
      get: (target, name) => (name === 'acquire' ? acquire : Reflect.get(target, name)),
    })
    const full = new World({ env: { ...world.env, leases }, compact: world.compact })
    expect(await run(full.process('full').gc())).toMatchObject({ busy: false })
    expect(await world.keys('delta/')).toEqual([])
  })

  it('is done on a full disk, although what is left cannot be scheduled', async () => {
    const { world, run } = timed()
    const one = world.process()
    await run(one.collection.write([upsert('a', [1])]))
    await run(one.fold())
    const store = between(world.env.store, {
      put: (key, body, options) =>
        key.startsWith('gc-due/')
          ? Promise.reject(unavailable('disk-full', 'no room'))
          : world.env.store.put(key, body, options),
    })
    const { waiting } = await run(world.process('full', store).gc())
    expect(waiting).toBeGreaterThan(0)
  })

  it('lets a reader that holds an old manifest begin again when its segments are collected', async () => {
    const { clock, world, run } = timed()
    const one = world.process()
    await run(one.collection.write([upsert('a', [1], { document: 'kept' })]))
    await run(one.fold())
    const reader = world.process('reader')
    const stale = await run(reader.state.strongView())
    expect(stale.manifest.watermark).toBe(1)
    for (const key of await world.keys(`${snapshotPrefix(path)}segment/`)) await world.env.store.delete([key])
    await expect(run(reader.collection.get({ include: { documents: true } }))).rejects.toMatchObject({
      kind: 'corrupt',
      code: 'object-missing',
    })
    await clock.advance(1)
  })

  it('keeps a pinned snapshot for as long as its pin stands', async () => {
    const { clock, world, run } = timed()
    const one = world.process()
    await run(one.collection.write([upsert('a', [1])]))
    await run(one.fold())
    const pinned = await run(
      one.history.pin('current', { kind: 'restore-point', untilMs: clock.nowMs() + 10 * HOUR, reason: 'test' }),
    )
    for (let i = 0; i < 5; i++) {
      await run(one.collection.write([upsert('a', [i + 2])]))
      await run(one.compactor.compact(path))
    }
    const segment = pinned.manifest.segments[0]?.segment.files[0]?.key ?? ''
    for (let hours = 0; hours < 8; hours += 2) {
      await clock.advance(2 * HOUR)
      await run(one.gc())
      expect(await world.env.store.head(segment)).toBeDefined()
    }
    await clock.advance(4 * HOUR)
    await run(one.gc())
    await run(one.gc())
    expect(await world.env.store.head(segment)).toBeUndefined()
    expect(await world.env.store.head(manifestKey(path, 1, pinned.manifest.id))).toBeUndefined()
  })

  it('deletes folded inbox deltas and never takes one for new', async () => {
    const { clock, world, run } = timed()
    const one = world.process()
    await run(produce(world.env, path, { records: [upsert('a', [1])] }, { maxBytes: 1e6 }))
    await run(one.fold())
    await run(one.collection.write([remove('a')]))
    await run(one.fold())
    await clock.advance(2 * HOUR)
    await run(one.gc())
    expect((await world.keys('delta/')).filter((key) => key.includes('inbox'))).toEqual([])
    expect((await run(world.process().state.strongView())).manifest.sequenced).toEqual([])
    expect(await run(world.process().ids())).toEqual([])
  })
})
