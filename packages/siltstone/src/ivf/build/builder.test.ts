import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SegmentReader } from '../../format/segment/reader.ts'
import { Bucket } from '../../format/segment/testing.ts'
import { seededRandom } from '../../ports/seeded-random.ts'
import { verifySegment } from '../../format/segment/verify-segment.ts'
import { type Ivf, ivfOf } from '../ivf.ts'
import { effortOf } from '../search/effort.ts'
import { IvfSearch } from '../search/ivf-search.ts'
import { SearchRecorder } from '../search/search-recorder.ts'
import { verifyIvf } from '../verify-ivf.ts'
import { IvfBuilder } from './builder.ts'
import { indexedSegment, wholeSegment } from './testing.ts'

function gaussians(count: number, dimension: number, seed: number): Float32Array[] {
  const random = seededRandom(seed)
  const centres = Array.from({ length: 12 }, () => Float32Array.from({ length: dimension }, () => random.next() * 4))
  return Array.from({ length: count }, (_, i) =>
    Float32Array.from(centres[i % centres.length] as Float32Array, (x) => x + random.next() + random.next() - 1),
  )
}

/** The rows that a search of all clusters considers possible among the k nearest. */
async function survivors(ivf: Ivf, query: Float32Array, k: number, deviations: number): Promise<number[]> {
  const effort = effortOf({ fixed: { clusters: ivf.directory.clusters, deviations } })
  const search = new IvfSearch([wholeSegment(ivf)], k, effort, new SearchRecorder())
  return (await search.examine(query, [])).all().tags
}

const distances = {
  l2: (a: Float32Array, b: Float32Array) => a.reduce((sum, x, d) => sum + (x - (b[d] as number)) ** 2, 0),
  ip: (a: Float32Array, b: Float32Array) => 1 - a.reduce((sum, x, d) => sum + x * (b[d] as number), 0),
  cosine: (a: Float32Array, b: Float32Array) => {
    const norms = Math.hypot(...a) * Math.hypot(...b)
    return norms === 0 ? 1 : 1 - a.reduce((sum, x, d) => sum + x * (b[d] as number), 0) / norms
  },
}

describe.each(['l2', 'cosine', 'ip'] as const)('an inverted file for %s', (space) => {
  it.each([8, 64, 100, 200])(
    'holds every row and finds the nearest by estimates that hold, %i dimensions',
    async (dimension) => {
      const vectors = gaussians(1_500, dimension, dimension)
      const { reader, rows } = await indexedSegment(new Bucket(), vectors, space)
      await verifySegment(reader)
      await verifyIvf(reader)
      const ivf = (await ivfOf(reader)) as Ivf
      const stored = await reader.vectors(rows)
      expect(stored).toEqual(vectors)
      let missed = 0
      let measured = 0
      for (const query of gaussians(40, dimension, 7)) {
        const nearest = vectors
          .map((vector, i) => ({ row: rows[i] as number, distance: distances[space](vector, query) }))
          .sort((a, b) => a.distance - b.distance)
          .slice(0, 10)
        const found = new Set(await survivors(ivf, query, 10, 4))
        measured += found.size
        missed += nearest.filter(({ row }) => !found.has(row)).length
      }
      // An interval of four standard deviations misses about one in 10,000.
      expect(missed).toBeLessThanOrEqual(2)
      // Useless bounds would leave all 1,500.
      expect(measured / 40).toBeLessThan(dimension < 64 ? 1_300 : 1_000)
    },
  )
})

it('is the same for the same rows', async () => {
  const [one, two] = [new Bucket(), new Bucket()]
  await indexedSegment(one, gaussians(1_200, 20, 3), 'l2')
  await indexedSegment(two, gaussians(1_200, 20, 3), 'l2')
  expect([...one.objects.values()]).toEqual([...two.objects.values()])
})

