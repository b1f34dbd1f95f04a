/** Processes that write to one collection: what a write costs, and how long it waits, in simulated time. */
import { describe, expect, it } from 'vitest'
import { markerOp, newMarker } from './draw-operations.ts'
import { drawPlan, FAULTS } from './plan.ts'
import { Server } from './server.ts'
import { World } from './world.ts'

const WRITES = 25

async function compete(seed: number, writers: number) {
  const none = Object.fromEntries(FAULTS.map((fault) => [`faults.${fault}`, 0]))
  const plan = drawPlan(seed, {
    ...none,
    skewMs: 0,
    atomicListPages: 1,
    pageKeys: 1_000,
    'log.writerStalenessMs': 3_600_000,
    'log.sequencedDeltas': 1_000,
    'log.inlineDeltaBytes': 256 * 1024,
    'log.inlineBytes': 8 * 1024 * 1024,
    'log.unfoldedObjects': 2_000,
  })
  const world = await World.create(seed, plan)
  const servers = Array.from({ length: writers }, (_, i) => new Server(world, `server${i}`))
  const target = world.targets[0]
  if (!target) throw new Error('a world begins with a collection')
  const counts: Record<string, number> = { put: 0, get: 0, list: 0, head: 0 }
  const { network, scheduler } = world
  const request = network.request.bind(network)
  const timesMs: number[] = []
  const write = async (server: Server) => {
    for (let i = 0; i < WRITES; i++) {
      const startedMs = scheduler.nowMs
      await server.useCollection(target, (collection) => collection.write([markerOp(newMarker(world.next()))]))
      timesMs.push(scheduler.nowMs - startedMs)
    }
  }
  let durationMs = 0
  const work = async () => {
    for (const server of servers) await server.useCollection(target, (collection) => collection.count())
    network.request = (from, shape) => {
      counts[shape.what] = (counts[shape.what] ?? 0) + 1
      return request(from, shape)
    }
    const startedMs = scheduler.nowMs
    await Promise.all(servers.map(write))
    durationMs = scheduler.nowMs - startedMs
  }
  await scheduler.until(work())
  expect(world.violation).toBeUndefined()
  timesMs.sort((a, b) => a - b)
  const at = (share: number) => timesMs[Math.ceil(share * timesMs.length) - 1] ?? Number.NaN
  const { put = 0, get = 0, list = 0, head = 0 } = counts
  return {
    durationMs,
    puts: put / timesMs.length,
    reads: (get + list + head) / timesMs.length,
    p50: at(0.5),
    p99: at(0.99),
    max: at(1),
  }
}

describe('sixteen writers of one collection', () => {
  it.each([1, 2, 3])('cost at most 2 PUT and 4 reads a write, and none starves: seed %i', async (seed) => {
    const { puts, reads, p50, p99, max } = await compete(seed, 16)
    expect(puts).toBeLessThanOrEqual(2)
    expect(reads).toBeLessThanOrEqual(4)
    expect(p99).toBeLessThanOrEqual(10 * p50)
    expect(max).toBeLessThanOrEqual(20 * p50)
  })
})

describe('four writers of one collection', () => {
  it('write about as fast as one does', async () => {
    const seeds = [1, 2, 3, 4]
    const durations = async (writers: number) => {
      let sumMs = 0
      for (const seed of seeds) sumMs += (await compete(seed, writers)).durationMs
      return sumMs
    }
    // Four times as many writes.
    expect(await durations(4)).toBeLessThan(4 * 1.15 * (await durations(1)))
  })
})
