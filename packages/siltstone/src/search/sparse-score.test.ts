import { describe, expect, it } from 'vitest'
import { idfOf as exactIdfOf, sparseWeights as weightsOf } from '../words/score.ts'
import { sparseScore } from './sparse-score.ts'

const idfOf = (records: number, having: number) => Math.fround(exactIdfOf(records, having))

describe('sparse scores', () => {
  it('are 1 − dot in 32-bit floats, of shared dimensions alone', () => {
    const vector = { indices: [1, 5, 4_294_967_295], values: [0.1, 2, 3] }
    expect(sparseScore([1, 5], weightsOf([0.7, 0.3]), vector)).toBe(
      Math.fround(
        1 -
          Math.fround(
            Math.fround(Math.fround(0.7) * Math.fround(0.1)) + Math.fround(Math.fround(0.3) * Math.fround(2)),
          ),
      ),
    )
    expect(sparseScore([4_294_967_295], weightsOf([1]), vector)).toBe(-2)
    expect(sparseScore([2, 6], weightsOf([1, 1]), vector)).toBeUndefined()
    expect(sparseScore([], weightsOf([]), vector)).toBeUndefined()
    expect(sparseScore([5], weightsOf([0]), vector)).toBe(1)
  })

  it('weight by ln(1 + (N − n + 0.5) / (n + 0.5)); no dimension is in more records than there are', () => {
    expect(idfOf(4, 1)).toBe(Math.fround(Math.log(1 + 3.5 / 1.5)))
    expect(idfOf(0, 0)).toBe(Math.fround(Math.log(2)))
    expect(idfOf(3, 9)).toBe(idfOf(3, 3))
    expect([...weightsOf([2], { records: 4, having: [1] })]).toEqual([Math.fround(2 * idfOf(4, 1))])
  })
})
