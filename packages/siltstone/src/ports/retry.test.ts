import { describe, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { fullJitterMs, retry } from './retry.ts'
import { seededRandom } from './seeded-random.ts'

const random = seededRandom(1)
const always = (value: number) => ({ next: () => value })

describe('retry', () => {
  it('calls until it succeeds, and tells the attempt', async () => {
    const clock = new ManualClock()
    const attempts: number[] = []
    const work = retry(
      (attempt) => {
        attempts.push(attempt)
        if (attempt < 3) throw new Error('not yet')
        return 'done'
      },
      { attempts: 5, baseMs: 100, maxMs: 1000, clock, random: always(0.5) },
    )
    expect(await clock.runUntil(work)).toBe('done')
    expect(attempts).toEqual([1, 2, 3])
    // Half of 100, then half of 200.
    expect(clock.monotonicMs()).toBe(150)
  })

  it('throws the last failure, or the first that is not worth another call', async () => {
    const clock = new ManualClock()
    let calls = 0
    const fail = () => Promise.reject(new Error(`failure ${++calls}`))
    const options = { attempts: 3, baseMs: 1, maxMs: 1, clock, random }
    await expect(clock.runUntil(retry(fail, options))).rejects.toThrow('failure 3')
    await expect(clock.runUntil(retry(fail, { ...options, when: () => false }))).rejects.toThrow('failure 4')
  })

  it('waits as long as the failure asks for, and jitters on top', async () => {
    const clock = new ManualClock()
    const waits: [number, number][] = []
    const work = retry(
      (attempt) => {
        if (attempt < 4) throw new Error(String(attempt))
      },
      {
        attempts: 9,
        baseMs: 100,
        maxMs: 1000,
        clock,
        random: always(0.5),
        waitMs: (error) => ((error as Error).message === '2' ? 7000 : undefined),
        onWait: (_error, waitMs, attempt) => void waits.push([attempt, waitMs]),
      },
    )
    await clock.runUntil(work)
    expect(waits).toEqual([
      [1, 50],
      [2, 7050],
      [3, 200],
    ])
    expect(clock.sleptMs).toEqual([50, 7050, 200])
  })

  it('ends with its signal', async () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const options = { attempts: 99, baseMs: 1e6, maxMs: 1e6, clock, random, signal: controller.signal }
    const work = retry(() => Promise.reject(new Error('again')), options)
    clock.timer(1, () => controller.abort(new Error('stop')))
    await expect(clock.runUntil(work)).rejects.toThrow('stop')
  })
})

describe('fullJitterMs', () => {
  it('doubles its bound up to the greatest', () => {
    const options = { baseMs: 10, maxMs: 50, random: always(0.999_999) }
    expect([1, 2, 3, 4, 9].map((attempt) => Math.round(fullJitterMs(attempt, options)))).toEqual([10, 20, 40, 50, 50])
    expect(fullJitterMs(3, { ...options, random: always(0) })).toBe(0)
  })
})
