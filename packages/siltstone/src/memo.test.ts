import { expect, it } from 'vitest'
import { memoize } from './memo.ts'

it('computes a value once, also for callers that come in the meantime', async () => {
  const store = new Map<string, Promise<number>>()
  let computed = 0
  const compute = async () => ++computed
  expect(await Promise.all([memoize(store, 'a', compute), memoize(store, 'a', compute)])).toEqual([1, 1])
  expect(await memoize(store, 'a', compute)).toBe(1)
  expect(await memoize(store, 'b', compute)).toBe(2)
})

it('does not keep a failure', async () => {
  const store = new Map<string, Promise<string>>()
  await expect(memoize(store, 'a', () => Promise.reject(new Error('not now')))).rejects.toThrow('not now')
  expect(store.size).toBe(0)
  expect(await memoize(store, 'a', async () => 'now')).toBe('now')
})
