import { describe, expect, it } from 'vitest'
import { MEASURED, scaleOf } from './scale.ts'

describe('the needs of a collection', () => {
  it('are those that were measured, at the size that was measured', () => {
    const changes = { segmentFill: (1e6 * 2_352.736) / 6 / 1024 ** 3 }
    const row = scaleOf(MEASURED.records, MEASURED.dimension, { changes })
    expect(row.segments).toBe(MEASURED.segments)
    expect(row.coldGets).toBeCloseTo(MEASURED.coldGets)
    expect(row.coldBytes / MEASURED.coldBytes).toBeCloseTo(1, 1)
    // The measured time holds the comparisons with centroids, which the model adds: an upper bound.
    expect(row.warmSeconds).toBeGreaterThanOrEqual(MEASURED.warmCpuSeconds)
    expect(row.warmSeconds).toBeLessThan(1.5 * MEASURED.warmCpuSeconds)
  })

  it('grow as the layout says: segments linearly, centroids and cold bytes with them, lists with the root', () => {
    const [small, large] = [scaleOf(1e8, 768), scaleOf(1e9, 768)]
    expect(large.segments / small.segments).toBeCloseTo(10, 1)
    expect(large.centroidBytes / small.centroidBytes).toBeCloseTo(10, 1)
    expect(large.coldGets / small.coldGets).toBeGreaterThan(Math.sqrt(10))
    expect(large.coldGets / small.coldGets).toBeLessThan(10)
    expect(large.warmSeconds / small.warmSeconds).toBeLessThan(10)
    expect(large.loadDays / small.loadDays).toBeCloseTo(10)
  })

  it('of a million writes do not grow with the collection: no merge is larger than a step', () => {
    const [small, large] = [scaleOf(1e7, 768), scaleOf(1e9, 768)]
    expect(large.writeUsdPerMillion).toBe(small.writeUsdPerMillion)
    expect(large.compactorSecondsPerMillion).toBe(small.compactorSecondsPerMillion)
    const wider = scaleOf(1e7, 768, { changes: { stepBytes: 16 * 1024 ** 3 } })
    expect(wider.writeAmplification).toBeGreaterThan(small.writeAmplification)
    expect(wider.coldGets).toBeLessThan(small.coldGets)
  })
})
