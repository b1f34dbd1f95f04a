import { expect, it } from 'vitest'
import { seededRandom } from '../../ports/seeded-random.ts'
import { Points } from './points.ts'
import { holdOut } from './pseudo-queries.ts'
import { Work } from './work.ts'

const DIMENSION = 64

/** Rows that differ from one another, and behind them copies of one. */
function sampleOf(different: number, copies: number): Points {
  const random = seededRandom(4)
  const points = new Points(new Work(), different + copies, DIMENSION)
  const one = Float32Array.from({ length: DIMENSION }, () => random.next() - 0.5)
  const floats = Float32Array.from({ length: different * DIMENSION }, () => random.next() - 0.5)
  points.set(Float32Array.of(...floats, ...Array.from({ length: copies }, () => [...one]).flat()))
  return points
}

it('holds out rows that differ, and trains on all others', () => {
  const { held, trained } = holdOut(sampleOf(100, 900), 60)
  expect(held).toHaveLength(60)
  // Of the copies, one at most.
  expect(held.filter((row) => row >= 100).length).toBeLessThanOrEqual(1)
  expect([...held, ...trained].sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
})

it('holds out copies where there are too few others, and at most a tenth of all', () => {
  const { held } = holdOut(sampleOf(10, 990), 60)
  expect(new Set(held).size).toBe(60)
  expect(held.filter((row) => row < 10)).toHaveLength(10)
  expect(holdOut(sampleOf(200, 0), 60).held).toHaveLength(20)
  const few = holdOut(sampleOf(5, 0), 60)
  expect(few.held).toEqual(few.trained)
})
