import { describe, expect, it } from 'vitest'
import { mostDiverse } from './diversify.ts'
import { combinedExamples } from './examples.ts'

const pause = async () => {}
const vectors = [
  [1, 0],
  [1, 0.01],
  [0, 1],
  [-1, 0],
].map((vector) => Float32Array.from(vector))

describe('maximal marginal relevance', () => {
  it.each<[lambda: number, order: number[]]>([
    [1, [0, 1, 2, 3]],
    // Nothing was chosen before the first; then the least like.
    [0, [0, 3, 2, 1]],
    [0.7, [0, 2, 1, 3]],
  ])('with λ %f chooses %j', async (lambda, order) => {
    expect(await mostDiverse([0, 0.1, 0.3, 1], vectors, { lambda }, 4, pause)).toEqual(order)
    expect(await mostDiverse([0, 0.1, 0.3, 1], vectors, { lambda }, 2, pause)).toEqual(order.slice(0, 2))
  })

  it('takes equal scores, no vectors and vectors of length 0', async () => {
    expect(await mostDiverse([2, 2, 2], [null, Float32Array.of(0, 0), null], { lambda: 0.5 }, 5, pause)).toEqual([
      0, 1, 2,
    ])
    expect(await mostDiverse([], [], { lambda: 0.5 }, 5, pause)).toEqual([])
  })
})

describe('a query from examples', () => {
  it('is the mean, moved away from what it is not to be like', () => {
    const of = (...numbers: number[]) => Float32Array.from(numbers)
    expect(combinedExamples([of(2, 0), of(0, 4)], [], 'l2')).toEqual(of(1, 2))
    expect(combinedExamples([of(2, 0), of(0, 4)], [of(1, 1)], 'l2')).toEqual(of(1, 3))
    expect(combinedExamples([of(2, 0), of(0, 4)], [], 'cosine')).toEqual(of(0.5, 0.5))
    expect(combinedExamples([of(0, 0)], [], 'cosine')).toEqual(of(0, 0))
  })
})
