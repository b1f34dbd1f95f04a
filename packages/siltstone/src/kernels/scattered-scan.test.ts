import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dotProducts, squaredDistances, squaredNorms } from './page-scan.ts'
import { scatteredDotProducts, type ScatteredRows, scatteredSquaredDistances } from './scattered-scan.ts'

const float = fc.float({ min: -8, max: 8, noNaN: true })

describe('kernels over scattered rows', () => {
  it('give the same results as those over pages, to the last bit', () => {
    const shapes = fc.tuple(fc.integer({ min: 1, max: 19 }), fc.integer({ min: 1, max: 4 }))
    const picks = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 9 })
    fc.assert(
      fc.property(shapes, picks, fc.infiniteStream(float), ([dimension, rowsPerPage], picked, numbers) => {
        const next = () => numbers.next().value as number
        const query = Float32Array.from({ length: dimension }, next)
        const blocks = Array.from({ length: 4 }, () => Float32Array.from({ length: rowsPerPage * dimension }, next))
        const rows: ScatteredRows = {
          dimension,
          blocks: picked.map(([page]) => blocks[page] as Float32Array),
          starts: picked.map(([, row]) => (row % rowsPerPage) * dimension),
        }
        const flat = Float32Array.from(
          rows.blocks.flatMap((block, i) => [
            ...block.subarray(rows.starts[i], (rows.starts[i] as number) + dimension),
          ]),
        )
        const count = picked.length
        const pages = {
          data: flat,
          rowCount: count,
          dimension,
          rowsPerPage: Math.max(1, count),
          pageFloats: flat.length,
        }
        const out = () => new Float64Array(count)
        const [distances, dots, norms, expected, expectedNorms] = [out(), out(), out(), out(), out()]
        scatteredSquaredDistances(query, rows, distances)
        squaredDistances(query, pages, expected)
        expect(distances).toEqual(expected)

        scatteredDotProducts(query, rows, dots, norms)
        dotProducts(query, pages, expected)
        squaredNorms(pages, expectedNorms)
        expect([dots, norms]).toEqual([expected, expectedNorms])
      }),
    )
  })
})
