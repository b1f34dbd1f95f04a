import { describe, expect, it } from 'vitest'
import { RowSet } from '../../format/row-set.ts'
import { Nearest } from '../../kernels/nearest.ts'
import { Bucket } from '../../format/segment/testing.ts'
import { seededRandom } from '../../ports/seeded-random.ts'
import { indexedSegment, wholeSegment } from '../build/testing.ts'
import type { IndexedSpace } from '../directory.ts'
import { type Ivf, ivfOf } from '../ivf.ts'
import { chooseClusters } from './choose-clusters.ts'
import { effortOf } from './effort.ts'
import type { IndexedSegment } from './indexed-segment.ts'
import { IvfSearch } from './ivf-search.ts'
import { prepareQuery } from './prepared-query.ts'
import { SearchRecorder } from './search-recorder.ts'
import { workspace } from './workspace.ts'

const DIMENSION = 64
const K = 5

const centresRandom = seededRandom(9)
const centres = Array.from({ length: 12 }, () =>
  Float32Array.from({ length: DIMENSION }, () => centresRandom.next() * 4 - 2),
)

function vectorsOf(count: number, seed: number): Float32Array[] {
  const random = seededRandom(seed)
  return Array.from({ length: count }, (_, i) =>
    Float32Array.from(centres[i % centres.length] as Float32Array, (x) => x + random.next() * 2 - 1),
  )
}

/** @returns the segment, and the vector of each tag */
async function segmentOf(
  vectors: readonly Float32Array[],
  space: IndexedSpace,
  firstTag = 0,
): Promise<{ segment: IndexedSegment; vectors: Map<number, Float32Array> }> {
  const { reader, rows } = await indexedSegment(new Bucket(), vectors, space)
  const segment = { ...wholeSegment((await ivfOf(reader)) as Ivf), firstTag }
  return { segment, vectors: new Map(vectors.map((vector, i) => [firstTag + (rows[i] as number), vector])) }
}

function only(segment: IndexedSegment, admits: (row: number) => boolean): IndexedSegment {
  const rows = new RowSet(segment.rows.rows)
  for (const row of segment.rows) if (admits(row)) rows.add(row)
  return { ...segment, rows, count: rows.count() }
}

function distance(space: IndexedSpace, a: Float32Array, b: Float32Array): number {
  const dot = a.reduce((sum, x, d) => sum + x * (b[d] as number), 0)
  if (space === 'ip') return 1 - dot
  if (space === 'cosine') return 1 - dot / (Math.hypot(...a) * Math.hypot(...b))
  return a.reduce((sum, x, d) => sum + (x - (b[d] as number)) ** 2, 0)
}

const exhaustive = effortOf({ fixed: { clusters: 1e6, deviations: 4 } })

it('misses few of the neighbours that are as far as the last of them: copies of a row have one code', async () => {
  const random = seededRandom(21)
  const [copies, groups] = [10, 360]
  const place = () => Float32Array.from({ length: 192 }, () => random.next() + random.next() - 1)
  const places = Array.from({ length: groups }, place)
  const rows = Array.from({ length: copies * groups }, (_, i) => places[i % groups] as Float32Array)
  const { segment, vectors } = await segmentOf(rows, 'l2')
  // All clusters: what is missed is missed by estimates.
  const effort = effortOf({ recall: 0.9, fixed: { clusters: 1e6 } })
  const search = new IvfSearch([segment], copies, effort, new SearchRecorder())
  let found = 0
  const queries = Array.from({ length: 100 }, place)
  for (const query of queries) {
    const nearest = new Nearest(copies)
    const examination = await search.examine(query, [])
    examination.scan(0, nearest)
    for (let tags = examination.take(0, nearest); tags.length > 0; tags = examination.take(0, nearest))
      for (const tag of tags) nearest.offer(distance('l2', query, vectors.get(tag) as Float32Array), tag)
    const least = Math.min(...places.map((one) => distance('l2', query, one)))
    found += nearest.sorted().filter((one) => one.distance <= least).length / copies / queries.length
  }
  expect(found).toBeGreaterThan(0.97)
})

