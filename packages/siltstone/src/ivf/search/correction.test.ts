import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../ports/seeded-random.ts'
import { FLATNESSES } from '../flatness.ts'
import { meanRecallError, MISSED_BY_CLUSTERS, RECALL_LEVELS } from '../recall-levels.ts'
import { Correction, factorAt, type NeededEffort } from './correction.ts'

const usual = RECALL_LEVELS.findIndex(({ recall }) => recall === 0.95)
const near = FLATNESSES.map(() => 5)
const calibrated = RECALL_LEVELS.map(({ recall }) => 8 * (1 - recall) ** -0.5)

/** Ten neighbours that need `factor` times 0, 1, … 9 tenths of what was calibrated for 0.95. */
function query(factor: number) {
  return {
    needed: Array.from({ length: 10 }, (_, i) => (factor * (i + 0.5) * (calibrated[usual] as number)) / 10),
    calibrated,
    near,
  }
}

function corrected(factor: number, count: number) {
  const correction = new Correction()
  for (let i = 0; i < count; i++) correction.add(query(factor))
  return correction.factors()
}

const usualFactor = (factor: number, count: number) => corrected(factor, count)?.levels[usual] as number

describe('the correction', () => {
  it('waits for some queries', () => {
    expect(corrected(1, 29)).toBeUndefined()
    expect(corrected(1, 30)?.levels).toHaveLength(RECALL_LEVELS.length)
  })

  it('follows what queries needed, the more the more of them there are', () => {
    // One standard error less is missed.
    const share = 1 - (MISSED_BY_CLUSTERS * 0.05 - meanRecallError(0.05, 400))
    for (const factor of [0.5, 2]) {
      const [few, many] = [usualFactor(factor, 50), usualFactor(factor, 400)]
      // The share of uniform numbers, less what the calibration at build still counts.
      expect(many / (factor * share) ** (400 / 420)).toBeCloseTo(1, 1)
      if (factor > 1) expect(many).toBeGreaterThan(few)
      else expect(many).toBeLessThan(few)
    }
  })

  it('forgets the oldest', () => {
    const correction = new Correction()
    for (let i = 0; i < 400; i++) correction.add(query(4))
    const before = correction.factors()?.levels[usual] as number
    for (let i = 0; i < 400; i++) correction.add(query(0.5))
    expect(correction.queries).toBe(400)
    expect(correction.factors()?.levels[usual]).toBeLessThan(before / 4)
  })

  it('is bounded, and does not count queries without neighbours', () => {
    for (const [factor, bound] of [
      [1e6, 10],
      [1e-6, 0.2],
    ] as const) {
      const factors = corrected(factor, 400)
      expect(factors && factorAt(factors, usual, 5)).toBe(bound)
    }
    const correction = new Correction()
    correction.add({ needed: [], calibrated: [], near: [] })
    expect(correction.queries).toBe(0)
  })

  it('keeps a few of very many neighbours, among them the last', () => {
    const some = new Correction()
    const all = Array.from({ length: 1_000 }, (_, i) => 1 + i)
    for (let i = 0; i < 400; i++) some.add({ needed: all, calibrated: RECALL_LEVELS.map(() => 100), near })
    const last = some.factors()?.levels.at(-1) as number
    expect(last).toBeCloseTo(10 ** (400 / 420), 1)
  })

  it('takes how flat queries are into account where it saves clusters, and still finds what is promised', () => {
    const random = seededRandom(4)
    const place = FLATNESSES.findIndex(({ nearly }) => nearly === 1.3)
    // What is needed goes with the root of one of the numbers that tell how flat a query is, and the calibration knows nothing of it.
    const queries = Array.from({ length: 400 }, (): NeededEffort => {
      const flat = 1 + 99 * random.next() ** 2
      return {
        needed: Array.from({ length: 10 }, () => 4 * Math.sqrt(flat) * random.next() + 1),
        calibrated: RECALL_LEVELS.map(() => 30),
        near: FLATNESSES.map(({ nearly }) => (nearly === 1.3 ? flat : 1 + 99 * random.next())),
      }
    })
    const correction = new Correction()
    for (const one of queries) correction.add(one)
    const factors = correction.factors()
    if (!factors) throw new Error('nothing was corrected')
    expect(factors.nearly).toBe(1.3)
    expect(factors.exponent).toBeCloseTo(0.5, 1)
    const visited = queries.map((one) => 30 * factorAt(factors, usual, one.near[place] as number))
    const found = queries.flatMap(({ needed }, i) => needed.map((clusters) => clusters <= (visited[i] as number)))
    expect(found.filter(Boolean).length / found.length).toBeGreaterThan(0.94)
    // One number for all would have to be that of the flat ones.
    const needed = queries.flatMap((one) => one.needed).sort((a, b) => a - b)
    const fixed = needed[Math.floor(0.955 * needed.length)] as number
    expect(visited.reduce((sum, one) => sum + one, 0) / visited.length).toBeLessThan(0.8 * fixed)
  })
})
