import { expect, it, vi } from 'vitest'
import { BodyBudget } from './body-budget.ts'
import { readBody } from './json-body.ts'

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
  expect(() => budget.open().grow(MB / 2)).toThrow(/maxBodiesBytes/)
  alone.grow(MB)
})

it('counts what arrives where no length is announced, and refuses the chunk that is too much', async () => {
  const budget = new BodyBudget(MB)
  const chunked = (chunks: number, last: 'ends' | 'stays open') => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let i = 0; i < chunks; i++) controller.enqueue(new Uint8Array(MB / 4))
        if (last === 'ends') controller.close()
      },
    })
    const headers = { 'transfer-encoding': 'chunked' }
    return new Request('http://h', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
  }
  const open = budget.open()
  void readBody(chunked(3, 'stays open'), 40 * MB, open)
  await vi.waitFor(() => expect(budget.usedBytes).toBe((MB / 4) * 3))
  const fits = await readBody(chunked(1, 'ends'), 40 * MB, budget.open())
  expect(fits.length).toBe(MB / 4)
  await expect(readBody(chunked(1, 'ends'), 40 * MB, budget.open())).rejects.toMatchObject({ code: 'bodies-in-flight' })
  open.release()
  expect((await readBody(chunked(3, 'ends'), 40 * MB, budget.open())).length).toBe((MB / 4) * 3)
})
