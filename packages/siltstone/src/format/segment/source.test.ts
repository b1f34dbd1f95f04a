import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eachAtMost, readAhead, stretches } from './source.ts'

describe('readAhead', () => {
  it('is one read ahead, in order', async () => {
    const started: number[] = []
    const seen: string[] = []
    for await (const value of readAhead((n) => (n < 3 ? (started.push(n), Promise.resolve(n)) : undefined))) {
      seen.push(`${value} after ${started.length}`)
    }
    expect(seen).toEqual(['0 after 2', '1 after 3', '2 after 3'])
  })

  const failing = (n: number): Promise<number> => (n === 1 ? Promise.reject(new Error('disk')) : Promise.resolve(n))

  it('a failure waits for the consumer and is no unhandled rejection', async () => {
    const seen: number[] = []
    const consume = async (): Promise<void> => {
      for await (const value of readAhead(failing)) {
        seen.push(value)
        await sleep(5)
      }
    }
    await expect(consume()).rejects.toThrow('disk')
    expect(seen).toEqual([0])
  })

  it('a consumer may stop before a failure', async () => {
    for await (const value of readAhead(failing)) {
      expect(value).toBe(0)
      break
    }
    await sleep(5)
  })
})

describe('stretches', () => {
  const start = (i: number): number => i * 10

  it('joins what is near, up to the limit', () => {
    expect(stretches([0, 1, 3, 9], start, 10, 1000)).toEqual([
      { first: 0, end: 4 },
      { first: 9, end: 10 },
    ])
    expect(stretches([0, 1, 2, 3], start, 0, 20)).toEqual([
      { first: 0, end: 2 },
      { first: 2, end: 4 },
    ])
    expect(stretches([], start, 0, 20)).toEqual([])
  })
})

describe('eachAtMost', () => {
  it('bounds what runs at once and starts nothing after a failure', async () => {
    let running = 0
    let most = 0
    const done: number[] = []
    const task = async (n: number): Promise<void> => {
      most = Math.max(most, ++running)
      await sleep(1)
      running--
      if (n === 5) throw new Error('five')
      done.push(n)
    }
    await expect(eachAtMost([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 2, task)).rejects.toThrow('five')
    expect(most).toBe(2)
    expect(running).toBe(0)
    expect(done).not.toContain(10)
  })
})
