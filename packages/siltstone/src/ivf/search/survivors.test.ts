import { expect, it } from 'vitest'
import { Survivors } from './survivors.ts'

/** Candidates 0, 1, … at distances 1, 2, …, known to ± 0.5. */
const candidates = Array.from({ length: 8 }, (_, tag) => ({ tag, lower: tag + 0.5, upper: tag + 1.5 }))

it('has twice k likeliest, and the others follow', () => {
  const survivors = new Survivors(candidates, { k: 2, space: 'l2', lateWidening: 1 })
  expect(survivors.likeliest()).toEqual([0, 1, 2, 3])
  expect(survivors.othersWithin(Number.POSITIVE_INFINITY)).toEqual([4, 5, 6, 7])
  expect(survivors.all()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})

it('leaves out the others whose interval ends before the distance, widened as asked', () => {
  const within = (lateWidening: number, distance: number) =>
    new Survivors(candidates, { k: 1, space: 'ip', lateWidening }).othersWithin(distance)
  expect(within(1, 4.5)).toEqual([2, 3, 4])
  expect(within(1, 4.4)).toEqual([2, 3])
  expect(within(2, 4.4)).toEqual([2, 3, 4])
  expect(within(2, 3.9)).toEqual([2, 3])
})

it('compares cosine as the squared distance of unit vectors, which is twice as large', () => {
  const survivors = new Survivors(candidates, { k: 1, space: 'cosine', lateWidening: 1 })
  expect(survivors.othersWithin(2.25)).toEqual([2, 3, 4])
})
