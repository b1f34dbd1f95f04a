import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pin } from '../format/manifest.ts'
import { defaultHistory, thin } from './pins.ts'

const HOUR = 3_600_000
const pin = (committedAtMs: number, kind: Pin['kind'] = 'history', untilMs: number | null = null): Pin => ({
  kind,
  manifestKey: `m${committedAtMs}`,
  watermark: committedAtMs,
  committedAtMs,
  untilMs,
  pinnedAtMs: committedAtMs,
  reason: '',
})

describe('thinning of history', () => {
  const now = 1_000 * HOUR

  it('keeps every commit of the last hour, then one an hour for a week, and the newest ten', () => {
    const policy = { ...defaultHistory, newest: 0 }
    const pins = [now - 10, now - 20, now - 3 * HOUR - 1, now - 3 * HOUR - 2, now - 8 * 24 * HOUR].map((at) => pin(at))
    expect(thin(pins, now, policy).map(({ committedAtMs }) => now - committedAtMs)).toEqual([10, 20, 3 * HOUR + 1])
    expect(thin([pin(1), pin(2)], now, defaultHistory)).toHaveLength(2)
  })

  it('drops other pins only when they run out', () => {
    const pins = [pin(1, 'fork'), pin(2, 'restore-point', now - 1), pin(3, 'reset', now + 1)]
    expect(thin(pins, now, defaultHistory).map(({ kind }) => kind)).toEqual(['fork', 'reset'])
  })

  it('keeps the newest of them all, and thinning twice changes nothing', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: now }), { minLength: 1, maxLength: 200 }), (times) => {
        const once = thin(
          times.map((at) => pin(at)),
          now,
          defaultHistory,
        )
        expect(once.some(({ committedAtMs }) => committedAtMs === Math.max(...times))).toBe(true)
        expect(once.length).toBeGreaterThanOrEqual(Math.min(times.length, defaultHistory.newest))
        expect(thin(once, now, defaultHistory)).toEqual(once)
      }),
    )
  })
})
