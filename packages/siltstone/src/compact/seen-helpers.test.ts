import { expect, it } from 'vitest'
import { ManualClock } from '../drivers/memory/manual-clock.ts'
import { SeenHelpers } from './seen-helpers.ts'

it('remembers another process for a while, unless it folds', async () => {
  const clock = new ManualClock()
  const helpers = new SeenHelpers(clock)
  expect(helpers.isThere('a')).toBe(false)
  helpers.noticed('a')
  expect([helpers.isThere('a'), helpers.isThere('b')]).toEqual([true, false])
  helpers.foldLeaseWas('a', true)
  expect(helpers.isThere('a')).toBe(false)
  helpers.foldLeaseWas('a', false)
  expect(helpers.isThere('a')).toBe(true)
  await clock.advance(600_001)
  expect(helpers.isThere('a')).toBe(false)
})
