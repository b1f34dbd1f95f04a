/** What every answer of a search must keep, and what one that looks at everything must. */
import { expect } from 'vitest'
import { ask, faults, plainNearest, rounding, type SearchWorld } from './search-world.ts'

const EVERYTHING = { fixed: { clusters: 1e9, deviations: Number.POSITIVE_INFINITY } }

/** Looking at everything, the index answers what an exact search does, which answers what the plain computation does. */
export async function checkWhole(world: SearchWorld, k: number, share: number): Promise<{ clusters: number }> {
  const query = world.query()
  const exact = await ask(world, query, k, share, { exact: true })
  expect(faults(world, exact.hits, { query, k, share })).toEqual([])
  const nearest = plainNearest(world, query, share).slice(0, k)
  for (const [i, [, distance]] of nearest.entries())
    expect(Math.abs((exact.hits.distances[i] as number) - distance)).toBeLessThanOrEqual(rounding(world))
  expect(exact.explanation).toMatchObject({ clusters: 0, entries: 0, candidates: 0, measured: 0 })
  const whole = await ask(world, query, k, share, EVERYTHING)
  // Records at the same distance too: the older segment comes first, then the lower row, then what the log holds.
  expect(whole.hits).toEqual(exact.hits)
  const { freshRecords, scannedRows, measured } = whole.explanation
  expect(freshRecords).toBe(exact.explanation.freshRecords)
  const admitted = exact.explanation.freshRecords + exact.explanation.scannedRows
  expect(admitted).toBe(plainNearest(world, query, share).length)
  expect(freshRecords + scannedRows + measured).toBe(admitted)
  const usual = await ask(world, query, k, share)
  expect(faults(world, usual.hits, { query, k, share })).toEqual([])
  return whole.explanation
}
