import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { selectSmallest, SmallestOfMany } from './smallest.ts'

const numbers = fc.array(fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true })), { maxLength: 200 })

describe('selectSmallest', () => {
  it('puts a place in order, with the tags, and leaves the rest as it was', () => {
    fc.assert(
      fc.property(numbers, fc.nat(), fc.nat(), fc.nat(), (all, a, b, c) => {
        const from = all.length === 0 ? 0 : a % all.length
        const end = from + (b % (all.length - from + 1))
        if (from === end) return
        const place = from + (c % (end - from))
        const values = Float64Array.from(all)
        const tags = Uint32Array.from(all.keys())
        selectSmallest(values, place, from, end, tags)
        const range = all.slice(from, end).sort((x, y) => x - y)
        expect(values[place] === range[place - from]).toBe(true)
        expect(values.subarray(from, place).every((x) => x <= (values[place] as number))).toBe(true)
        expect(values.subarray(place, end).every((x) => x >= (values[place] as number))).toBe(true)
        expect([...tags].map((tag) => all[tag])).toEqual([...values])
        expect([...tags].sort((x, y) => x - y)).toEqual([...all.keys()])
        expect([...values.subarray(0, from), ...values.subarray(end)]).toEqual([
          ...all.slice(0, from),
          ...all.slice(end),
        ])
      }),
    )
  })
})

describe('SmallestOfMany', () => {
  it('keeps the k smallest, each with its tag', () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 20 }), (all, k) => {
        const smallest = new SmallestOfMany(k)
        all.forEach((distance, tag) => {
          if (distance < smallest.bound) smallest.add(distance, tag)
        })
        const { distances, tags } = smallest.kept()
        // Infinity never enters.
        const finite = all.filter((x) => x < Number.POSITIVE_INFINITY)
        const expected = finite.sort((x, y) => x - y).slice(0, k)
        expect([...distances].sort((x, y) => x - y).every((x, i) => x === expected[i])).toBe(true)
        expect(tags).toHaveLength(expected.length)
        expect(new Set(tags).size).toBe(tags.length)
        tags.forEach((tag, i) => expect(all[tag] === distances[i]).toBe(true))
      }),
    )
  })
})
