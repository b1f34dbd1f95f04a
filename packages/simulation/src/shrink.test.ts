import { describe, expect, it } from 'vitest'
import { drawPlan, SHRINKABLE } from './plan.ts'
import { shrink } from './shrink.ts'

describe('shrinking', () => {
  it('finds a smaller plan that breaks the same promise', async () => {
    // A history that is cut off does not come to rest, which is a violation like any other.
    const from = { maxEvents: 400 }
    const { overrides } = await shrink(3, from, 'rest', 20_000)
    const sizeOf = (numbers: Record<string, number>) => {
      const plan = drawPlan(3, numbers)
      return SHRINKABLE.reduce((sum, name) => sum + (plan[name] as number), 0)
    }
    expect(sizeOf({ ...from, ...overrides } as Record<string, number>)).toBeLessThan(sizeOf(from))
  }, 120_000)
})
