import { describe, expect, it } from 'vitest'
import { runHistory } from './history.ts'

const SEEDS = [1, 2, 3, 4, 5, 6]

describe('a history', () => {
  it('is the same each time, independent of earlier histories', async () => {
    const first = new Map<number, { hash: string; events: number }>()
    for (const seed of SEEDS) {
      const { traceHash, events } = await runHistory(seed)
      first.set(seed, { hash: traceHash, events })
    }
    for (const seed of SEEDS.toReversed()) {
      const { traceHash, events } = await runHistory(seed, {}, true)
      expect({ hash: traceHash, events }).toEqual(first.get(seed))
    }
    expect(new Set([...first.values()].map(({ hash }) => hash)).size).toBe(SEEDS.length)
  }, 120_000)

  it('differs with another salt, or with one number of the plan less', async () => {
    const { traceHash } = await runHistory(1)
    expect((await runHistory(1, { salt: 1 })).traceHash).not.toBe(traceHash)
    expect((await runHistory(1, { operations: 1 })).traceHash).not.toBe(traceHash)
    await expect(runHistory(1, { nonsense: 1 })).rejects.toThrow('a plan has no number "nonsense"')
  }, 120_000)
})
