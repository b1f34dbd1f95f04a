import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeCentroids, encodeCentroids } from './centroid-code.ts'

const number = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -3, max: 3 }) },
  { weight: 2, arbitrary: fc.integer({ min: -200, max: 200 }) },
  { weight: 1, arbitrary: fc.integer({ min: -(2 ** 28), max: 2 ** 28 }) },
)

it('gives back the numbers', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(number, { maxLength: 400, size: 'max' }),
      (dimension, given) => {
        const clusters = Math.floor(given.length / dimension)
        const numbers = Int32Array.from(given.slice(0, clusters * dimension))
        const bytes = encodeCentroids({ clusters, dimension, numbers })
        expect(decodeCentroids(bytes, clusters, dimension)).toEqual(numbers)
      },
    ),
  )
})

it('takes few bits in dimensions that vary little, whatever their base is', () => {
  const [clusters, dimension] = [500, 64]
  const numbers = Int32Array.from({ length: clusters * dimension }, (_, i) => {
    const spread = Math.exp(-(i % dimension) / 16)
    return 1_000 * (i % dimension) + Math.round(2 * spread * Math.sin(i * 12.9898) * Math.cos(i * 78.233))
  })
  expect(encodeCentroids({ clusters, dimension, numbers }).length * 8).toBeLessThan(numbers.length * 1)
})

it('makes something of any bytes, or nothing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 9 }), (bytes, clusters) => {
      const numbers = decodeCentroids(bytes, clusters, 3)
      expect(numbers === undefined || numbers.length === clusters * 3).toBe(true)
    }),
  )
})
