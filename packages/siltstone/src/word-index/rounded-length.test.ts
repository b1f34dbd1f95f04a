import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { roundedLength } from './rounded-length.ts'

it('rounds to three significant binary digits, which stay as they are, and keeps the order', () => {
  expect([0, 1, 7, 8, 9, 10, 11, 13, 17, 19, 21, 30, 31, 127].map(roundedLength)).toEqual([
    0, 1, 7, 8, 10, 10, 12, 14, 16, 20, 20, 32, 32, 128,
  ])
  fc.assert(
    fc.property(fc.nat(2 ** 31 - 1), fc.nat(1_000), (words, more) => {
      const rounded = roundedLength(words)
      expect(Math.abs(rounded - words)).toBeLessThanOrEqual(words / 8)
      expect(roundedLength(rounded)).toBe(rounded)
      expect(roundedLength(words + more)).toBeGreaterThanOrEqual(rounded)
    }),
  )
})
