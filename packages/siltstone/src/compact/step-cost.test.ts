import { expect, it } from 'vitest'
import type { SegmentRef } from '../format/manifest.ts'
import { defaultCompactLimits as limits } from './compact-limits.ts'
import { fitting, type MergePlan, planFullMerge, planMerges } from './merge-plan.ts'
import { liveBytes, liveRows, partOf, shortageOf, stepCost } from './step-cost.ts'

const MB = 1024 * 1024

/** A segment of vectors alone, with some bytes of texts per row. */
function segment(id: string, sizeBytes: number, dimension = 768, deletedShare = 0): SegmentRef {
  const rows = Math.floor(sizeBytes / (4 * dimension + 400))
  const deleted = Math.floor(rows * deletedShare)
  const sections = [{ name: 'documents', length: rows * 200 }]
  return {
    segment: { id, rows, dimension, sizeBytes, sections } as unknown as SegmentRef['segment'],
    deletions: deleted === 0 ? null : { count: deleted },
    overlays: [],
  }
}

const ids = (refs: readonly SegmentRef[] = []) => refs.map(({ segment: { id } }) => id)

it.each([8, 128, 768, 4_096])(
  'a step of 1 GiB fits into an invocation of 840 s, 10 GB of disk and 1.5 GB: %i',
  (dimension) => {
    const step = segment('a', limits.stepBytes, dimension)
    const rows = Math.min(step.segment.rows, limits.stepRows)
    const cost = stepCost([{ ...step, segment: { ...step.segment, rows } }], limits.pace)
    expect(cost.timeMs * 1.5).toBeLessThan(840_000)
    expect(cost.memoryBytes).toBeLessThan(1_500e6)
    expect(cost.scratchBytes).toBeLessThan(9e9)
  },
)

it('counts what would lie on a scratch disk as memory when there is none', () => {
  const inputs = [segment('a', 100 * MB), segment('b', 100 * MB)]
  const [on, without] = [stepCost(inputs, limits.pace), stepCost(inputs, limits.pace, false)]
  expect(without.scratchBytes).toBe(0)
  expect(without.memoryBytes).toBe(on.memoryBytes + on.scratchBytes)
})

it('plans no step beyond the bounds, and cuts what is much larger by rows', () => {
  const large = segment('large', 1_100 * MB)
  const halves = ['a', 'b', 'c', 'd'].map((id) => segment(id, 300 * MB))
  const [plan, ...others] = planMerges([large, ...halves], limits)
  expect(ids(plan?.inputs)).toEqual(['a', 'b', 'c'])
  expect(others).toEqual([])
  expect(
    planMerges(
      ['a', 'b', 'c', 'd'].map((id) => segment(id, 600 * MB)),
      limits,
    ),
  ).toEqual([])
  expect(planMerges([segment('a', 1_200 * MB)], limits)).toEqual([])
  const huge = segment('a', 16_000 * MB, 768, 0.35)
  const [peel, ...more] = planMerges([huge], limits)
  expect(peel).toMatchObject({ why: 'peel', inputs: [huge] })
  expect(more).toEqual([])
  const part = partOf(huge, peel?.rows ?? 0)
  expect(liveBytes(part)).toBeGreaterThan(0.85 * limits.stepBytes)
  expect(liveBytes(part)).toBeLessThanOrEqual(limits.stepBytes)
  expect(stepCost([part], limits.pace).timeMs * 1.5).toBeLessThan(840_000)
  // What cannot become smaller is left alone.
  const single = segment('a', 2_000 * MB)
  expect(planMerges([{ ...single, segment: { ...single.segment, rows: 1 } }], limits)).toEqual([])
})

it('merges in full by steps, and rewrites nothing that is whole', () => {
  const refs = [segment('a', 700 * MB), segment('b', 200 * MB), segment('c', 600 * MB)]
  expect(planFullMerge(refs, limits).map(({ inputs }) => ids(inputs))).toEqual([['b', 'c']])
  expect(planFullMerge([segment('a', 700 * MB), segment('b', 800 * MB)], limits)).toEqual([])
  const [plan] = planFullMerge([segment('a', 700 * MB), segment('b', 800 * MB, 768, 0.1)], limits)
  expect(ids(plan?.inputs)).toEqual(['b'])
})

