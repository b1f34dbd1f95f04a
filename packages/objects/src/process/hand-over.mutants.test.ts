/** Hand-overs that are wrong: the property of processing notices each. */
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type * as Decide from './decide.ts'
import type * as HandOver from './hand-over.ts'
import { processProperty } from './testing/process-property.ts'
import { CONTENTS, type Step } from './testing/process-run.ts'

type Facts = Decide.Facts
type Tell = typeof HandOver.tell

const mutant = vi.hoisted(() => ({
  facts: (facts: Decide.Facts): Decide.Facts => facts,
  tell: (tell: typeof HandOver.tell): typeof HandOver.tell => tell,
  isAllOurs: false,
  hasNoneAbove: false,
}))
const right = { ...mutant }
vi.mock('./decide.ts', async (original) => {
  const { decide, ...others } = await original<typeof Decide>()
  return { ...others, decide: (facts: Facts) => decide(mutant.facts(facts)) }
})
vi.mock('./hand-over.ts', async (original) => {
  const actual = await original<typeof HandOver>()
  class Tiers extends actual.Tiers {
    override ofObject(processor: string, sizeBytes: number) {
      return mutant.isAllOurs ? undefined : super.ofObject(processor, sizeBytes)
    }
    override above(state: Parameters<HandOver.Tiers['above']>[0]) {
      return mutant.hasNoneAbove ? undefined : super.above(state)
    }
  }
  const tell: Tell = (...call) => mutant.tell(actual.tell)(...call)
  return { ...actual, Tiers, tell }
})
afterEach(() => void Object.assign(mutant, right))

const untilMs =
  (change: (untilMs: number) => number) =>
  ({ state, ...facts }: Facts): Facts => ({
    ...facts,
    state: state && {
      ...state,
      handOver: state.handOver && { ...state.handOver, untilMs: change(state.handOver.untilMs) },
    },
  })

const RECORDING = 'media\nseven'
const TAKES_LONG = 'slow\none'

/** An object is looked at by a function. */
const looked = (content: (typeof CONTENTS)[number]): Step[] => [
  { do: 'put', key: 0, content: CONTENTS.indexOf(content) },
  { do: 'begin', actor: 0, key: 0 },
  { do: 'step', actor: 0, times: 500, choice: 0 },
]
const again: Step[] = [
  { do: 'begin', actor: 0, key: 0 },
  { do: 'step', actor: 0, times: 500, choice: 0 },
]

const MUTANTS: Record<string, { change: Partial<typeof mutant>; steps: Step[] }> = {
  'what was told and lost is not told again': {
    change: { facts: untilMs((ms) => (ms === 0 ? 0 : Number.POSITIVE_INFINITY)) },
    steps: [...looked(RECORDING), { do: 'deliver', lost: true }],
  },
  'a tier is told again while the object is in its hands': {
    change: { facts: untilMs((ms) => Math.max(0, ms - 9 * 60_000)) },
    steps: [...looked(RECORDING), { do: 'wait', ms: 61_000 }, ...again],
  },
  'a tier is told before the state says so': {
    change: {
      tell: (tell) => async (read, decision, parts) => {
        const { bucket, key, run } = read.state
        await parts.recipient({ bucket, key, id: `early-${run}-1` })
        await tell(read, decision, { ...parts, recipient: async () => undefined })
      },
    },
    steps: looked(RECORDING),
  },
  'the work of a worker that stalls is not fenced off when another one is told': {
    change: {
      tell: (tell) => (read, decision, parts) => {
        const { states } = parts
        const write: typeof states.write = (state, replaced) => states.write({ ...state, mustFence: false }, replaced)
        return tell(read, decision, { ...parts, states: { write } as typeof states })
      },
    },
    steps: [
      ...looked(RECORDING),
      { do: 'deliver', lost: false },
      { do: 'stepTo', actor: 1, request: 'commitIf' },
      { do: 'wait', ms: 61_000 },
      ...again,
      { do: 'put', key: 0, content: 0 },
      ...again,
      { do: 'step', actor: 1, times: 500, choice: 0 },
    ],
  },
  'a function works on recordings': { change: { isAllOurs: true }, steps: looked(RECORDING) },
  'what a function cannot do in its time is given up': { change: { hasNoneAbove: true }, steps: looked(TAKES_LONG) },
}

describe('the property of processing notices that', () => {
  it.each(Object.entries(MUTANTS))('%s', async (_, { change, steps }) => {
    const check = async () => (await fc.check(processProperty(), { examples: [[steps]], numRuns: 1 })).failed
    expect(await check()).toBe(false)
    Object.assign(mutant, change)
    expect(await check()).toBe(true)
  })
})
