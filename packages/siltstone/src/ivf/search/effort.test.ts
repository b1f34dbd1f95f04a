import { describe, expect, it } from 'vitest'
import { clusterLimits, effortOf } from './effort.ts'

describe('effort', () => {
  it('grows with k and yields to what the request says', () => {
    expect(effortOf(10)).toMatchObject({ probes: 48, deviations: 1.5, rerank: 200 })
    expect(effortOf(1)).toEqual(effortOf(10))
    expect(effortOf(1_000)).toMatchObject({ probes: 480, rerank: 10_000 })
    expect(effortOf(10, { probes: 7, deviations: 2, rerank: 3 })).toMatchObject({ probes: 7, deviations: 2, rerank: 3 })
  })
})

describe('limits of the clusters', () => {
  const effort = effortOf(10)

  it('are the probes when every row is admitted, and as many entries in two segments as in one', () => {
    const rows = 10_000
    expect(clusterLimits(effort, { clusters: [400], rows, admitted: rows })).toEqual({
      least: 48,
      most: 48,
      matches: 0,
    })
    const halves = clusterLimits(effort, { clusters: [200, 200], rows, admitted: rows })
    expect(halves.least).toBe(Math.ceil(48 * Math.SQRT2))
  })

  it('allow more clusters, and ask for matches, when a filter admits few rows', () => {
    const limits = (admitted: number) => clusterLimits(effort, { clusters: [1_000], rows: 100_000, admitted })
    const [tenth, hundredth] = [limits(10_000), limits(1_000)]
    expect([tenth.least, hundredth.least]).toEqual([48, 48])
    expect([tenth.most, hundredth.most]).toEqual([1_440, 14_400])
    expect(hundredth.matches).toBe(3_000)
    // 48 clusters of 100 rows, times 0.1 ** 0.4
    expect(tenth.matches).toBeCloseTo(1_911, 0)
  })
})
