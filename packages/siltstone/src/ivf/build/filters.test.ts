import { expect, it } from 'vitest'
import { seededRandom } from '../../ports/seeded-random.ts'
import { type Compared, TrialFilter } from './filters.ts'
import { Points } from './points.ts'
import type { PseudoKind } from './pseudo-queries.ts'
import { Work } from './work.ts'

const DIMENSION = 64
const ROWS = 600
const SHARES = [0.4, 0.1]

function pointsOf(work: Work, count: number, seed: number): Points {
  const random = seededRandom(seed)
  const points = new Points(work, count, DIMENSION)
  points.set(Float32Array.from({ length: count * DIMENSION }, () => random.next() - 0.3))
  return points
}

function comparedOf(work: Work, queries: Points, rows: Points): Compared {
  const dots = work.room('test-dots', queries.count * rows.count * 4)
  work.kernels.dotI8Many(queries.pointer, queries.count, rows.pointer, rows.count, DIMENSION, dots)
  return {
    size: rows.count,
    dots: new Int32Array(work.kernels.memory.buffer, dots, queries.count * rows.count).slice(),
    scales: rows.scales,
    squares: rows.squares(),
    tags: Array.from({ length: rows.count }, (_, i) => i),
  }
}

function scoresOf(filter: TrialFilter, compared: Compared): Float64Array {
  const scores = new Float64Array(compared.size)
  filter.scores(compared, scores)
  return scores
}

it('admits about the shares that are asked for, each set within the larger one', () => {
  const work = new Work()
  const queries = { kinds: new Array<PseudoKind>(24).fill('row'), points: pointsOf(work, 24, 1) }
  const sample = pointsOf(work, ROWS, 2)
  const filters = TrialFilter.some(work, queries, sample, SHARES)
  const compared = comparedOf(work, queries.points, pointsOf(work, ROWS, 3))
  const kinds = ['ball', 'half-space', 'chance'] as const
  for (const kind of kinds) expect(filters.filter((one) => one.kind === kind)).toHaveLength(10)
  const all = Array.from({ length: ROWS }, (_, i) => i)
  for (const filter of filters) {
    const scores = scoresOf(filter, compared)
    expect(filter.limits[0]).toBeGreaterThan(filter.limits[1] as number)
    for (const [s, share] of SHARES.entries()) {
      const admitted = all.filter((i) => (scores[i] as number) <= (filter.limits[s] as number))
      expect(Math.abs(admitted.length / ROWS - share)).toBeLessThan(0.09)
    }
  }
})

it('admits the rows nearest to one, those farthest in one direction, or any', () => {
  const work = new Work()
  const queries = { kinds: new Array<PseudoKind>(24).fill('row'), points: pointsOf(work, 24, 1) }
  const rows = pointsOf(work, ROWS, 2)
  const filters = TrialFilter.some(work, queries, rows, SHARES)
  const compared = comparedOf(work, queries.points, rows)
  const values = rows.values()
  const vectors = Array.from({ length: ROWS }, (_, i) => values.subarray(i * DIMENSION, (i + 1) * DIMENSION))
  const means = (filter: TrialFilter) => {
    const mean = (some: readonly Float32Array[]) =>
      some.reduce((sum, one) => sum.map((x, d) => x + (one[d] as number) / some.length), new Float32Array(DIMENSION))
    const scores = scoresOf(filter, compared)
    const isIn = vectors.map((_, i) => (scores[i] as number) <= (filter.limits[1] as number))
    return [mean(vectors.filter((_, i) => isIn[i])), mean(vectors.filter((_, i) => !isIn[i]))] as const
  }
  const apart = ([a, b]: readonly [Float32Array, Float32Array]) => Math.hypot(...a.map((x, d) => x - (b[d] as number)))
  const far = (kind: string) => Math.min(...filters.filter((one) => one.kind === kind).map((one) => apart(means(one))))
  const chance = Math.max(...filters.filter((one) => one.kind === 'chance').map((one) => apart(means(one))))
  expect(far('ball')).toBeGreaterThan(1.1 * chance)
  expect(far('half-space')).toBeGreaterThan(1.1 * chance)
})

it('admits rows away from the only query that asks', () => {
  const work = new Work()
  const queries = { kinds: new Array<PseudoKind>(24).fill('row'), points: pointsOf(work, 24, 1) }
  const rows = pointsOf(work, ROWS, 2)
  const away = TrialFilter.some(work, queries, rows, SHARES).filter(({ kind }) => kind === 'away')
  expect(new Set(away.map(({ only }) => only)).size).toBe(12)
  const compared = comparedOf(work, queries.points, rows)
  const scales = queries.points.scales
  for (const filter of away) {
    const query = filter.only as number
    const product = (i: number) =>
      (scales[query] as number) * (rows.scales[i] as number) * (compared.dots[query * ROWS + i] as number)
    const mean = (some: number[]) => some.reduce((sum, i) => sum + product(i), 0) / some.length
    const all = Array.from({ length: ROWS }, (_, i) => i)
    const scores = new Float64Array(ROWS)
    filter.scores(compared, scores)
    const admitted = all.filter((i) => (scores[i] as number) <= (filter.limits[1] as number))
    expect(mean(admitted)).toBeLessThan(mean(all))
  }
})
