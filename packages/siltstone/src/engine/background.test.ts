import { describe, expect, it } from 'vitest'
import { foldLease } from '../ports/lease-guard.ts'
import { directoryLimits } from '../log/log-limits.ts'
import { encodeWakeUp } from '../log/wake-up-message.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { upsert } from '../testing/world.ts'
import { Background } from './background.ts'
import { pathOf, StoreEngine } from './engine.ts'
import { collectionRequest } from '../testing/operations.ts'

const MINUTE = 60_000

async function setUp(options: { maxReceiveCount?: number } = {}) {
  const clock = new ManualClock()
  const env = memoryEnvironment({ seed: 1, clock, ...options })
  const engine = await StoreEngine.open({ env, log: directoryLimits })
  const request = collectionRequest('things')
  const { info } = await engine.catalog.createCollection(request)
  const collection = await engine.collection(info.tenant, info.database, info.id)
  const watermark = async () => (await collection.snapshots())[0]?.watermark ?? 0
  const background = new Background(engine, { gatherMs: 10, scheduleMs: MINUTE, visibilityMs: 5 * MINUTE })
  const stop = () => clock.runUntil(background.close())
  return { clock, env, engine, collection, path: pathOf(info), watermark, stop }
}

describe('compaction by itself', () => {
  it('follows a write within moments, and leaves the queue empty', async () => {
    const { clock, env, collection, watermark, stop } = await setUp()
    await collection.write([upsert('a', [1])])
    await clock.advance(2_000)
    expect(await watermark()).toBe(1)
    expect(await env.queue.depth()).toMatchObject({ visible: 0, inFlight: 0, delayed: 0 })
    await stop()
  })

  it('finds by its schedule what no call announced', async () => {
    const { clock, env, collection, watermark, stop } = await setUp()
    env.queue.send = () => Promise.reject(new Error('the queue is down'))
    await clock.advance(1_000)
    await collection.write([upsert('a', [1])])
    await clock.advance(2_000)
    expect(await watermark()).toBe(0)
    await clock.advance(2 * MINUTE)
    expect(await watermark()).toBe(1)
    await stop()
  })

  it('removes what a deletion left in the catalog', async () => {
    const { clock, env, engine, stop } = await setUp()
    const left = async () => (await env.store.list('catalog/')).objects.filter(({ key }) => key.includes('/id/')).length
    expect(await left()).toBe(1)
    const { info } = await clock.runUntil(engine.catalog.createCollection(collectionRequest('other')))
    await clock.runUntil(engine.catalog.deleteCollection(info.tenant, info.database, 'other'))
    expect(await left()).toBe(2)
    for (let hour = 0; hour < 30; hour++) await clock.advance(60 * MINUTE)
    expect(await left()).toBe(1)
    await stop()
  })

  it('takes a busy lease for no failure: nothing is dead-lettered however long it lasts', async () => {
    const { clock, env, collection, path, watermark, stop } = await setUp({ maxReceiveCount: 2 })
    await env.leases.acquire(foldLease(path), 'somebody', 60 * MINUTE)
    for (let i = 0; i < 10; i++) {
      await collection.write([upsert('a', [i])])
      await clock.advance(MINUTE)
    }
    expect(await env.queue.deadLetters({ maxMessages: 10 })).toEqual([])
    expect(await env.queue.depth()).toMatchObject({ visible: 0, inFlight: 0 })
    expect((await env.leases.inspect(foldLease(path)))?.dirty).toBe(true)
    await env.leases.force(foldLease(path))
    await clock.advance(2 * MINUTE)
    expect(await watermark()).toBe(10)
    await stop()
  })

  it('survives messages that are not ours, and collections that are damaged', async () => {
    const { clock, env, collection, watermark, stop } = await setUp()
    await env.queue.send('not json')
    await env.queue.send(encodeWakeUp({ collection: '../../etc/passwd', reason: 'entry', timestampMs: 0 }))
    await collection.write([upsert('a', [1])])
    await clock.advance(MINUTE)
    expect(await watermark()).toBe(1)
    await stop()
  })

  it('collects what is due, without being told', async () => {
    const { clock, env, collection, stop } = await setUp()
    await collection.write([upsert('a', [1])])
    await clock.advance(5 * 60 * MINUTE)
    expect((await env.store.list('delta/')).objects).toEqual([])
    expect((await env.store.list('gc-due/')).objects.length).toBeLessThanOrEqual(1)
    await stop()
  })
})
