import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dotProducts, squaredDistances, squaredNorms } from './page-scan.ts'

const float = fc.float({ min: -8, max: 8, noNaN: true })

describe('kernels over pages', () => {
  it('agree with the plain definitions whatever the shape, and ignore what lies between the rows', () => {
    const shapes = fc.tuple(
      fc.integer({ min: 1, max: 19 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 9 }),
    )
    fc.assert(
      fc.property(shapes, fc.infiniteStream(float), ([dimension, rowsPerPage, gap, rows], numbers) => {
        const next = () => numbers.next().value as number
        const shape = { dimension, rowsPerPage, pageWords: rowsPerPage * dimension + gap }
        const data = new Float32Array(Math.ceil(rows / rowsPerPage) * shape.pageWords).fill(Number.NaN)
        const query = Float32Array.from({ length: dimension }, next)
        const expected = Array.from({ length: rows }, (_, row) => {
          const vector = Float32Array.from({ length: dimension }, next)
          data.set(vector, Math.floor(row / rowsPerPage) * shape.pageWords + (row % rowsPerPage) * dimension)
          return {
            l2: vector.reduce((sum, x, i) => sum + (x - (query[i] as number)) ** 2, 0),
            dot: vector.reduce((sum, x, i) => sum + x * (query[i] as number), 0),
            norm: vector.reduce((sum, x) => sum + x * x, 0),
          }
        })
        const out = new Float64Array(rows)
        const close = (value: 'l2' | 'dot' | 'norm') =>
          out.forEach((got, row) => expect(got).toBeCloseTo(expected[row]?.[value] as number, 2))
        squaredDistances(query, data, rows, shape, out)
        close('l2')
        dotProducts(query, data, rows, shape, out)
        close('dot')
        squaredNorms(data, rows, shape, out)
        close('norm')
      }),
    )
  })

  it('gives equal rows equal distances, wherever they stand', () => {
    const vector = Float32Array.from({ length: 37 }, (_, i) => Math.fround(Math.sin(i * 1.7)))
    const query = Float32Array.from({ length: 37 }, (_, i) => Math.fround(Math.cos(i * 0.3)))
    const shape = { dimension: 37, rowsPerPage: 3, pageWords: 120 }
    const data = new Float32Array(120 * 3)
    for (let row = 0; row < 7; row++) data.set(vector, Math.floor(row / 3) * 120 + (row % 3) * 37)
    const out = new Float64Array(7)
    for (const kernel of [squaredDistances, dotProducts]) {
      kernel(query, data, 7, shape, out)
      expect(new Set(out).size).toBe(1)
    }
  })
})
