/** Decisions that are wrong about the end of an object: the property of processing notices each. */
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type * as Decide from './decide.ts'
import { processProperty } from './testing/process-property.ts'
import type { Step } from './testing/process-run.ts'

type Facts = Decide.Facts

const mutant = vi.hoisted(() => ({ change: (facts: Decide.Facts): Decide.Facts => facts }))
vi.mock('./decide.ts', async (original) => {
  const { decide } = await original<typeof Decide>()
  return { decide: (facts: Facts) => decide(mutant.change(facts)) }
})
afterEach(() => {
  mutant.change = (facts) => facts
})

const withoutExpiry = (facts: Facts): Facts => ({ ...facts, expiry: undefined })
const onlyDoneIsWhole = ({ state, ...facts }: Facts): Facts => ({
  ...facts,
  state: state && { ...state, isWhole: state.progress === 'done' },
})
const MONTH_MS = 31 * 24 * 3_600_000
/** An object of a key whose records stay after an expiry (0), or go with it (1), is processed by a worker. */
const processed = (key: number): Step[] => [
  { do: 'put', key, content: 3 },
  { do: 'begin', actor: 0, key },
  { do: 'step', actor: 0, times: 500, choice: 0 },
]

const MUTANTS: Record<string, { change: (facts: Facts) => Facts; steps: Step[] }> = {
  'the deletion of an object that is due counts as its expiry': {
    change: (facts) => ({ ...facts, deleted: facts.deleted === 'removed' ? undefined : facts.deleted }),
    steps: [...processed(0), { do: 'wait', ms: MONTH_MS }, { do: 'delete', key: 0, content: 0 }],
  },
  'records stay whatever the rule says': {
    change: (facts) => ({ ...facts, ...(facts.expiry && { expiry: { ...facts.expiry, keepsRecords: true } }) }),
    steps: [...processed(1), { do: 'expire', by: 'sweep', told: true }],
  },
  'records go whatever the rule says': {
    change: (facts) => ({ ...facts, ...(facts.expiry && { expiry: { ...facts.expiry, keepsRecords: false } }) }),
    steps: [...processed(0), { do: 'expire', by: 'sweep', told: true }],
  },
  'an expiry whose message is lost counts as a deletion': {
    change: withoutExpiry,
    steps: [...processed(0), { do: 'expire', by: 'sweep', told: false }],
  },
  'a replay of what was done counts as one of what was never made': {
    change: onlyDoneIsWhole,
    steps: [...processed(0), { do: 'expire', by: 'sweep', told: true }, { do: 'replay', key: 0, content: 0 }],
  },
  'a run that has begun counts as if it had written its records': {
    change: onlyDoneIsWhole,
    steps: [
      ...processed(0),
      { do: 'replay', key: 0, content: 0 },
      { do: 'begin', actor: 1, key: 0 },
      { do: 'stepTo', actor: 1, request: 'commitIf' },
      { do: 'expire', by: 'store', told: true },
    ],
  },
  'the records of a run that has failed are taken for whole': {
    change: ({ state, ...facts }) => ({ ...facts, state: state && { ...state, isWhole: state.object !== null } }),
    steps: [
      ...processed(0),
      { do: 'put', key: 0, content: 1 },
      { do: 'begin', actor: 1, key: 0 },
      { do: 'stepTo', actor: 1, request: 'commitIf' },
      { do: 'expire', by: 'store', told: true },
    ],
  },
}

describe('the property of processing notices that', () => {
  it.each(Object.entries(MUTANTS))('%s', async (_, { change, steps }) => {
    const check = async () => (await fc.check(processProperty(), { examples: [[steps]], numRuns: 1 })).failed
    expect(await check()).toBe(false)
    mutant.change = change
    expect(await check()).toBe(true)
  })
})
