import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeCentroids, encodeCentroids } from '../centroid-code.ts'
import { centroidRows } from '../centroid-grid.ts'
import { rotationSigns } from '../rotation.ts'
import { coarsen } from './coarse.ts'
import { Points } from './points.ts'
import { ROTATION_SEED } from './rotate.ts'
import { Work } from './work.ts'

const values = (length: number) =>
  fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 }), {
    minLength: length,
    maxLength: length,
    size: 'max',
  })

it.each([64, 192])('coarse centroids of %i dimensions are read as they are built, to the bit', (dimension) => {
  const signs = rotationSigns(ROTATION_SEED, dimension)
  const work = new Work()
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), values(4 * dimension), (clusters, given) => {
      const floats = Float32Array.from(given.slice(0, clusters * dimension))
      const grid = coarsen(floats, dimension, signs)
      const points = new Points(work, clusters, dimension)
      points.set(floats)
      const numbers = decodeCentroids(encodeCentroids(grid), clusters, dimension)
      expect(numbers).toEqual(grid.numbers)
      const { centroids, scales } = centroidRows(grid, signs)
      expect(centroids).toEqual(points.rows().slice())
      expect(scales).toEqual(points.scales)
      points.free()
    }),
    { numRuns: 30 },
  )
})

it('coarse centroids are within half a step of the true ones in each dimension, wherever they lie', () => {
  const dimension = 64
  const signs = rotationSigns(ROTATION_SEED, dimension)
  for (const [offset, spread] of [
    [0, 1],
    [1e6, 1],
    [5, 0],
    [0, 0],
  ] as const) {
    const floats = Float32Array.from({ length: 40 * dimension }, (_, i) => offset + spread * Math.sin(i * 12.9898))
    const before = floats.slice()
    const { step } = coarsen(floats, dimension, signs)
    for (let c = 0; c < 40; c++) {
      let square = 0
      for (let d = c * dimension; d < (c + 1) * dimension; d++)
        square += ((floats[d] as number) - (before[d] as number)) ** 2
      // The rotation rounds to 32 bits.
      expect(Math.sqrt(square)).toBeLessThanOrEqual((step / 2) * Math.sqrt(dimension) + 1e-6 * offset * dimension)
    }
  }
})
