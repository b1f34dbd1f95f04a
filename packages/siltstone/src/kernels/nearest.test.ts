import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Nearest } from './nearest.ts'

it('keeps the k nearest, ties to the smaller tag, in any order of offering', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 0, max: 12 }), (distances, k) => {
      const nearest = new Nearest(k)
      distances.forEach((distance, tag) => nearest.offer(distance, tag))
      const expected = distances
        .map((distance, tag) => ({ distance, tag }))
        .sort((a, b) => a.distance - b.distance || a.tag - b.tag)
      expect(nearest.sorted()).toEqual(expected.slice(0, k))
      if (k > 0 && distances.length >= k) expect(nearest.bound).toBe(expected[k - 1]?.distance)
    }),
  )
})
