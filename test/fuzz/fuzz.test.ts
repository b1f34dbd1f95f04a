/** A fixed number of the same inputs each time; `npm run fuzz` runs for a given time. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Allocations, watchAllocations } from './allocations.ts'
import { expectedOf, newTally, runCase } from './target.ts'
import { allTargets } from './targets.ts'

const SEED = 20_261_121
const RUNS = 400
const SLOW_RUNS = 40

const targets = await allTargets()
let allocations: Allocations
beforeAll(() => {
  allocations = watchAllocations()
})
afterAll(() => allocations.stop())

describe('damaged and malicious bytes', () => {
  it.each(targets.map((target) => [target.name, target] as const))('%s', async (_, target) => {
    const expected = await expectedOf(target)
    const tally = newTally()
    const runs = target.slow === true ? SLOW_RUNS : RUNS
    for (let iteration = 0; iteration < runs; iteration++)
      await runCase({ target, seed: SEED, iteration }, expected, allocations, tally)
    expect(tally.answers + tally.errors).toBe(runs)
    // If all changes were noticed at the first byte, nothing behind it would be tested.
    const mayBeAnswered = !target.guarded || target.canReseal === true
    if (target.slow !== true && mayBeAnswered) expect(tally.answers).toBeGreaterThan(0)
  })
})

describe('the harness', () => {
  const broken = (parse: () => unknown) => ({ name: 'x', seeds: [new Uint8Array(8)], kinds: [], guarded: true, parse })
  const run = (target: Parameters<typeof expectedOf>[0]) =>
    runCase({ target, seed: 1, iteration: 1 }, [1], allocations, newTally())

  it('finds other errors, other answers, and memory that is taken on trust', async () => {
    await expect(run(broken(() => 1))).resolves.toBeUndefined()
    await expect(run(broken(() => 2))).rejects.toThrow('another answer')
    await expect(
      run(
        broken(() => {
          throw new TypeError('oops')
        }),
      ),
    ).rejects.toThrow('oops')
    await expect(
      run(
        broken(() => {
          void new Uint8Array(1e8)
          return 1
        }),
      ),
    ).rejects.toThrow('100000000 bytes')
  })
})