it('takes the largest inputs out until the rest fits, and keeps two', () => {
  const refs = [segment('a', 200 * MB), segment('b', 100 * MB), segment('c', 120 * MB), segment('d', 110 * MB)]
  const plans = planMerges(refs, { ...limits, tierBaseBytes: 1_000 * MB })
  const costOf = (inputs: readonly SegmentRef[]) => stepCost(inputs, limits.pace)
  const at = (timeMs: number) =>
    fitting(plans, { timeMs, memoryBytes: Infinity, scratchBytes: Infinity }, ({ inputs }) => costOf(inputs))
  const timeOf = (...names: string[]) => costOf(refs.filter(({ segment: { id } }) => names.includes(id))).timeMs
  expect(at(timeOf('a', 'b', 'c', 'd'))).toMatchObject({ inputs: refs })
  expect(at(timeOf('b', 'c', 'd'))).toMatchObject({ inputs: refs.slice(1) })
  expect(at(timeOf('b', 'd'))).toMatchObject({ inputs: [refs[1], refs[3]] })
  expect(at(timeOf('b', 'd') - 1)).toMatchObject({ shortage: 'timeMs', plan: { inputs: [refs[1], refs[3]] } })
  expect(liveBytes(refs[0] as SegmentRef)).toBe(200 * MB)
})

it('makes the steps of a small machine smaller, by rows where it must, and refuses only what no step can do', () => {
  const machine = (timeMs: number) => {
    const room = { timeMs, memoryBytes: Infinity, scratchBytes: Infinity }
    return ({ inputs: [first], inputs, rows }: MergePlan) =>
      !shortageOf(stepCost(first && rows ? [partOf(first, rows)] : inputs, limits.pace), room)
  }
  const refs = ['a', 'b', 'c', 'd'].map((id) => segment(id, 100 * MB))
  const timeOf = (count: number) => stepCost(refs.slice(0, count), limits.pace).timeMs
  const plansIn = (timeMs: number) => planMerges(refs, { ...limits, fanIn: 4 }, machine(timeMs))
  expect(plansIn(timeOf(4)).map(({ inputs }) => ids(inputs))).toEqual([['a', 'b', 'c', 'd']])
  expect(plansIn(timeOf(3)).map(({ inputs }) => ids(inputs))).toEqual([['a', 'b', 'c']])
  expect(plansIn(timeOf(2) - 1)).toEqual([])
  expect(plansIn(limits.pace.fixedMs).map(({ inputs }) => ids(inputs))).toEqual([['a', 'b']])

  const deleted = segment('deleted', 100 * MB, 768, 0.4)
  const purgeIn = (timeMs: number, of: typeof planMerges = planMerges) => of([deleted], limits, machine(timeMs))
  const whole = stepCost([deleted], limits.pace).timeMs
  expect(purgeIn(whole)).toEqual([{ inputs: [deleted], why: 'purge' }])
  const [part] = purgeIn(0.8 * whole)
  expect(part).toMatchObject({ inputs: [deleted], why: 'purge', rows: Math.ceil(liveRows(deleted) / 2) })
  const full: typeof planMerges = (of, all, fits) => planFullMerge(of, all, undefined, fits)
  expect(purgeIn(0.8 * whole, full)).toEqual([{ ...part, why: 'full' }])
  // The least step is due all the same, and found not to fit.
  const [least] = purgeIn(0)
  expect(least?.rows).toBeLessThanOrEqual(1_000)
  expect(
    fitting([least as MergePlan], { timeMs: 0, memoryBytes: 1, scratchBytes: 1 }, ({ inputs }) =>
      stepCost(inputs, limits.pace),
    ),
  ).toMatchObject({ shortage: 'memoryBytes' })
})
