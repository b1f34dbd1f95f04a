/** Decisions that are wrong about the end of an object, or about what is shown early: the property of processing notices each. */
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type * as Decide from './decide.ts'
import type * as Early from './early.ts'
import { processProperty } from './testing/process-property.ts'
import type { Step } from './testing/process-run.ts'

type Facts = Decide.Facts

const mutant = vi.hoisted(() => ({ change: (facts: Decide.Facts): Decide.Facts => facts }))
vi.mock('./decide.ts', async (original) => {
  const { decide, ...others } = await original<typeof Decide>()
  return { ...others, decide: (facts: Facts) => decide(mutant.change(facts)) }
})
const early = vi.hoisted(() => ({ keepsOld: false, always: false }))
vi.mock('./early.ts', async (original) => {
  const { firstPublished, publishesEarly } = await original<typeof Early>()
  return {
    firstPublished: (...given: Parameters<typeof firstPublished>) =>
      early.keepsOld ? [...given[0]] : firstPublished(...given),
    publishesEarly: (...given: Parameters<typeof publishesEarly>) => early.always || publishesEarly(...given),
  }
})
afterEach(() => {
  mutant.change = (facts) => facts
  Object.assign(early, { keepsOld: false, always: false })
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

/** A worker that has shown some lines of an object early, and no more. */
const shown: Step[] = [
  { do: 'begin', actor: 1, key: 0 },
  { do: 'stepTo', actor: 1, request: 'commitIf' },
  { do: 'step', actor: 1, times: 1, choice: 0 },
]
const EARLY: Record<string, { change: Partial<typeof early>; steps: Step[] }> = {
  'what is shown early stands beside the records of the version before': {
    change: { keepsOld: true },
    steps: [...processed(0), { do: 'put', key: 0, content: 9 }, ...shown],
  },
  'what is only processed again is shown in part': {
    change: { always: true },
    steps: [
      { do: 'put', key: 0, content: 7 },
      ...processed(0).slice(1),
      { do: 'replay', key: 0, content: 0 },
      ...shown,
    ],
  },
}

const fails = async (steps: Step[]) => (await fc.check(processProperty(), { examples: [[steps]], numRuns: 1 })).failed

describe('the property of processing notices that', () => {
  it.each(Object.entries(EARLY))('%s', async (_, { change, steps }) => {
    expect(await fails(steps)).toBe(false)
    Object.assign(early, change)
    expect(await fails(steps)).toBe(true)
  })

  it.each(Object.entries(MUTANTS))('%s', async (_, { change, steps }) => {
    expect(await fails(steps)).toBe(false)
    mutant.change = change
    expect(await fails(steps)).toBe(true)
  })
})