it('measures few of very many copies of one row, near and far', async () => {
  const random = seededRandom(22)
  const place = () => Float32Array.from({ length: DIMENSION }, () => random.next() * 2 - 1)
  const [one, zero] = [place(), new Float32Array(DIMENSION)]
  const rows = Array.from({ length: 4_000 }, (_, i) => (i % 4 === 0 ? place() : i % 4 === 1 ? one : zero))
  const { segment, vectors } = await segmentOf(rows, 'l2')
  // Rows at their centroid have no second cluster, although several clusters may lie there.
  const { copies } = segment.ivf.directory
  expect(copies.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1_000)
  const search = new IvfSearch([segment], K, effortOf({ recall: 0.95 }), new SearchRecorder())
  for (const query of [one, zero, one.map((x) => x + 0.01)]) {
    const examination = await search.examine(query, [])
    const nearest = new Nearest(K)
    let measured = 0
    for (let level = 0; level < examination.levels; level++) {
      examination.scan(level, nearest)
      for (let tags = examination.take(level, nearest); tags.length > 0; tags = examination.take(level, nearest)) {
        measured += tags.length
        for (const tag of tags) nearest.offer(distance('l2', query, vectors.get(tag) as Float32Array), tag)
      }
    }
    const least = Math.min(...rows.map((row) => distance('l2', query, row)))
    expect(nearest.sorted().map((found) => found.distance)).toEqual(new Array(K).fill(least))
    expect(measured).toBeLessThan(150)
    expect((await search.examine(query, [])).all().tags.length).toBeLessThan(150)
  }
})

describe.each(['l2', 'cosine', 'ip'] as const)('a search of two segments for %s', (space) => {
  it('keeps the nearest admitted rows of both, and few others', async () => {
    const one = await segmentOf(vectorsOf(1_500, 1), space)
    const two = await segmentOf(vectorsOf(600, 2), space, 1_500)
    const all = [...one.vectors, ...two.vectors]
    const everyThird = (row: number) => row % 3 === 0
    for (const [segments, admits] of [
      [[one.segment, two.segment], () => true],
      [[only(one.segment, everyThird), two.segment], (tag: number) => tag >= 1_500 || everyThird(tag)],
    ] as const) {
      const search = new IvfSearch(segments, K, exhaustive, new SearchRecorder())
      let missed = 0
      let kept = 0
      for (const query of vectorsOf(20, 3)) {
        const nearest = all
          .filter(([tag]) => admits(tag))
          .map(([tag, vector]) => ({ tag, distance: distance(space, query, vector) }))
          .sort((a, b) => a.distance - b.distance)
          .slice(0, K)
        const tags = new Set((await search.examine(query, [])).all().tags)
        expect([...tags].every(admits)).toBe(true)
        missed += nearest.filter(({ tag }) => !tags.has(tag)).length
        kept += tags.size
      }
      expect(missed).toBeLessThanOrEqual(1)
      expect(kept / 20).toBeLessThan(700)
    }
  })

  it('drops what is certainly farther than the rows that are known', async () => {
    const { segment, vectors } = await segmentOf(vectorsOf(1_500, 1), space)
    const [query] = vectorsOf(1, 3) as [Float32Array]
    const search = new IvfSearch([segment], K, exhaustive, new SearchRecorder())
    const distances = [...vectors.values()].map((vector) => distance(space, query, vector)).sort((a, b) => a - b)
    const known = distances.slice(0, K).map((nearest, i) => ({ tag: 10_000 + i, distance: nearest }))
    const without = (await search.examine(query, [])).all().tags
    const left = (await search.examine(query, known)).all().tags
    expect(left.length).toBeLessThan(without.length)
    expect(left).toEqual(without.slice(0, left.length))
    // Known rows are no candidates, and farther ones than the known ones tell nothing new.
    const far = known.map(({ tag }) => ({ tag, distance: (distances.at(-1) as number) + 10 }))
    expect((await search.examine(query, far)).all().tags).toEqual(without)
  })
})

it('counts what it does', async () => {
  const { segment } = await segmentOf(vectorsOf(1_200, 1), 'l2')
  const recorder = new SearchRecorder()
  const search = new IvfSearch([segment], K, effortOf({ fixed: { clusters: 4 } }), recorder)
  const examination = await search.examine(vectorsOf(1, 3)[0] as Float32Array, [])
  const { tags } = examination.all()
  const { clusters, listsRead, entries, candidates } = recorder.stats
  expect([clusters, listsRead]).toEqual([4, 4])
  expect(entries).toBeGreaterThan(0)
  expect(candidates).toBeLessThanOrEqual(entries)
  expect(tags.length).toBeLessThanOrEqual(candidates)
  expect(new Set(tags).size).toBe(tags.length)
})

