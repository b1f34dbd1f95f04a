import { describe, expect, it } from 'vitest'
import type { LogEntry } from '../format/entry.ts'
import { backPressure } from './back-pressure.ts'
import { directoryLimits } from './log-limits.ts'

const limits = { ...directoryLimits, unfoldedObjects: 5, unfoldedBytes: 100 }
const refusal = (entries: number, deltas: number, unfoldedBytes: number) =>
  backPressure(
    { entries: Array.from({ length: entries }, () => ({}) as LogEntry), unfoldedBytes },
    Array.from({ length: deltas }, (_, i) => ({ ulid: String(i), etag: '', sizeBytes: 10 })),
    { limits, path: 'things' },
  )

describe('back-pressure', () => {
  it('counts entries and unsequenced deltas together, up to the limit', () => {
    expect(refusal(3, 2, 0)).toBeUndefined()
    expect(refusal(4, 2, 0)).toMatchObject({
      code: 'back-pressure',
      message: expect.stringContaining('6 unfolded') as string,
    })
    expect(refusal(0, 6, 0)).toMatchObject({ kind: 'unavailable', retryAfterMs: 1_000 })
  })

  it('counts the bytes of entries and of unsequenced deltas together, up to the limit', () => {
    expect(refusal(1, 2, 80)).toBeUndefined()
    expect(refusal(1, 2, 81)).toMatchObject({ message: expect.stringContaining('with 101 bytes') as string })
  })
})
