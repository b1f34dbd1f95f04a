import { expect, it } from 'vitest'
import { RowSet } from '../../format/row-set.ts'
import { Bucket } from '../../format/segment/testing.ts'
import { seededRandom } from '../../ports/seeded-random.ts'
import type { Calibration } from '../calibration.ts'
import { type Ivf, ivfOf } from '../ivf.ts'
import type { IndexedSpace } from '../directory.ts'
import { Need } from '../need.ts'
import { chooseClusters } from '../search/choose-clusters.ts'
import { clusterNeed, effortOf, summaryOf } from '../search/effort.ts'
import { prepareQuery } from '../search/prepared-query.ts'
import { workspace } from '../search/workspace.ts'
import { indexedSegment, wholeSegment } from './testing.ts'

const DIMENSION = 24

function vectorsOf(count: number, seed: number, spread: number): Float32Array[] {
  const random = seededRandom(seed)
  const centresRandom = seededRandom(5)
  const centres = Array.from({ length: 40 }, () => Float32Array.from({ length: DIMENSION }, () => centresRandom.next()))
  return Array.from({ length: count }, () => {
    const centre = centres[Math.floor(random.next() * centres.length)] as Float32Array
    return centre.map((x) => x + spread * (random.next() - 0.5))
  })
}

const distances = {
  l2: (a: Float32Array, b: Float32Array) => a.reduce((sum, x, d) => sum + (x - (b[d] as number)) ** 2, 0),
  ip: (a: Float32Array, b: Float32Array) => 1 - a.reduce((sum, x, d) => sum + x * (b[d] as number), 0),
  cosine: (a: Float32Array, b: Float32Array) =>
    1 - a.reduce((sum, x, d) => sum + x * (b[d] as number), 0) / (Math.hypot(...a) * Math.hypot(...b)),
}

async function built(vectors: readonly Float32Array[], space: IndexedSpace) {
  const { reader, rows } = await indexedSegment(new Bucket(), vectors, space)
  const ivf = (await ivfOf(reader)) as Ivf
  const clusters = new Map<number, number[]>()
  for (let cluster = 0; cluster < ivf.directory.clusters; cluster++)
    await ivf.lists.read([cluster], (_, list) => {
      const own = Array.from({ length: list.primaries }, (_unused, i) => list.firstRow + i)
      clusters.set(cluster, [...own, ...list.copies])
    })
  return { ivf, rows, clusters }
}

