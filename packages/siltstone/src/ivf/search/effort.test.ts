import { describe, expect, it } from 'vitest'
import { type Calibration, UNCALIBRATED } from '../calibration.ts'
import type { Flatness } from '../flatness.ts'
import { RECALL_LEVELS } from '../recall-levels.ts'
import { clusterNeed, effortOf, type SegmentSummary } from './effort.ts'

/** The same for each number of neighbours. */
const alike = (one: Flatness) => UNCALIBRATED.neighbours.map(() => one)

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

  it('ends at the recall that is asked for where it is not rounded up, and measures accordingly', () => {
    const levels = effortOf({ recall: 0.87, isUnrounded: true }).levels
    expect(levels.slice(0, -1)).toEqual(RECALL_LEVELS.slice(0, 2))
    const [before, last, after] = [levels.at(-2), levels.at(-1), RECALL_LEVELS[2]]
    expect(last?.recall).toBe(0.87)
    expect(last?.deviations).toBeGreaterThan(before?.deviations ?? 0)
    expect(last?.deviations).toBeLessThan(after?.deviations ?? 0)
    for (const { recall } of RECALL_LEVELS)
      expect(effortOf({ recall, isUnrounded: true })).toEqual(effortOf({ recall }))
    expect(effortOf({ recall: 0.3, isUnrounded: true })).toEqual(effortOf({ recall: 0.3 }))
    expect(effortOf({ recall: 0.9999, isUnrounded: true })).toEqual(effortOf({ recall: 0.9999 }))
  })

  it('is what is fixed', () => {
    expect(effortOf({ recall: 0.9, fixed: { clusters: 7 } })).toEqual({
      clusters: 7,
      levels: [RECALL_LEVELS[2]],
    })
    expect(effortOf({ fixed: { clusters: 7, deviations: 2 } }).levels).toMatchObject([
      { deviations: 2, mostDeviations: 2 },
    ])
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
      expect(need(10)(near(16))(level, 1)).toBeGreaterThan(need(10)(near(16))(level - 1, 1))
    expect(need(10)(near(16))(last, 1)).toBe(Math.ceil(32 * 4))
    // A filter counts as many neighbours.
    expect(need(10)(near(16))(last, 0.1)).toBe(need(100)(near(16))(last, 1))
    expect(need(100)(near(16))(last, 1)).toBeGreaterThan(need(10)(near(16))(last, 1))
    expect(need(10)(near(64))(last, 1)).toBe(2 * need(10)(near(16))(last, 1))
    expect(need(10)(near(1))(last, 0)).toBeGreaterThan(need(1_000)(near(1))(last, 1))
  })

  it('takes the mean of what the segments say, and more clusters of more segments', () => {
    const dearer = { ...UNCALIBRATED, theta: UNCALIBRATED.theta.map((row) => row.map((theta) => theta * 4)) }
    const equal = clusterNeed(effort, 10, [one(10_000), one(10_000)])(near(100))(last, 1)
    const mixed = clusterNeed(effort, 10, [one(10_000), one(10_000, dearer)])(near(100))(last, 1)
    expect(equal).toBeCloseTo(320 * Math.SQRT2, -1)
    expect(mixed / equal).toBeCloseTo(2, 1)
  })

  it('grows with the clusters that are near, not with their root, beyond what is usual', () => {
    const need = clusterNeed(effort, 10, [one(10_000, { ...UNCALIBRATED, usualNear: [25, 25, 25, 25] })])
    expect(need(near(25))(last, 1)).toBe(32 * 5)
    expect(need(near(100))(last, 1)).toBe(32 * 5 * 4)
  })

  it('is in proportion to the power of the clusters that are near which fits the data', () => {
    const counts: Record<number, number> = { 1.1: 4, 1.3: 81 }
    const of = (nearly: number, exponent: number) =>
      clusterNeed(effort, 10, [one(10_000, { ...UNCALIBRATED, flatness: alike({ nearly, exponent }) })])(
        (some) => counts[some] as number,
      )(last, 1)
    expect(of(1.1, 0)).toBe(32)
    expect(of(1.1, 1)).toBe(32 * 4)
    expect(of(1.3, 0.5)).toBe(32 * 9)
    expect(of(1.3, 0.25)).toBe(32 * 3)
  })

  it('is the geometric mean of what segments say that were calibrated differently', () => {
    const segments = [
      one(10_000, { ...UNCALIBRATED, flatness: alike({ nearly: 1.1, exponent: 1 }) }),
      one(10_000, { ...UNCALIBRATED, flatness: alike({ nearly: 1.3, exponent: 0.5 }) }),
    ]
    const need = clusterNeed(effort, 10, segments)((nearly) => (nearly === 1.1 ? 4 : 64))(last, 1)
    // 32 · √2 · √(4 · 8)
    expect(need).toBe(256)
  })

  it('is larger by the factor for the share of all rows that a filter admits', () => {
    const { recalls, neighbours } = UNCALIBRATED
    const factors = [2, 8].map((factor) => recalls.map(() => neighbours.map(() => factor)))
    const outside = factors.map((rows) => rows.map((row) => row.map((one) => 2 * one)))
    const filters = { shares: [0.4, 0.1], far: [0.2, 0.8], factors, outside }
    const filtered = (share: number) => ({ ...one(10_000, { ...UNCALIBRATED, filters }), admitted: share * 10_000 })
    const need = (share: number, far?: number) => clusterNeed(effort, 10, [filtered(share)])(near(16), far)(last, 0.5)
    const plain = need(1)
    expect(need(0.4) / plain).toBeCloseTo(2, 1)
    // Half way between, in logarithms.
    expect(need(0.2) / plain).toBeCloseTo(4, 1)
    expect(need(0.1) / plain).toBeCloseTo(8, 1)
    expect(need(0.01)).toBe(need(0.1))
    expect(need(0.1, 1) / plain).toBeCloseTo(16, 1)
    // Between the two, in logarithms.
    expect(need(0.1, 0.4) / plain).toBeCloseTo(8 * Math.SQRT2, 0)
    const needFor = (k: number, far: number) => clusterNeed(effort, k, [filtered(0.1)])(near(16), far)(last, 0.5)
    expect(needFor(1, 0)).toBeLessThan(needFor(10, 0))
    expect(needFor(1, 1)).toBe(needFor(10, 2))
    expect(needFor(100, 1)).toBeGreaterThan(needFor(10, 1))
  })

  it('is corrected by what queries without a filter needed; with one, only to more', () => {
    const filtered = { ...one(10_000), admitted: 4_000 }
    const partlyDeleted = { ...one(10_000), admitted: 8_000 }
    const need = (segment: SegmentSummary, factor: number) =>
      clusterNeed(effort, 10, [segment], { levels: effort.levels.map(() => factor), exponent: 0, nearly: 1.15 })(
        near(16),
      )(last, 1)
    expect(need(one(10_000), 0.5)).toBe(64)
    expect(need(partlyDeleted, 0.5)).toBe(64)
    expect(need(filtered, 0.5)).toBe(need(filtered, 1))
    expect(need(filtered, 2)).toBe(2 * need(filtered, 1))
  })

  it('is corrected by how flat a query is, of the clusters that one segment of all rows would have', () => {
    const correction = { levels: effort.levels.map(() => 0.25), exponent: 0.5, nearly: 1.3 }
    const need = (segments: SegmentSummary[], count: number) =>
      clusterNeed(effort, 10, segments, correction)(near(count))(last, 1) /
      clusterNeed(effort, 10, segments)(near(count))(last, 1)
    expect(need([one(10_000)], 16)).toBeCloseTo(1, 1)
    expect(need([one(10_000)], 64)).toBeCloseTo(2, 1)
    const halves = [one(5_000), one(5_000)]
    expect(need(halves, 64 * Math.SQRT2)).toBeCloseTo(2, 1)
  })

  it('is the same for all queries if it is fixed', () => {
    const need = clusterNeed(effortOf({ fixed: { clusters: 48 } }), 10, [one(10_000), one(10_000)])
    expect(need(near(500))(0, 0.01)).toBe(Math.ceil(48 * Math.SQRT2))
  })
})
