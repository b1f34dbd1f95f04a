import { expect, it } from 'vitest'
import { RealQueries } from './real-queries.ts'

it('keeps the newest queries, as they were', () => {
  const queries = new RealQueries()
  expect(queries.newest(5)).toEqual([])
  const vectors = Array.from({ length: 3 }, (_, i) => Float32Array.of(i))
  queries.add(vectors)
  vectors[2]?.fill(99)
  expect(queries.newest(2).map(([x]) => x)).toEqual([2, 1])
  expect(queries.newest(10).map(([x]) => x)).toEqual([2, 1, 0])
  queries.add(Array.from({ length: 1_000 }, (_, i) => Float32Array.of(i)))
  const all = queries.newest(1_000).map(([x]) => x)
  expect(all).toEqual(Array.from({ length: 400 }, (_, i) => 999 - i))
})