it('accepts any vectors: equal ones, zeros, opposite ones, the largest', async () => {
  const value = fc.oneof(
    fc.constantFrom(0, 1, -1, 3e38, -3e38, 1e-40),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
  )
  const vector = fc.array(value, { minLength: 9, maxLength: 9 }).map((values) => Float32Array.from(values))
  const vectors = fc.oneof(
    fc.array(vector, { minLength: 1, maxLength: 80 }),
    fc.tuple(vector, fc.integer({ min: 1, max: 300 })).map(([one, count]) => Array.from({ length: count }, () => one)),
  )
  await fc.assert(
    fc.asyncProperty(vectors, fc.constantFrom('l2', 'cosine', 'ip'), async (all, space) => {
      const { reader, rows } = await indexedSegment(new Bucket(), all, space)
      await verifySegment(reader)
      await verifyIvf(reader)
      expect(await reader.vectors(rows)).toEqual(all)
    }),
    { numRuns: 60 },
  )
})

it('gives clusters to the rows that are there once, too, where most rows are copies of a few', async () => {
  const dimension = 32
  const random = seededRandom(8)
  const place = () => Float32Array.from({ length: dimension }, () => random.next() - 0.5)
  const near = (one: Float32Array) => one.map((x) => x + 0.002 * random.next())
  const [copied, rare] = [Array.from({ length: 3 }, place), Array.from({ length: 150 }, place)]
  // Groups of 350 copies, and of three rows.
  const vectors = [
    ...Array.from({ length: 1_050 }, (_, i) => near(copied[i % 3] as Float32Array)),
    ...Array.from({ length: 450 }, (_, i) => near(rare[i % 150] as Float32Array)),
  ]
  const { reader, rows } = await indexedSegment(new Bucket(), vectors, 'l2')
  const { clusters, firstRows } = ((await ivfOf(reader)) as Ivf).directory
  const groupsOf = Array.from({ length: clusters }, () => new Set<number>())
  rows.slice(1_050).forEach((row, i) => {
    let cluster = 0
    while ((firstRows[cluster + 1] as number) <= row) cluster++
    groupsOf[cluster]?.add(i % 150)
  })
  expect(Math.max(...groupsOf.map(({ size }) => size))).toBeLessThan(15)
  expect(groupsOf.filter(({ size }) => size > 0).length).toBeGreaterThan(40)
})

it('finds and names any damage', async () => {
  const bucket = new Bucket()
  const { descriptor, reader } = await indexedSegment(bucket, gaussians(1_000, 16, 5), 'l2')
  const key = descriptor.files[0]?.key ?? ''
  const whole = bucket.objects.get(key) as Uint8Array
  const random = seededRandom(11)
  for (const name of ['ivf-lists', 'ivf-centroids']) {
    const { offset, length } = descriptor.sections.find((section) => section.name === name) ?? { offset: 0, length: 0 }
    for (let round = 0; round < 40; round++) {
      const damaged = Uint8Array.from(whole)
      const at = offset + Math.floor(random.next() * length)
      damaged[at] = (damaged[at] as number) ^ (1 << Math.floor(random.next() * 8))
      bucket.objects.set(key, damaged)
      const again = new SegmentReader(descriptor, bucket.read)
      await expect(verifyIvf(again)).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringContaining(name) })
    }
  }
  bucket.objects.set(key, whole)
  await verifyIvf(reader)
})

describe('a signal', () => {
  const DIMENSION = 64
  const vectors = gaussians(3_000, DIMENSION, 7)

  /** Builds with a signal that is aborted when it is looked at for the `at`th time. @returns how often it was looked at */
  async function build(at: number): Promise<number> {
    let looks = 0
    const signal = {
      throwIfAborted: () => {
        if (++looks >= at) throw new Error('enough')
      },
    } as AbortSignal
    const builder = new IvfBuilder(vectors.length, DIMENSION, 'l2', signal)
    builder.sample(vectors)
    try {
      await builder.train()
      await builder.add(vectors)
    } catch (error) {
      expect(error).toMatchObject({ message: 'enough' })
      expect(looks).toBe(at)
    }
    return looks
  }

  it('ends the training at each step of it', async () => {
    const looks = await build(Infinity)
    // Each of the rounds compares all vectors of the sample, in batches of at most 1,024.
    expect(looks).toBeGreaterThan((14 * vectors.length) / 1_024)
    for (let at = 1; at < looks; at += Math.ceil(looks / 8)) expect(await build(at)).toBe(at)
  })
})
