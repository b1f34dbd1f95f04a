import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { RateLimiter } from './rate-limit.ts'

describe('RateLimiter', () => {
  it('never lets more through than the rate and ten seconds of it allow', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 60, max: 60_000 }),
        fc.array(fc.record({ tokens: fc.nat(2000), idleMs: fc.nat(5000) }), { minLength: 1, maxLength: 30 }),
        async (requestsPerMinute, tokensPerMinute, calls) => {
          const clock = ManualClock.skippingSleeps()
          const limiter = new RateLimiter(clock, { requestsPerMinute, tokensPerMinute })
          const start = clock.monotonicMs()
          let tokens = 0
          for (const [i, call] of calls.entries()) {
            await clock.advance(call.idleMs)
            await limiter.acquire(call.tokens)
            const minutes = (clock.monotonicMs() - start) / 60_000
            expect(i + 1).toBeLessThanOrEqual(Math.max(1, requestsPerMinute / 6) + requestsPerMinute * minutes + 1e-6)
            // The last one may leave a debt, the ones before must fit.
            expect(tokens).toBeLessThanOrEqual(tokensPerMinute / 6 + tokensPerMinute * minutes + 1e-6)
            tokens += call.tokens
          }
        },
      ),
      { numRuns: 100 },
    )
  })

  it('does not wait where nothing limits', async () => {
    const clock = ManualClock.skippingSleeps()
    const limiter = new RateLimiter(clock, {})
    for (let i = 0; i < 100; i++) await limiter.acquire(1e9)
    expect(clock.sleptMs).toEqual([])
  })

  it('serves in order, and a caller that gives up passes its turn on', async () => {
    const clock = ManualClock.skippingSleeps()
    const limiter = new RateLimiter(clock, { requestsPerMinute: 6 })
    const order: string[] = []
    const controller = new AbortController()
    const first = limiter.acquire(0).then(() => order.push('first'))
    const second = limiter.acquire(0, controller.signal).catch(() => order.push('gone'))
    const third = limiter.acquire(0).then(() => order.push('third'))
    controller.abort(new Error('gone'))
    await Promise.all([first, second, third])
    expect(order.filter((who) => who !== 'gone')).toEqual(['first', 'third'])
    expect(order).toContain('gone')
    expect(clock.sleptMs).toEqual([10_000])
  })

  it('corrects estimates and holds a pause', async () => {
    const clock = ManualClock.skippingSleeps()
    const limiter = new RateLimiter(clock, { tokensPerMinute: 600 })
    await limiter.acquire(100)
    limiter.settle(100, 40)
    await limiter.acquire(60)
    expect(clock.sleptMs).toEqual([])
    limiter.settle(60, 120)
    await limiter.acquire(10)
    expect(clock.sleptMs).toEqual([7000])
    limiter.pause(30_000)
    await limiter.acquire(0)
    expect(clock.sleptMs).toEqual([7000, 30_000])
  })
})