describe('the choice of clusters', () => {
  it('takes the nearest of all segments, and as many as hold enough admitted rows', async () => {
    const one = await segmentOf(vectorsOf(1_500, 1), 'l2')
    const two = await segmentOf(vectorsOf(1_500, 2), 'l2', 1_500)
    const [vector] = vectorsOf(1, 3) as [Float32Array]
    const queryOf = ({ ivf }: IndexedSegment) => prepareQuery(workspace(), vector, ivf.directory)
    const segments = [one.segment, two.segment]
    const { probes, ends } = chooseClusters(
      segments,
      segments.map(queryOf),
      2,
      () => (level) => [8, 20][level] as number,
    )
    expect(probes).toHaveLength(20)
    expect(ends).toEqual([8, 20])
    expect(new Set(probes.map(({ segment }) => segment)).size).toBe(2)
    const bases = probes.map(({ base }) => base)
    expect(bases).toEqual(bases.toSorted((a, b) => a - b))
    // However many are asked for, there is one at least, and there are no more than there are.
    expect(chooseClusters(segments, segments.map(queryOf), 1, () => () => 0).ends).toEqual([1])
    const all = one.segment.ivf.directory.clusters + two.segment.ivf.directory.clusters
    expect(chooseClusters(segments, segments.map(queryOf), 1, () => () => 1e9).probes).toHaveLength(all)
  })

  it('passes over clusters without admitted rows, and tells which share of the rows is admitted near the query', async () => {
    const { segment } = await segmentOf(vectorsOf(1_500, 1), 'l2')
    const [vector] = vectorsOf(1, 3) as [Float32Array]
    const query = prepareQuery(workspace(), vector, segment.ivf.directory)
    const few = only(segment, (row) => row % 50 === 0)
    const { firstRows } = few.ivf.directory
    const admitted = ({ cluster }: { cluster: number }) =>
      few.rows.rangeCount(firstRows[cluster] as number, firstRows[cluster + 1] as number)
    const rows = ({ cluster }: { cluster: number }) =>
      (firstRows[cluster + 1] as number) - (firstRows[cluster] as number)
    const shares: number[] = []
    const { probes } = chooseClusters([few], [query], 1, () => (_level, share) => {
      shares.push(share)
      return 12
    })
    expect(probes).toHaveLength(12)
    expect(probes.every((probe) => admitted(probe) > 0)).toBe(true)
    const sum = (counts: number[]) => counts.reduce((total, count) => total + count)
    expect(shares.at(-1)).toBeCloseTo(sum(probes.map(admitted)) / sum(probes.map(rows)), 12)
  })

  it('tells how far a query lies from what is admitted', async () => {
    const { segment } = await segmentOf(vectorsOf(1_500, 1), 'l2')
    const { directory } = segment.ivf
    const query = prepareQuery(workspace(), vectorsOf(1, 3)[0] as Float32Array, directory)
    const told = (one: IndexedSegment) => {
      let found: number | undefined
      chooseClusters([one], [query], 1, (_, outside = 0) => {
        found = outside
        return () => 1
      })
      return found
    }
    const { probes } = chooseClusters([segment], [query], 1, () => () => directory.clusters)
    const clusters = probes.map(({ cluster }) => cluster)
    const rowsOf = (some: readonly number[]) => {
      const own = new Set(some)
      const { firstRows } = directory
      return only(segment, (row) => own.has(firstRows.findLastIndex((first) => first <= row)))
    }
    expect(told(segment)).toBe(0)
    expect(told(only(segment, (row) => row % 3 === 0))).toBeCloseTo(0, 0)
    expect(told(rowsOf(clusters.slice(0, 20)))).toBeLessThan(-1)
    expect(told(rowsOf(clusters.slice(-20)))).toBeGreaterThan(0.7)
  })

  it('counts the clusters that are nearly as near as the nearest', async () => {
    const { segment } = await segmentOf(vectorsOf(1_500, 1), 'l2')
    const nearOf = (vector: Float32Array, nearly: number) => {
      const query = prepareQuery(workspace(), vector, segment.ivf.directory)
      let found = 0
      chooseClusters([segment], [query], 1, (near) => {
        found = near(nearly)
        return () => 1
      })
      return found
    }
    const close = nearOf(centres[0] as Float32Array, 1.15)
    expect(close).toBeLessThan(segment.ivf.directory.clusters / 4)
    expect(nearOf(centres[0] as Float32Array, 1)).toBe(1)
    expect(nearOf(centres[0] as Float32Array, 1.5)).toBeGreaterThan(close)
    // All are about equally far from a point far away.
    expect(nearOf(new Float32Array(DIMENSION).fill(1_000), 1.15)).toBe(segment.ivf.directory.clusters)
  })
})