/** Which share of the k nearest lies in the clusters that are visited. */
function reached(
  { ivf, rows, clusters }: Awaited<ReturnType<typeof built>>,
  vectors: readonly Float32Array[],
  k: number,
  spread = 0.6,
) {
  const { space, calibration } = ivf.directory
  const need = new Need(calibration, [0.9])
  const queries = vectorsOf(30, 77, spread)
  let found = 0
  let probed = 0
  for (const query of queries) {
    const { probes } = chooseClusters(
      [wholeSegment(ivf)],
      [prepareQuery(workspace(), query, ivf.directory)],
      1,
      (near) => () => Math.ceil(Math.exp(need.of(near, 1)(0, k))),
    )
    const visited = new Set(probes.flatMap(({ cluster }) => clusters.get(cluster) ?? []))
    probed += probes.length
    const nearest = vectors
      .map((vector, i) => ({ row: rows[i] as number, distance: distances[space](query, vector) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, k)
    found += nearest.filter(({ row }) => visited.has(row)).length / k
  }
  return { share: found / queries.length, visited: probed / queries.length / ivf.directory.clusters }
}

it.each(['l2', 'cosine', 'ip'] as const)(
  'reaches the neighbours of queries like the rows, and not all rows, for %s',
  async (space) => {
    const vectors = vectorsOf(2_500, 1, 0.6)
    const index = await built(vectors, space)
    for (const k of [1, 10, 100]) {
      const { share, visited } = reached(index, vectors, k)
      // 0.925 is calibrated for: a quarter of the misses is left to the codes.
      expect(share).toBeGreaterThan(0.88)
      expect(visited).toBeLessThan(k === 100 ? 0.7 : 0.4)
    }
  },
)

/** The clusters of a query that is as flat as usual. */
function needOf(calibration: Calibration, recall: number, k: number): number {
  const { flatness, usualNear } = calibration
  const near = (nearly: number) => usualNear[flatness.findIndex((one) => one.nearly === nearly)] as number
  return Math.exp(new Need(calibration, [recall]).of(near, 1)(0, k))
}

it('tells that more neighbours and a higher recall need more, and that data without neighbourhoods do', async () => {
  const vectors = vectorsOf(2_000, 1, 0.6)
  const index = await built(vectors, 'l2')
  const { calibration } = index.ivf.directory
  expect(calibration.neighbours).toEqual([1, 10, 100])
  for (const [i, row] of calibration.theta.slice(1).entries())
    for (const [k, theta] of row.entries()) expect(theta).toBeGreaterThanOrEqual(calibration.theta[i]?.[k] as number)
  expect(needOf(calibration, 0.99, 10)).toBeGreaterThan(1.1 * needOf(calibration, 0.9, 10))
  const { visited } = reached(index, vectors, 10)
  expect(reached(index, vectors, 100).visited).toBeGreaterThan(1.1 * visited)
  const unlike = vectorsOf(2_000, 1, 20)
  const flat = reached(await built(unlike, 'l2'), unlike, 10, 20)
  expect(flat.visited).toBeGreaterThan(1.5 * visited)
})

it('does not count a row as its own neighbour', async () => {
  // Rows far apart: each has itself at distance 0, and others far away.
  const random = seededRandom(3)
  const vectors = Array.from({ length: 1_500 }, () => Float32Array.from({ length: 64 }, () => random.next() - 0.5))
  const { ivf } = await built(vectors, 'l2')
  // Would the row itself count, one neighbour would always be in the nearest cluster.
  expect(ivf.directory.calibration.theta[0]?.[0]).toBeGreaterThan(0.5)
})

it.each(['l2', 'cosine', 'ip'] as const)(
  'reaches the neighbours of queries whose filter admits the rows near one, and not all rows, for %s',
  async (space) => {
    const vectors = vectorsOf(2_500, 1, 0.6)
    const index = await built(vectors, space)
    const { filters } = index.ivf.directory.calibration
    expect(filters.shares).toEqual([expect.closeTo(0.4), expect.closeTo(0.1)])
    for (const factor of filters.factors.flat(2)) expect(factor).toBeGreaterThanOrEqual(0.25)
    const [found, visited] = [0.4, 0.1]
      .map((share) => reachedInBalls(index, vectors, share))
      .reduce(([foundSum, visitedSum], one) => [foundSum + one.found / 2, visitedSum + one.visited / 2], [0, 0]) as [
      number,
      number,
    ]
    // 0.91 is calibrated for, of queries like the rows, on the average over balls.
    expect(found).toBeGreaterThan(0.87)
    expect(visited).toBeLessThan(0.8)
  },
)

/** Which share of the ten nearest lies in the clusters that are visited, and which share of those with admitted rows is. */
function reachedInBalls(
  { ivf, rows, clusters }: Awaited<ReturnType<typeof built>>,
  vectors: readonly Float32Array[],
  share: number,
) {
  const { space } = ivf.directory
  const nearest = (
    distance: (a: Float32Array, b: Float32Array) => number,
    to: Float32Array,
    some: readonly number[],
  ) => {
    const all = some.map((i) => ({ i, distance: distance(to, vectors[i] as Float32Array) }))
    return all.sort((a, b) => a.distance - b.distance).map(({ i }) => i)
  }
  const everyone = Array.from(vectors.keys())
  const balls = Array.from({ length: 8 }, (_, ball) =>
    nearest(distances.l2, vectors[ball * 301] as Float32Array, everyone).slice(0, share * vectors.length),
  )
  let found = 0
  let visited = 0
  const queries = vectorsOf(40, 78, 0.6)
  for (const [i, query] of queries.entries()) {
    const admitted = balls[i % balls.length] as number[]
    const set = new RowSet(vectors.length)
    for (const one of admitted) set.add(rows[one] as number)
    const segment = { ...wholeSegment(ivf), rows: set, count: admitted.length }
    const prepared = prepareQuery(workspace(), query, ivf.directory)
    const need = clusterNeed(effortOf({ recall: 0.9 }), 10, [summaryOf(segment)])
    const { probes } = chooseClusters([segment], [prepared], 3, need)
    const all = chooseClusters([segment], [prepared], 1, () => () => 1e6)
    visited += probes.length / all.probes.length / queries.length
    const lists = new Set(probes.flatMap(({ cluster }) => clusters.get(cluster) ?? []))
    const ten = nearest(distances[space], query, admitted).slice(0, 10)
    found += ten.filter((one) => lists.has(rows[one] as number)).length / 10 / queries.length
  }
  return { found, visited }
}

it.each(['l2', 'cosine', 'ip'] as const)('is sound for equal and for huge vectors, for %s', async (space) => {
  for (const vectors of [
    Array.from({ length: 600 }, () => new Float32Array(8).fill(1)),
    Array.from({ length: 600 }, (_, i) => new Float32Array(8).fill(i % 2 === 0 ? 3e38 : -3e38)),
    [new Float32Array(8)],
  ]) {
    const { ivf } = await built(vectors, space)
    const { theta, filters } = ivf.directory.calibration
    for (const one of [...theta.flat(), ...filters.factors.flat(2)]) expect(one).toBeGreaterThan(0)
  }
})
