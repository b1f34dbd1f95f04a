import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dotProducts, squaredDistances, squaredNorms } from './page-scan.ts'

const float = fc.float({ min: -8, max: 8, noNaN: true })

describe('kernels over pages', () => {
  it('agree with the plain definitions for pages of any shape, and ignore the bytes between the rows', () => {
    const shapes = fc.tuple(
      fc.integer({ min: 1, max: 19 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 0, max: 9 }),
    )
    fc.assert(
      fc.property(shapes, fc.infiniteStream(float), ([dimension, rowsPerPage, gap, rows], numbers) => {
        const next = () => numbers.next().value as number
        const pageFloats = rowsPerPage * dimension + gap
        const data = new Float32Array(Math.ceil(rows / rowsPerPage) * pageFloats).fill(Number.NaN)
        const pages = { data, rowCount: rows, dimension, rowsPerPage, pageFloats }
        const query = Float32Array.from({ length: dimension }, next)
        const expected = Array.from({ length: rows }, (_, row) => {
          const vector = Float32Array.from({ length: dimension }, next)
          data.set(vector, Math.floor(row / rowsPerPage) * pageFloats + (row % rowsPerPage) * dimension)
          return {
            l2: vector.reduce((sum, x, i) => sum + (x - (query[i] as number)) ** 2, 0),
            dot: vector.reduce((sum, x, i) => sum + x * (query[i] as number), 0),
            norm: vector.reduce((sum, x) => sum + x * x, 0),
          }
        })
        const out = new Float64Array(rows)
        const close = (value: 'l2' | 'dot' | 'norm') =>
          out.forEach((got, row) => expect(got).toBeCloseTo(expected[row]?.[value] as number, 2))
        squaredDistances(query, pages, out)
        close('l2')
        dotProducts(query, pages, out)
        close('dot')
        squaredNorms(pages, out)
        close('norm')
      }),
    )
  })

  it('gives equal rows equal distances at every position', () => {
    const vector = Float32Array.from({ length: 37 }, (_, i) => Math.fround(Math.sin(i * 1.7)))
    const query = Float32Array.from({ length: 37 }, (_, i) => Math.fround(Math.cos(i * 0.3)))
    const data = new Float32Array(120 * 3)
    const pages = { data, rowCount: 7, dimension: 37, rowsPerPage: 3, pageFloats: 120 }
    for (let row = 0; row < 7; row++) data.set(vector, Math.floor(row / 3) * 120 + (row % 3) * 37)
    const out = new Float64Array(7)
    for (const kernel of [squaredDistances, dotProducts]) {
      kernel(query, pages, out)
      expect(new Set(out).size).toBe(1)
    }
  })
})
