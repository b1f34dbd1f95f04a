import { describe, expect, it } from 'vitest'
import { runBatch } from './batch.ts'
import { CAUGHT_BY, FOUND, NEEDS_NO_LEASE } from './caught-by.ts'
import { MUTANTS } from './mutants.ts'

describe('fixed seeds', () => {
  it.each([0, 1] as const)(
    'keep every promise, without leases: %i',
    async (withoutLease) => {
      const { failures, histories } = await runBatch({
        firstSeed: 1,
        histories: 60,
        overrides: { withoutLease },
        stopAtFailure: false,
      })
      expect(failures).toEqual([])
      expect(histories).toBe(60)
    },
    240_000,
  )
})

describe('histories that provoke a broken copy', () => {
  const provoked = new Map(
    MUTANTS.flatMap(({ provokedBy }) => (provokedBy ? [[JSON.stringify(provokedBy), provokedBy]] : [])),
  )
  it.each([...provoked])(
    '%s',
    async (_, overrides) => {
      const { failures } = await runBatch({ firstSeed: 80_000_000, histories: 1, overrides, stopAtFailure: true })
      expect(failures).toEqual([])
    },
    60_000,
  )
})

describe('seeds that caught a broken copy', () => {
  it.each(Object.entries(CAUGHT_BY))(
    '%s',
    async (name, seed) => {
      const overrides = NEEDS_NO_LEASE.has(name) ? { withoutLease: 1 } : {}
      const { failures } = await runBatch({ firstSeed: seed, histories: 1, overrides, stopAtFailure: true })
      expect(failures).toEqual([])
    },
    60_000,
  )

  it.each(FOUND)(
    'and those that found mistakes of ours: $seed',
    async ({ seed, withoutLease }) => {
      const overrides = { withoutLease }
      const { failures } = await runBatch({ firstSeed: seed, histories: 1, overrides, stopAtFailure: true })
      expect(failures).toEqual([])
    },
    60_000,
  )
})
