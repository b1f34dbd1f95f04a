import { expect, it } from 'vitest'
import { BodyBudget } from './body-budget.ts'

const MB = 1024 * 1024

it('holds the sum of large bodies, and gives it back', () => {
  const budget = new BodyBudget(100 * MB)
  const open = [1, 2].map(() => {
    const reservation = budget.open()
    reservation.grow(40 * MB)
    return reservation
  })
  const third = budget.open()
  expect(() => third.grow(40 * MB)).toThrow(
    expect.objectContaining({ kind: 'unavailable', code: 'bodies-in-flight', retryAfterMs: 1_000 }),
  )
  expect(budget.usedBytes).toBe(80 * MB)
  third.grow(20 * MB)
  expect(() => third.grow(1)).toThrow(/maxBodiesBytes/)
  budget.open().grow(64 * 1024)
  for (const reservation of [...open, third, third]) reservation.release()
  expect(budget.usedBytes).toBe(64 * 1024)
})

it('takes a body that is larger than all of it when it is alone', () => {
  const budget = new BodyBudget(MB)
  const alone = budget.open()
  alone.grow(2 * MB)
  expect(() => budget.open().grow(MB / 2)).toThrow()
  alone.grow(MB)
})
