import { expect, it } from 'vitest'
import { isOutside, nearestClusters } from './outside.ts'

it('looks at some of the nearest clusters, never at more than there are', () => {
  expect(nearestClusters(3)).toBe(3)
  expect(nearestClusters(100)).toBe(8)
  expect(nearestClusters(4_000)).toBe(80)
})

it('is told by how much less is admitted near a query than of all rows', () => {
  // One row in ten is admitted: 100 of 1,000 near the query would be usual.
  expect(isOutside(100, 1_000, 0.1)).toBe(false)
  expect(isOutside(50, 1_000, 0.1)).toBe(false)
  expect(isOutside(49, 1_000, 0.1)).toBe(true)
  expect(isOutside(0, 1_000, 0.1)).toBe(true)
  expect(isOutside(0, 0, 0.1)).toBe(false)
})
