import { describe, expect, it } from 'vitest'
import type { Clock } from 'siltstone/internal'
import { JobSlots } from './job-slots.ts'

/** Timers end when the test says so. */
class TimersAlone implements Clock {
  #timers = new Set<{ atMs: number; run: () => void }>()
  #nowMs = 0
  nowMs = () => this.#nowMs
  monotonicMs = () => this.#nowMs
  sleep = () => Promise.reject(new Error('nothing sleeps'))
  timer = (ms: number, run: () => void) => {
    const timer = { atMs: this.#nowMs + ms, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
  async advance(ms: number): Promise<void> {
    this.#nowMs += ms
    for (const timer of this.#timers) if (timer.atMs <= this.#nowMs && this.#timers.delete(timer)) timer.run()
    await turn()
  }
}

const turn = () => new Promise((resolve) => void setImmediate(resolve))
const quiet = async () => undefined

/** Work that ends when it is told. */
function held() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const state = { began: false }
  const work = async () => {
    state.began = true
    await promise
  }
  return { state, work, end: resolve }
}

describe('slots of jobs', () => {
  it('let so many work at once, the others in the order in which they came', async () => {
    const slots = new JobSlots(2, new TimersAlone())
    const jobs = Array.from({ length: 4 }, held)
    const done = jobs.map(({ work }) => slots.run(work, quiet))
    const began = () => jobs.map(({ state }) => state.began)
    await turn()
    expect(began()).toEqual([true, true, false, false])
    jobs[1]?.end()
    await turn()
    expect(began()).toEqual([true, true, true, false])
    const failing = slots.run(async () => Promise.reject(new Error('failed')), quiet)
    const [failed] = await Promise.allSettled([failing, ...jobs.map(async ({ end }) => end()), ...done])
    expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'failed' } })
    expect(await slots.run(async () => 7, quiet)).toBe(7)
  })

  it('ask those who wait to say that they do, and let them give up', async () => {
    const clock = new TimersAlone()
    const slots = new JobSlots(1, clock)
    const first = held()
    const running = slots.run(first.work, quiet)
    let said = 0
    const second = held()
    const waiting = slots.run(second.work, async () => {
      if (++said === 2) throw new Error('the claim was lost')
    })
    const gaveUp = Promise.allSettled([waiting])
    const third = held()
    const last = slots.run(third.work, quiet)
    await clock.advance(5_000)
    await turn()
    expect(said).toBe(1)
    await clock.advance(5_000)
    expect(await gaveUp).toMatchObject([{ status: 'rejected', reason: { message: 'the claim was lost' } }])
    first.end()
    await running
    await turn()
    expect([second.state.began, third.state.began]).toEqual([false, true])
    third.end()
    await last
  })

  it('that come while somebody gives up go to the next', async () => {
    const clock = new TimersAlone()
    const slots = new JobSlots(1, clock)
    const first = held()
    const running = slots.run(first.work, quiet)
    const saying = Promise.withResolvers<void>()
    const waiting = slots.run(
      async () => undefined,
      () => saying.promise,
    )
    const gaveUp = Promise.allSettled([waiting])
    await clock.advance(5_000)
    await turn()
    first.end()
    await running
    saying.reject(new Error('the claim was lost'))
    expect(await gaveUp).toMatchObject([{ status: 'rejected', reason: { message: 'the claim was lost' } }])
    expect(await slots.run(async () => 7, quiet)).toBe(7)
  })
})
