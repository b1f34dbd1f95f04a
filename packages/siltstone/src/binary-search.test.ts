import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { firstWhere } from './binary-search.ts'

it('finds the first place, as a scan does', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), fc.nat(21), (numbers, wanted) => {
      const sorted = numbers.toSorted((a, b) => a - b)
      const isThere = (place: number) => (sorted[place] as number) >= wanted
      const scanned = sorted.findIndex((_, place) => isThere(place))
      expect(firstWhere(sorted.length, isThere)).toBe(scanned < 0 ? sorted.length : scanned)
    }),
  )
})
