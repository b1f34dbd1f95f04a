import { describe, expect, it } from 'vitest'
import { pointerKey } from '../format/keys.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { memoryEnvironment } from '../drivers/memory/memory-environment.ts'
import { foldLease, mergeLease, mergeSlots } from '../ports/lease-guard.ts'
import { heldProcess } from '../testing/held-process.ts'
import { Recorder } from '../testing/recorder.ts'
import { between, path, type Process, upsert, World } from '../testing/world.ts'
import { claimedBy } from './merge-claims.ts'

const SLOTS = mergeSlots(path)
const [slot] = SLOTS as [string]

/** Segments of two tiers: `small` ones of a few rows, and `large` ones. `fanIn` of a tier are merged. */
async function worldOf(segments: readonly ('small' | 'large')[], fanIn = 2) {
  const metrics = new Recorder()
  const clock = new ManualClock()
  const env = { ...memoryEnvironment({ seed: 1, clock }), metrics }
  const world = new World({ env, compact: { fanIn, tierBaseBytes: 10_000 } })
  const writer = world.process('writer')
  for (const [i, size] of segments.entries()) {
    const document =
      size === 'large' ? Array.from({ length: 9_000 }, (_, at) => (at * at * 7 + i).toString(36)).join('') : ''
    await writer.collection.write([upsert(`${size}-${i}`, [i], { document })])
    await writer.fold()
  }
  return { world, metrics, clock, env }
}

async function segmentsOf(process: Process): Promise<string[]> {
  const { manifest } = await process.state.strongView()
  return manifest.segments.map(({ segment }) => segment.id)
}

const three = (size: 'small' | 'large') => [size, size, size]

