import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { SegmentRef } from '../format/manifest.ts'
import { defaultCompactLimits } from './compact-limits.ts'
import { planMerges } from './merge-plan.ts'
import { bytesOf, NO_OTHERS, type Others } from './merge-share.ts'

const MB = 1024 * 1024
const limits = { ...defaultCompactLimits, stepBytes: 4_096 * MB }

function segment(id: string, sizeBytes: number): SegmentRef {
  const rows = Math.ceil(sizeBytes / 2_000)
  return {
    segment: { id, rows, dimension: 384, sizeBytes, sections: [] } as unknown as SegmentRef['segment'],
    deletions: null,
    overlays: [],
  }
}

const segments = (count: number, sizeBytes: number, name = 's') =>
  Array.from({ length: count }, (_, i) => segment(`${name}${i}`, sizeBytes))

const plansOf = (refs: readonly SegmentRef[], others: Others) => planMerges(refs, limits, () => true, others)
const counts = (refs: readonly SegmentRef[], others: Others) => plansOf(refs, others).map(({ inputs }) => inputs.length)
const tierOf = (sizeBytes: number) => Math.max(0, Math.ceil(Math.log(sizeBytes / limits.tierBaseBytes) / Math.log(4)))

const waits: Others = { mergingBytes: [], waiting: 1 }

describe('a long tier', () => {
  it('is one step for a process that is alone, and several for several', () => {
    const refs = segments(12, 60 * MB)
    expect(counts(refs, NO_OTHERS)).toEqual([12])
    expect(counts(refs, waits)).toEqual([6, 6])
    expect(counts(refs, { mergingBytes: [300 * MB, 400 * MB], waiting: 0 })).toEqual([4, 4, 4])
  })

  it('is not shared with a process that has more to do than all of it', () => {
    expect(counts(segments(8, 60 * MB), { mergingBytes: [960 * MB], waiting: 0 })).toEqual([8])
    expect(counts(segments(8, 60 * MB), { mergingBytes: [959 * MB], waiting: 0 })).toEqual([4, 4])
  })

  it('is not divided into steps whose results would stay in it', () => {
    // Of 65 MB, three are needed for more than 256 MB / 4 × 4: a pair of them has 130 MB, in the same tier as 65 MB.
    expect(counts(segments(7, 65 * MB), waits)).toEqual([7])
    expect(counts(segments(8, 65 * MB), waits)).toEqual([4, 4])
    expect(counts(segments(4, 60 * MB), waits)).toEqual([2, 2])
  })

  it('is not divided if the next tier would be due because of it', () => {
    const next = segments(2, 200 * MB, 'next')
    expect(counts([...next, ...segments(4, 60 * MB)], waits)).toEqual([4])
    // It is due in any case.
    expect(counts([...next, ...segments(1, 200 * MB, 'third'), ...segments(4, 60 * MB)], waits)).toEqual([2, 2])
  })

  it('gives steps that are disjoint, complete, of about equal size, and whose results are in a higher tier', () => {
    const size = fc.integer({ min: 1, max: 300 }).map((tenths) => (tenths * MB) / 10 + 10 * MB)
    const others = fc.record({
      mergingBytes: fc.array(fc.integer({ min: 0, max: 500 * MB }), { maxLength: 3 }),
      waiting: fc.integer({ min: 0, max: 1 }),
    })
    fc.assert(
      fc.property(fc.array(size, { maxLength: 24 }), others, (sizes, company) => {
        const refs = sizes.map((sizeBytes, i) => segment(`s${i}`, sizeBytes))
        const alone = plansOf(refs, NO_OTHERS)
        const plans = plansOf(refs, company)
        const ids = (some: typeof plans) => some.flatMap(({ inputs }) => inputs.map(({ segment: { id } }) => id))
        expect(ids(plans).toSorted()).toEqual(ids(alone).toSorted())
        for (const { inputs } of plans) {
          expect(inputs.length).toBeGreaterThan(1)
          expect(tierOf(bytesOf(inputs))).toBeGreaterThan(tierOf(Math.max(...inputs.map((ref) => bytesOf([ref])))))
        }
        for (const join of alone) {
          const parts = plans.filter(({ inputs }) => inputs.some((ref) => join.inputs.includes(ref)))
          const sorted = parts.map(({ inputs }) => bytesOf(inputs)).sort((a, b) => a - b)
          const largest = Math.max(...join.inputs.map((ref) => bytesOf([ref])))
          expect((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)).toBeLessThanOrEqual(largest)
        }
      }),
    )
  })
})
