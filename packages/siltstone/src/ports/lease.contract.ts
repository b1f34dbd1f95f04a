/** What every lease driver must do, as tests, on a clock that the tests move. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Leases } from './lease.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'

export interface OpenLeases {
  leases: Leases
  /** Closes the driver and removes its data. */
  dispose(): Promise<void>
}

/** @param isAtomic false for a server whose conditions do not hold in a race; the caller explains why */
export function describeLeases(
  name: string,
  open: (clock: ManualClock) => Promise<OpenLeases>,
  { isAtomic = true }: { isAtomic?: boolean } = {},
): void {
  describe(`leases: ${name}`, () => {
    let clock: ManualClock
    let opened: OpenLeases
    let leases: Leases

    beforeEach(async () => {
      clock = new ManualClock()
      opened = await open(clock)
      leases = opened.leases
    })
    afterEach(() => opened.dispose())

    it('gives a free lease, and tells others who holds it', async () => {
      expect(await leases.inspect('a')).toBeUndefined()
      expect(await leases.acquire('a', 'me', 1000)).toEqual({ status: 'acquired', fencing: 1 })
      const state = {
        name: 'a',
        owner: 'me',
        expiresAtMs: clock.nowMs() + 1000,
        heartbeatAtMs: clock.nowMs(),
        fencing: 1,
        dirty: false,
      }
      expect(await leases.acquire('a', 'you', 1000)).toEqual({ status: 'busy', state })
      expect(await leases.inspect('a')).toEqual(state)
      expect(await leases.acquire('b', 'you', 1000)).toEqual({ status: 'acquired', fencing: 1 })
      expect((await leases.list()).map(({ name, owner }) => [name, owner])).toEqual([
        ['a', 'me'],
        ['b', 'you'],
      ])
    })

    it('gives an expired lease to another owner, with a higher number', async () => {
      await leases.acquire('a', 'me', 1000)
      await clock.advance(1000)
      expect(await leases.acquire('a', 'you', 1000)).toMatchObject({ status: 'busy' })
      await clock.advance(1)
      expect(await leases.acquire('a', 'you', 1000)).toEqual({ status: 'acquired', fencing: 2 })
      expect(await leases.heartbeat('a', 'me', 1, 1000)).toBe(false)
      expect(await leases.release('a', 'me', 1)).toBe('lost')
      expect((await leases.inspect('a'))?.owner).toBe('you')
    })

    it('never gives a number again, through release, force and expiry', async () => {
      const numbers: number[] = []
      for (const owner of ['a', 'b', 'a', 'c', 'c', 'd']) {
        const got = await leases.acquire('x', owner, 10)
        if (got.status !== 'acquired') throw new Error('busy')
        numbers.push(got.fencing)
        if (numbers.length % 3 === 0) await leases.force('x')
        else if (numbers.length % 3 === 1) await leases.release('x', owner, got.fencing)
        else await clock.advance(11)
      }
      expect(numbers.every((number, at) => at === 0 || number > (numbers[at - 1] as number))).toBe(true)
    })

    it('lets its owner take it again under the same number', async () => {
      await leases.acquire('a', 'me', 1000)
      await clock.advance(600)
      expect(await leases.acquire('a', 'me', 1000)).toEqual({ status: 'acquired', fencing: 1 })
      expect((await leases.inspect('a'))?.expiresAtMs).toBe(clock.nowMs() + 1000)
      expect(await leases.heartbeat('a', 'me', 1, 1000)).toBe(true)
    })

    it('is kept by heartbeats, even by a late one if no other owner took it', async () => {
      await leases.acquire('a', 'me', 1000)
      for (let beat = 0; beat < 3; beat++) {
        await clock.advance(900)
        expect(await leases.heartbeat('a', 'me', 1, 1000)).toBe(true)
      }
      expect(await leases.inspect('a')).toMatchObject({
        heartbeatAtMs: clock.nowMs(),
        expiresAtMs: clock.nowMs() + 1000,
      })
      await clock.advance(5000)
      expect(await leases.heartbeat('a', 'me', 1, 1000)).toBe(true)
      expect(await leases.acquire('a', 'you', 1000)).toMatchObject({ status: 'busy' })
      expect(await leases.heartbeat('a', 'me', 2, 1000)).toBe(false)
      expect(await leases.heartbeat('a', 'you', 1, 1000)).toBe(false)
      expect(await leases.heartbeat('unknown', 'me', 1, 1000)).toBe(false)
    })

    it('is free after its release', async () => {
      await leases.acquire('a', 'me', 1000)
      expect(await leases.release('a', 'you', 1)).toBe('lost')
      expect(await leases.release('a', 'me', 1)).toBe('released')
      expect(await leases.release('a', 'me', 1)).toBe('lost')
      expect((await leases.inspect('a'))?.owner).toBeUndefined()
      expect(await leases.acquire('a', 'you', 1000)).toEqual({ status: 'acquired', fencing: 2 })
    })

    it('is not released while it is marked dirty, once', async () => {
      expect(await leases.markDirty('a')).toBe(false)
      await leases.acquire('a', 'me', 1000)
      expect(await leases.markDirty('a')).toBe(true)
      expect((await leases.inspect('a'))?.dirty).toBe(true)
      expect(await leases.release('a', 'me', 1)).toBe('dirty')
      expect(await leases.inspect('a')).toMatchObject({ owner: 'me', dirty: false })
      expect(await leases.release('a', 'me', 1)).toBe('released')
      expect(await leases.markDirty('a')).toBe(false)
    })

    it('keeps the mark through heartbeats, and loses it when it is taken', async () => {
      await leases.acquire('a', 'me', 1000)
      await leases.markDirty('a')
      await leases.heartbeat('a', 'me', 1, 1000)
      expect((await leases.inspect('a'))?.dirty).toBe(true)
      await clock.advance(1001)
      expect(await leases.markDirty('a')).toBe(false)
      await leases.acquire('a', 'you', 1000)
      expect((await leases.inspect('a'))?.dirty).toBe(false)
    })

    it('can be forced free while it is held', async () => {
      expect(await leases.force('a')).toBeUndefined()
      await leases.acquire('a', 'me', 1000)
      expect(await leases.force('a')).toMatchObject({ owner: 'me', fencing: 1 })
      expect(await leases.heartbeat('a', 'me', 1, 1000)).toBe(false)
      expect(await leases.acquire('a', 'you', 1000)).toEqual({ status: 'acquired', fencing: 2 })
    })

    it.runIf(isAtomic)('goes to one of many that race for it', async () => {
      const owners = Array.from({ length: 20 }, (_, at) => `owner-${at}`)
      const results = await Promise.all(owners.map((owner) => leases.acquire('a', owner, 1000)))
      expect(results.filter(({ status }) => status === 'acquired')).toHaveLength(1)
    })

    it('survives a wall clock that steps back', async () => {
      await leases.acquire('a', 'me', 1000)
      clock.stepWallClock(-60_000)
      expect(await leases.acquire('a', 'you', 1000)).toMatchObject({ status: 'busy' })
      expect(await leases.heartbeat('a', 'me', 1, 1000)).toBe(true)
      await clock.advance(1001)
      expect(await leases.acquire('a', 'you', 1000)).toEqual({ status: 'acquired', fencing: 2 })
    })
  })
}