describe('claims', () => {
  it('let two processes merge different segments at a time, and neither loses its work', async () => {
    const { world, metrics } = await worldOf(['small', 'small', 'large', 'large'])
    const first = heldProcess(world, 'first')
    const merging = first.process.compactor.merge(path)
    await first.reached
    const claim = await world.env.leases.inspect(slot)
    expect(claim?.owner).toMatch(/^first merges /)
    expect(claimedBy(claim ?? { owner: undefined })).toEqual((await segmentsOf(world.process())).slice(0, 2))
    expect((await world.env.leases.inspect(mergeLease(path)))?.owner).toBeUndefined()
    // Busy, because the rest is due and another process does it.
    expect(await world.process('second').compactor.merge(path)).toMatchObject({ merges: 1, busy: true })
    first.goOn()
    expect(await merging).toMatchObject({ merges: 1, busy: false })
    expect(metrics.counters.get('merge_overtaken')).toBeUndefined()
    expect(await segmentsOf(world.process())).toHaveLength(2)
    expect(await world.process().ids()).toEqual(['small-0', 'small-1', 'large-2', 'large-3'])
    for (const name of SLOTS) expect((await world.env.leases.inspect(name))?.owner).toBeUndefined()
  })

  it('leave a share of a long tier to others', async () => {
    const { world } = await worldOf([...three('small'), ...three('large'), ...three('large')], 3)
    const [first, second] = [heldProcess(world, 'first'), heldProcess(world, 'second')]
    const merging = [first.process.compactor.merge(path)]
    await first.reached
    // The first is expected back, so the second takes one half of the six, and the third finds the other half.
    merging.push(second.process.compactor.merge(path))
    await second.reached
    expect(claimedBy((await world.env.leases.inspect(SLOTS[1] as string)) ?? { owner: undefined })).toHaveLength(3)
    expect(await world.process('third').compactor.merge(path)).toMatchObject({ merges: 1 })
    first.goOn()
    second.goOn()
    await Promise.all(merging)
    expect(await world.process().ids()).toHaveLength(9)
    expect(await world.process().compactor.merge(path)).toMatchObject({ merges: 0, busy: false })
  })

  it('leave a share to a process that asked for the lease of folds', async () => {
    const six = [...three('large'), ...three('large')]
    const { world } = await worldOf(six, 3)
    const { compactor } = world.process('first')
    const writer = world.process('writer')
    await writer.collection.write([upsert('late', [9])])
    let asked = false
    const first = world.process(
      'folder',
      between(world.env.store, {
        put: async (key, body, options) => {
          if (key === pointerKey(path) && !asked) {
            asked = true
            expect(await compactor.fold(path)).toMatchObject({ busy: true })
          }
          return world.env.store.put(key, body, options)
        },
      }),
    )
    expect(await first.compactor.compact(path)).toMatchObject({ folds: 1, merges: 2 })
    const other = await worldOf(six, 3)
    expect(await other.world.process('alone').compactor.merge(path)).toMatchObject({ merges: 1 })
  })

  it('leave a process nothing to do that others do', async () => {
    const { world, metrics } = await worldOf(['small', 'small'])
    const first = heldProcess(world, 'first')
    const merging = first.process.compactor.merge(path)
    await first.reached
    expect(await world.process('second').compactor.merge(path)).toMatchObject({ merges: 0, busy: true })
    expect(metrics.counters.get('LockAcquisitionFailed'), 'it is ordinary').toBeUndefined()
    first.goOn()
    expect(await merging).toMatchObject({ merges: 1 })
    expect(await world.process('second').compactor.merge(path)).toMatchObject({ merges: 0, busy: false })
  })

  it('look again when their merge has ended, so what came meanwhile is not left', async () => {
    const { world } = await worldOf(['small', 'small'])
    const first = heldProcess(world, 'first')
    const merging = first.process.compactor.merge(path)
    await first.reached
    const writer = world.process('writer')
    await writer.collection.write([upsert('late', [9])])
    await writer.fold()
    expect(await world.process('second').compactor.merge(path)).toMatchObject({ merges: 0 })
    first.goOn()
    expect(await merging).toMatchObject({ merges: 2, busy: false })
    expect(await segmentsOf(world.process())).toHaveLength(1)
  })

  it('expire, and their segments are merged by another', async () => {
    const { world, env, metrics, clock } = await worldOf(['small', 'small'])
    const first = heldProcess(world, 'first')
    const merging = first.process.compactor.merge(path)
    await first.reached
    await env.leases.force(slot)
    expect(await world.process('second').compactor.merge(path)).toMatchObject({ merges: 1 })
    // The heartbeat of the first finds its slot lost.
    await clock.advance(world.compact.leaseTtlMs)
    first.goOn()
    await expect(merging).rejects.toMatchObject({ code: 'lease-lost' })
    expect(await segmentsOf(world.process())).toHaveLength(1)
    expect(metrics.counters.get('merges_lost')).toBeUndefined()
  })

  it('are as many as there are slots', async () => {
    const { world, env } = await worldOf(['small', 'small'])
    for (const name of SLOTS) await env.leases.acquire(name, 'another merges segments-elsewhere', 60_000)
    expect(await world.process().compactor.merge(path)).toMatchObject({ merges: 0, busy: true })
    await env.leases.force(SLOTS[2] as string)
    expect(await world.process().compactor.merge(path)).toMatchObject({ merges: 1, busy: false })
  })

  it('wait for one that is made, and give up when it takes long', async () => {
    const { world, env, clock } = await worldOf(['small', 'small'])
    const got = await env.leases.acquire(mergeLease(path), 'slow', 60_000)
    const waiting = world.process().compactor.merge(path)
    await clock.advance(10_000)
    expect(await waiting).toMatchObject({ merges: 0, busy: true })
    // It is marked, so who made it looks again.
    const fencing = got.status === 'acquired' ? got.fencing : 0
    expect(await env.leases.release(mergeLease(path), 'slow', fencing)).toBe('dirty')
    const second = world.process().compactor.merge(path)
    await env.leases.release(mergeLease(path), 'slow', fencing)
    await clock.advance(10_000)
    expect(await second).toMatchObject({ merges: 1, busy: false })
  })

  it('keep the garbage collector out, and are kept out by it', async () => {
    const { world, env, clock } = await worldOf(['small', 'small'])
    const first = heldProcess(world, 'first')
    const merging = first.process.compactor.merge(path)
    await first.reached
    expect(await world.process('collector').gc()).toMatchObject({ busy: true })
    first.goOn()
    expect(await merging).toMatchObject({ merges: 1 })
    await clock.advance(1)
    expect(await world.process('collector').gc()).toMatchObject({ busy: false })
    for (const name of [foldLease(path), mergeLease(path)])
      expect((await env.leases.inspect(name))?.owner).toBeUndefined()
  })
})
