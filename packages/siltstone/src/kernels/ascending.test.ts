import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ascending } from './ascending.ts'

const numbers = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), { maxLength: 100 })

it('gives numbers in ascending order, equal ones by index, and then no more', () => {
  fc.assert(
    fc.property(numbers, fc.nat(9), (all, few) => {
      const most = few < 5 ? few : all.length
      const ascending = new Ascending(Float64Array.from(all), most)
      const wanted = all.slice(0, most)
      const sorted = all.map((value, index) => ({ value, index }))
      sorted.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.index - b.index))
      const given = wanted.map(() => ({ index: ascending.next(), value: ascending.value }))
      expect(given).toEqual(sorted.slice(0, most))
      if (most === all.length) expect(ascending.next()).toBe(-1)
    }),
  )
})
