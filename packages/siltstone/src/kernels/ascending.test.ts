import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ascending } from './ascending.ts'

it('gives all numbers in ascending order, equal ones by their index, and then none', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true }))), (numbers) => {
      const ascending = new Ascending(Float64Array.from(numbers))
      const sorted = numbers.map((value, index) => ({ value, index }))
      sorted.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.index - b.index))
      expect(numbers.map(() => ascending.next())).toEqual(sorted.map(({ index }) => index))
      expect(ascending.next()).toBe(-1)
    }),
  )
})
