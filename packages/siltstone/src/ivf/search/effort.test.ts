import { describe, expect, it } from 'vitest'
import { type Calibration, UNCALIBRATED } from '../calibration.ts'
import { RECALL_LEVELS } from '../recall-levels.ts'
import { clusterNeed, effortOf, type SegmentSummary } from './effort.ts'

/** As many clusters are near, whatever near means. */
const near = (count: number) => () => count

describe('effort', () => {
  it('goes through the levels up to the one that is asked for, rounded up', () => {
    const asked = (recall?: number) => effortOf(recall === undefined ? {} : { recall }).levels.at(-1)?.recall
    expect(asked()).toBe(0.95)
    expect(asked(0.01)).toBe(0.5)
    expect(asked(0.9)).toBe(0.9)
    expect(asked(0.901)).toBe(0.95)
    expect(asked(0.9999)).toBe(0.999)
    expect(effortOf({ recall: 0.9 }).levels).toEqual(RECALL_LEVELS.slice(0, 3))
  })

  it('is what is fixed', () => {
    expect(effortOf({ recall: 0.9, fixed: { clusters: 7 } })).toEqual({
      clusters: 7,
      levels: [{ recall: 0.9, deviations: 1.05 }],
    })
    expect(effortOf({ fixed: { clusters: 7, deviations: 2 } }).levels).toMatchObject([{ deviations: 2 }])
  })
})

describe('the need of clusters', () => {
  const one = (rows: number, calibration: Calibration = UNCALIBRATED): SegmentSummary => ({
    clusters: Math.round(4 * Math.sqrt(rows)),
    rows,
    admitted: rows,
    calibration,
  })
  const effort = effortOf({ recall: 0.99 })
  const last = effort.levels.length - 1

  it('grows with the level, with k, with a smaller share, and with the root of the clusters that are near', () => {
    const need = (k: number) => clusterNeed(effort, k, [one(10_000)])
    for (let level = 1; level <= last; level++)
      expect(need(10)(level, 1, near(16))).toBeGreaterThan(need(10)(level - 1, 1, near(16)))
    expect(need(10)(last, 1, near(16))).toBe(Math.ceil(32 * 4))
    // A filter counts as somewhat more neighbours than it leaves out.
    expect(need(10)(last, 0.1, near(16))).toBeGreaterThan(need(100)(last, 1, near(16)))
    expect(need(10)(last, 0.1, near(16))).toBeLessThan(need(200)(last, 1, near(16)))
    expect(need(100)(last, 1, near(16))).toBeGreaterThan(need(10)(last, 1, near(16)))
    expect(need(10)(last, 1, near(64))).toBe(2 * need(10)(last, 1, near(16)))
    expect(need(10)(last, 0, near(1))).toBeGreaterThan(need(1_000)(last, 1, near(1)))
  })

  it('takes the mean of what the segments say, and more clusters of more segments', () => {
    const dearer = { ...UNCALIBRATED, theta: UNCALIBRATED.theta.map((row) => row.map((theta) => theta * 4)) }
    const equal = clusterNeed(effort, 10, [one(10_000), one(10_000)])(last, 1, near(100))
    const mixed = clusterNeed(effort, 10, [one(10_000), one(10_000, dearer)])(last, 1, near(100))
    expect(equal).toBeCloseTo(320 * Math.SQRT2, -1)
    expect(mixed / equal).toBeCloseTo(2, 1)
  })

  it('grows with the clusters that are near, not with their root, beyond what is usual', () => {
    const need = clusterNeed(effort, 10, [one(10_000, { ...UNCALIBRATED, usualNear: 25 })])
    expect(need(last, 1, near(25))).toBe(32 * 5)
    expect(need(last, 1, near(100))).toBe(32 * 5 * 4)
  })

  it('is in proportion to the power of the clusters that are near which fits the data', () => {
    const counts: Record<number, number> = { 1.1: 4, 1.3: 81 }
    const of = (nearly: number, exponent: number) =>
      clusterNeed(effort, 10, [one(10_000, { ...UNCALIBRATED, flatness: { nearly, exponent } })])(
        last,
        1,
        (some) => counts[some] as number,
      )
    expect(of(1.1, 0)).toBe(32)
    expect(of(1.1, 1)).toBe(32 * 4)
    expect(of(1.3, 0.5)).toBe(32 * 9)
    expect(of(1.3, 0.25)).toBe(32 * 3)
  })

  it('is the mean of what segments say that were calibrated differently', () => {
    const segments = [
      one(10_000, { ...UNCALIBRATED, flatness: { nearly: 1.1, exponent: 1 } }),
      one(10_000, { ...UNCALIBRATED, flatness: { nearly: 1.3, exponent: 0.5 } }),
    ]
    const need = clusterNeed(effort, 10, segments)(last, 1, (nearly) => (nearly === 1.1 ? 4 : 64))
    expect(need).toBe(Math.ceil(32 * Math.SQRT2 * ((4 + 8) / 2)))
  })

  it('is the same for all queries if it is fixed', () => {
    const need = clusterNeed(effortOf({ fixed: { clusters: 48 } }), 10, [one(10_000), one(10_000)])
    expect(need(0, 0.01, near(500))).toBe(Math.ceil(48 * Math.SQRT2))
  })
})
