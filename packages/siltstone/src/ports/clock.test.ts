import { describe, expect, it } from 'vitest'
import type { Clock } from './clock.ts'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { systemClock } from '../host/system-clock.ts'

describe.each<[string, () => { clock: Clock; pass: <T>(work: Promise<T>) => Promise<T> }]>([
  ['system', () => ({ clock: systemClock, pass: (work) => work })],
  ['manual', () => manual()],
])('clock: %s', (_name, make) => {
  it('sleeps and fires timers', async () => {
    const { clock, pass } = make()
    const startMs = clock.monotonicMs()
    const order: string[] = []
    clock.timer(5, () => order.push('timer'))
    await pass(clock.sleep(20).then(() => order.push('slept')))
    expect(order).toEqual(['timer', 'slept'])
    // Node's timers may be a millisecond early.
    expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(18)
  })

  it('cancels a timer', async () => {
    const { clock, pass } = make()
    let fired = 0
    const cancel = clock.timer(2, () => fired++)
    cancel()
    await pass(clock.sleep(10))
    expect(fired).toBe(0)
  })

  it('ends a sleep with the reason of its signal', async () => {
    const { clock, pass } = make()
    const controller = new AbortController()
    clock.timer(2, () => controller.abort(new Error('enough')))
    await expect(pass(clock.sleep(60_000, controller.signal))).rejects.toThrow('enough')
    await expect(pass(clock.sleep(60_000, controller.signal))).rejects.toThrow('enough')
  })

  it('bears waits longer than 24 days, and none', async () => {
    const { clock, pass } = make()
    let fired = 0
    const cancel = clock.timer(2 ** 40, () => fired++)
    await pass(clock.sleep(5))
    expect(fired).toBe(0)
    cancel()
    await pass(clock.sleep(0))
  })
})

describe('ManualClock', () => {
  it('fires in order of time, then of making, and lets woken work run in between', async () => {
    const clock = new ManualClock(1000)
    const seen: string[] = []
    const note = (text: string) => () => void seen.push(`${text}@${clock.nowMs()}`)
    clock.timer(20, note('late'))
    clock.timer(10, note('first'))
    clock.timer(10, note('second'))
    const work = (async () => {
      await clock.sleep(10)
      note('woken')()
      await clock.sleep(5)
      note('again')()
    })()
    await clock.advance(15)
    expect(seen).toEqual(['first@1010', 'second@1010', 'woken@1010', 'again@1015'])
    expect(clock.pendingTimers).toBe(1)
    await work
    await clock.advance(5)
    expect(seen.at(-1)).toBe('late@1020')
    expect(clock.nowMs()).toBe(1020)
  })

  it('steps the wall clock alone', async () => {
    const clock = new ManualClock(1000)
    let fired = false
    clock.timer(10, () => {
      fired = true
    })
    clock.stepWallClock(-500)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([500, 0])
    await clock.advance(10)
    expect(fired).toBe(true)
    expect([clock.nowMs(), clock.monotonicMs()]).toEqual([510, 10])
  })

  it('says when work waits for no timer', async () => {
    await expect(new ManualClock().runUntil(new Promise(() => {}))).rejects.toThrow('no timer')
    await expect(new ManualClock().runUntil(Promise.reject(new Error('own')))).rejects.toThrow('own')
    expect(await new ManualClock().advanceToNext()).toBe(false)
  })
})

function manual() {
  const clock = new ManualClock()
  return { clock, pass: <T>(work: Promise<T>) => clock.runUntil(work) }
}
