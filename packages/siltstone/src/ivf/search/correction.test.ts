import { describe, expect, it } from 'vitest'
import { MISSED_BY_CLUSTERS, RECALL_LEVELS } from '../recall-levels.ts'
import { Correction } from './correction.ts'

const usual = RECALL_LEVELS.findIndex(({ recall }) => recall === 0.95)

/** Ten neighbours that need `factor` times 0, 1, … 9 tenths of what was calibrated for 0.95. */
function query(factor: number) {
  const calibrated = RECALL_LEVELS.map(({ recall }) => 8 * (1 - recall) ** -0.5)
  return {
    needed: Array.from({ length: 10 }, (_, i) => (factor * (i + 0.5) * (calibrated[usual] as number)) / 10),
    calibrated,
  }
}

function corrected(factor: number, count: number) {
  const correction = new Correction()
  for (let i = 0; i < count; i++) correction.add(query(factor))
  return correction.factors()
}

describe('the correction', () => {
  it('waits for some queries', () => {
    expect(corrected(1, 29)).toBeUndefined()
    expect(corrected(1, 30)).toHaveLength(RECALL_LEVELS.length)
  })

  it('follows what queries needed, the more the more of them there are', () => {
    const share = 1 - MISSED_BY_CLUSTERS * 0.05
    for (const factor of [0.5, 2]) {
      const [few, many] = [corrected(factor, 50)?.[usual] as number, corrected(factor, 400)?.[usual] as number]
      // The share of uniform numbers, less what the calibration at build still counts.
      expect(many / (factor * share) ** (400 / 450)).toBeCloseTo(1, 1)
      if (factor > 1) expect(many).toBeGreaterThan(few)
      else expect(many).toBeLessThan(few)
    }
  })

  it('forgets the oldest', () => {
    const correction = new Correction()
    for (let i = 0; i < 400; i++) correction.add(query(4))
    const before = correction.factors()?.[usual] as number
    for (let i = 0; i < 400; i++) correction.add(query(0.5))
    expect(correction.queries).toBe(400)
    expect(correction.factors()?.[usual]).toBeLessThan(before / 4)
  })

  it('is bounded, and does not count queries without neighbours', () => {
    expect(corrected(1e6, 400)?.[usual]).toBe(10)
    expect(corrected(1e-6, 400)?.[usual]).toBe(0.2)
    const correction = new Correction()
    correction.add({ needed: [], calibrated: [] })
    expect(correction.queries).toBe(0)
  })
})
