import { expect, it } from 'vitest'
import { deviationsOutside } from './outside.ts'

/** Clusters of ten rows at distances 0 to 99, of which those from `first` on are admitted. */
const beyond = (first: number, clusters = 100) =>
  deviationsOutside(
    Float64Array.from({ length: clusters }, (_, i) => 1e6 + (100 * i) / clusters),
    (cluster) => ({ rows: 10, admitted: (100 * cluster) / clusters >= first ? 10 : 0 }),
  )

it('grows with how much farther than all rows the admitted ones lie', () => {
  expect(beyond(0)).toBe(0)
  // The mean of 20 to 99 is 10 beyond that of all, whose standard deviation is 29.
  expect(beyond(20)).toBeCloseTo(10 / 28.9, 2)
  expect(beyond(90)).toBeCloseTo(45 / 28.9, 2)
})

it('is negative for what is near, and 0 for a part of each cluster and where it cannot be told', () => {
  const bases = Float64Array.from({ length: 50 }, (_, i) => i)
  expect(deviationsOutside(bases, (cluster) => ({ rows: 10, admitted: cluster < 5 ? 10 : 0 }))).toBeLessThan(-1)
  expect(deviationsOutside(bases, () => ({ rows: 10, admitted: 1 }))).toBeCloseTo(0)
  expect(deviationsOutside(bases, () => ({ rows: 10, admitted: 0 }))).toBe(0)
  expect(
    deviationsOutside(new Float64Array(50).fill(3), (cluster) => ({ rows: 10, admitted: cluster > 40 ? 10 : 0 })),
  ).toBe(0)
  expect(deviationsOutside([Number.NaN, Number.POSITIVE_INFINITY], () => ({ rows: 1, admitted: 1 }))).toBe(0)
})

it('looks at some of very many clusters', () => {
  let seen = 0
  const told = deviationsOutside(
    Float64Array.from({ length: 20_000 }, (_, i) => i),
    (cluster) => {
      seen++
      return { rows: 10, admitted: cluster >= 4_000 ? 10 : 0 }
    },
  )
  expect(seen).toBeLessThanOrEqual(512)
  expect(told).toBeCloseTo(beyond(20), 1)
})
