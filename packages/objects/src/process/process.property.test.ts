import fc from 'fast-check'
import { describe, it } from 'vitest'
import { processProperty } from './testing/process-property.ts'

describe('processing', () => {
  it('of any uploads, deletions and expiries, by workers that are killed or stall anywhere, leaves the records of the newest version', async () => {
    await fc.assert(processProperty(), { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 25) })
  })
})
