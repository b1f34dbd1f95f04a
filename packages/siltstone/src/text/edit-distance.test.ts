import fc from 'fast-check'
import { expect, it } from 'vitest'
import { editDistance } from './edit-distance.ts'

const of = (a: string, b: string, most = 9) => editDistance(Array.from(a), Array.from(b), most)

it.each<[string, string, number]>([
  ['receive', 'recieve', 1],
  ['information', 'informaiton', 1],
  ['stone', 'stones', 1],
  ['stone', 'tone', 1],
  ['stone', 'stine', 1],
  ['ca', 'abc', 3],
  ['', 'abc', 3],
  ['\u{1d54f}y', 'y', 1],
])('%s and %s: %i', (a, b, distance) => {
  expect(of(a, b)).toBe(distance)
})

/** By the definition, without a table. */
function plain(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length
  const least = Math.min(
    plain(a.slice(1), b) + 1,
    plain(a, b.slice(1)) + 1,
    plain(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  )
  const isExchanged = a.length > 1 && b.length > 1 && a[0] === b[1] && a[1] === b[0]
  return isExchanged ? Math.min(least, plain(a.slice(2), b.slice(2)) + 1) : least
}

it('is what the definition says, up to its bound', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 })
  fc.assert(
    fc.property(word, word, fc.nat(3), (a, b, most) => {
      expect(of(a, b, most)).toBe(Math.min(most + 1, plain(a, b)))
    }),
  )
})
