import { describe, expect, it } from 'vitest'
import { type Calibration, NO_FACTORS } from './calibration.ts'
import { Need } from './need.ts'

const simple: Calibration = {
  recalls: [0.9, 0.99],
  neighbours: [10, 100],
  theta: [
    [2, 4],
    [8, 32],
  ],
  usualNear: [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  flatness: [
    { nearly: 1.1, exponent: 0 },
    { nearly: 1.1, exponent: 0 },
  ],
  filters: NO_FACTORS,
}
const near = () => 1
const clusters = (calibration: Calibration, recall: number, neighbours: number, finer = 1) =>
  Math.exp(new Need(calibration, [recall]).of(near, finer)(0, neighbours))

describe('the need', () => {
  it('is what was measured', () => {
    expect(clusters(simple, 0.9, 10)).toBeCloseTo(2)
    expect(clusters(simple, 0.99, 100)).toBeCloseTo(32)
    expect(clusters(simple, 0.99, 100, 3)).toBeCloseTo(96)
  })

  it('is linear in the logarithms in between, and beyond', () => {
    expect(clusters(simple, 0.9, Math.sqrt(1_000))).toBeCloseTo(Math.sqrt(8))
    // One miss in 31.6 is half way from one in 10 to one in 100.
    expect(clusters(simple, 1 - 1 / Math.sqrt(1_000), 10)).toBeCloseTo(4)
    expect(clusters(simple, 0.9, 1)).toBeCloseTo(1)
    expect(clusters(simple, 0.9, 1_000)).toBeCloseTo(8)
    expect(clusters(simple, 0.999, 10)).toBeCloseTo(32)
  })

  it('grows neither too little nor too much beyond the most neighbours, and never falls with them', () => {
    const flat = { ...simple, theta: simple.theta.map(([first = 0]) => [first, first]) }
    expect(clusters(flat, 0.9, 10_000)).toBeCloseTo(2 * 100 ** 0.25)
    const steep = { ...simple, theta: simple.theta.map(([first = 0]) => [first, first * 1_000]) }
    expect(clusters(steep, 0.9, 1_000)).toBeCloseTo(2_000 * 10)
    const falling = { ...simple, theta: simple.theta.map(([first = 0]) => [first, first / 2]) }
    expect(clusters(falling, 0.9, 100)).toBeCloseTo(2)
  })

  it('takes the flatness of each number of neighbours', () => {
    const flatness = [
      { nearly: 1.1, exponent: 0.5 },
      { nearly: 1.5, exponent: 1 },
    ]
    const of = new Need({ ...simple, flatness }, [0.9]).of((nearly) => (nearly === 1.1 ? 4 : 9), 1)
    expect(Math.exp(of(0, 10))).toBeCloseTo(2 * 2)
    expect(Math.exp(of(0, 100))).toBeCloseTo(4 * 9)
  })
})

describe('the factor for a filter', () => {
  const factors = [
    [
      [2, 4],
      [8, 8],
    ],
  ]
  const outside = factors.map((rows) => rows.map((row) => row.map((one) => 3 * one)))
  const need = new Need({ ...simple, filters: { shares: [0.1], far: [0.3], factors, outside } }, [0.9, 0.99, 0.999])
  const factor = (level: number, k: number, share: number, outside: 0 | 1 = 0) =>
    Math.exp(need.factor(level, k, share, outside))

  it('is what was measured, and as at the nearest of it beyond', () => {
    expect(factor(0, 10, 0.1)).toBeCloseTo(2)
    expect(factor(0, 100, 0.1)).toBeCloseTo(4)
    expect(factor(1, 10, 0.1)).toBeCloseTo(8)
    expect(factor(0, 1, 0.001)).toBeCloseTo(2)
    expect(factor(0, 10_000, 0.1)).toBeCloseTo(4)
    expect(factor(2, 10, 0.1)).toBeCloseTo(8)
  })

  it('is that for queries outside for these', () => {
    expect(factor(1, 10, 0.1, 1)).toBeCloseTo(24)
    expect(factor(0, 10, 1, 1)).toBe(1)
  })

  it('is that for queries far outside from so many deviations on as were measured', () => {
    expect(need.far(0.1)).toBe(0.3)
    expect(need.far(0.5)).toBe(0.3)
    expect(new Need(simple, [0.9]).far(0.1)).toBe(0.5)
  })

  it('goes to 1 as the filter admits all', () => {
    expect(factor(0, 10, Math.sqrt(0.1))).toBeCloseTo(Math.sqrt(2))
    expect(factor(0, 10, 1)).toBe(1)
    expect(new Need(simple, [0.9]).factor(0, 10, 0.1, 0)).toBe(0)
  })
})
