import { beforeAll, describe, expect, it } from 'vitest'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { SegmentReader } from '../format/segment/reader.ts'
import { Bucket } from '../format/segment/testing.ts'
import type { SearchOptions } from '../model/read.ts'
import { RowSet } from '../format/row-set.ts'
import { indexedSegment, wholeSegment } from './build/testing.ts'
import { CENTROIDS, PARTS_CENTROIDS_VERSION } from './directory.ts'
import { type Ivf, ivfOf } from './ivf.ts'
import { effortOf } from './search/effort.ts'
import type { IndexedSegment } from './search/indexed-segment.ts'
import { IvfSearch } from './search/ivf-search.ts'
import { SearchRecorder } from './search/search-recorder.ts'
import { verifyIvf } from './verify-ivf.ts'

/** So many that clusters are trained in groups. */
const ROWS = 5_200
const DIMENSION = 16
const vectorOf = (i: number) =>
  Float32Array.from(
    { length: DIMENSION },
    (_, d) => Math.sin(i * 12.9898 + d * 78.233) + 2 * Math.cos((i % 40) * (d + 1)),
  )
const vectors = Array.from({ length: ROWS }, (_, i) => vectorOf(i))

let bucket: Bucket
let descriptor: SegmentDescriptor
let rows: Uint32Array
beforeAll(async () => {
  bucket = new Bucket()
  ;({ descriptor, rows } = await indexedSegment(bucket, vectors, 'l2', { compact: true, wholeClusters: 256 }))
})

async function opened(read = bucket.read): Promise<{ reader: SegmentReader; ivf: Ivf }> {
  const reader = new SegmentReader(descriptor, read)
  return { reader, ivf: (await ivfOf(reader)) as Ivf }
}

const known = ({ directory }: Ivf) =>
  Array.from(directory.squares).flatMap((square, cluster) => (square < Number.POSITIVE_INFINITY ? [cluster] : []))

const examine = (segment: IndexedSegment, vector: Float32Array, options: SearchOptions = { recall: 0.9 }) =>
  new IvfSearch([segment], 10, effortOf(options), new SearchRecorder()).examine(vector, [])

describe('centroids in parts', () => {
  it('are read as far as a query needs them, and are those that are read all at once', async () => {
    expect(descriptor.sections.find(({ name }) => name === CENTROIDS.name)?.version).toBe(PARTS_CENTROIDS_VERSION)
    const all = await opened()
    await all.ivf.directory.parts?.readAll()
    const { clusters, dimension, centroids, scales, squares } = all.ivf.directory
    expect(known(all.ivf)).toHaveLength(clusters)
    const { ivf } = await opened()
    expect(known(ivf)).toEqual([])
    let right = 0
    for (let query = 0; query < 20; query++) {
      const vector = vectorOf(query * 31 + 0.01)
      const { tags } = (await examine(wholeSegment(ivf), vector)).all()
      if (query === 0) expect(known(ivf).length).toBeLessThan(clusters)
      const distances = Float64Array.from(vectors, (one) =>
        one.reduce((sum, x, d) => sum + (x - (vector[d] as number)) ** 2, 0),
      )
      const tenth = Float64Array.from(distances).sort()[9] as number
      const nearest = [...distances.keys()].filter((i) => (distances[i] as number) <= tenth)
      right += nearest.filter((i) => tags.includes(rows[i] as number)).length
    }
    expect(right / 200).toBeGreaterThan(0.8)
    for (const cluster of known(ivf)) {
      const of = (numbers: Int8Array) => numbers.subarray(cluster * dimension, (cluster + 1) * dimension)
      expect(of(ivf.directory.centroids)).toEqual(of(centroids))
      expect([ivf.directory.scales[cluster], ivf.directory.squares[cluster]]).toEqual([
        scales[cluster],
        squares[cluster],
      ])
    }
  })

  it('are all read for a filter, and for many clusters', async () => {
    const { ivf } = await opened()
    const some = new RowSet(ROWS)
    for (let row = 0; row < ROWS; row += 3) some.add(row)
    await examine({ ...wholeSegment(ivf), rows: some, count: some.count() }, vectorOf(5))
    expect(known(ivf)).toHaveLength(ivf.directory.clusters)
    const other = (await opened()).ivf
    const { clusters } = other.directory
    await examine(wholeSegment(other), vectorOf(5), { fixed: { clusters: clusters / 2 } })
    expect(known(other)).toHaveLength(clusters)
  })

  it('are read once by queries at a time, and again after a failure', async () => {
    let reads = 0
    let fails = false
    const { ivf } = await opened((key, offset, length) => {
      reads++
      return fails ? Promise.reject(new Error('the network is down')) : bucket.read(key, offset, length)
    })
    reads = 0
    await Promise.all([ivf.directory.parts?.readAll(), ivf.directory.parts?.readAll()])
    const once = reads
    await ivf.directory.parts?.readAll()
    expect([once > 0, reads]).toEqual([true, once])
    const second = await opened((key, offset, length) =>
      fails ? Promise.reject(new Error('the network is down')) : bucket.read(key, offset, length),
    )
    fails = true
    await expect(second.ivf.directory.parts?.readAll()).rejects.toThrow('the network is down')
    fails = false
    await second.ivf.directory.parts?.readAll()
    expect(known(second.ivf)).toHaveLength(second.ivf.directory.clusters)
  })

  it('notice each changed byte', async () => {
    const section = descriptor.sections.find(({ name }) => name === CENTROIDS.name)
    if (!section?.directory) throw new Error('there are no parts')
    await verifyIvf((await opened()).reader)
    for (let at = section.offset; at < section.offset + section.length; at += 1_999) {
      const damaged = new SegmentReader(descriptor, async (key, offset, length) => {
        const bytes = (await bucket.read(key, offset, length)).slice()
        if (at >= offset && at < offset + length) bytes[at - offset] = (bytes[at - offset] as number) ^ 4
        return bytes
      })
      await expect(verifyIvf(damaged)).rejects.toMatchObject({ kind: 'corrupt', code: 'section-damaged' })
    }
  })
})
