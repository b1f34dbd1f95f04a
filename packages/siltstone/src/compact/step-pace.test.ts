import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { StepPace } from './step-pace.ts'

const assumed = { fixedMs: 1_000, bytesPerSecond: 100, rowsPerSecond: 200, multiplicationsPerSecond: 400 }

it('is the assumed one until a step was measured, and no step is too small to show what any step takes', () => {
  const pace = new StepPace(assumed)
  expect(pace).toMatchObject({ isMeasured: false, current: assumed })
  pace.ended(1_100, 30)
  expect(pace.isMeasured).toBe(false)
  expect(pace.current).toEqual({ ...assumed, fixedMs: 60 })
  pace.ended(1_100, 900)
  expect(pace.current.fixedMs).toBe(60)
})

it('follows the machine up and down', () => {
  const pace = new StepPace(assumed)
  pace.ended(11_000, 2_000)
  expect(pace.current).toEqual({
    fixedMs: 1_000,
    bytesPerSecond: 500,
    rowsPerSecond: 1_000,
    multiplicationsPerSecond: 2_000,
  })
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          workMs: fc.integer({ min: 500, max: 1e6 }),
          factor: fc.double({ min: 0.01, max: 50, noNaN: true }),
        }),
      ),
      fc.integer({ min: 500, max: 1e6 }),
      fc.double({ min: 0.01, max: 50, noNaN: true }),
      (before, workMs, factor) => {
        const changing = new StepPace(assumed)
        for (const step of before) changing.ended(1_000 + step.workMs, step.workMs * step.factor)
        const largest = Math.max(workMs, ...before.map((step) => step.workMs))
        // Steps as large as the largest of before outweigh it soon.
        for (let i = 0; i < 12; i++) changing.ended(1_000 + largest, largest * factor)
        const measured = assumed.bytesPerSecond / changing.current.bytesPerSecond
        expect(measured / factor).toBeGreaterThan(0.9)
        expect(measured).toBeLessThan(factor + 50 / 2 ** 11)
      },
    ),
  )
})

it('takes twice as long after each step that was cut off, until one ends', () => {
  const pace = new StepPace(assumed)
  pace.cut()
  pace.cut()
  expect(pace).toMatchObject({ isMeasured: false, current: { fixedMs: 1_000, bytesPerSecond: 25 } })
  pace.ended(11_000, 10_000)
  expect(pace.current.bytesPerSecond).toBe(100)
})
