/**
 * A segment with an inverted file as the first program wrote it. It is never written again: a later program must find
 * the same in it. (`SILTSTONE_WRITE_GOLDEN=1` writes it when it does not exist.)
 */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { Bucket } from '../format/segment/testing.ts'
import { expectGolden, goldenSegment } from '../format/testing/golden-segment.ts'
import { indexedSegment, wholeSegment } from './build/testing.ts'
import { type Ivf, ivfOf } from './ivf.ts'
import { chooseClusters } from './search/choose-clusters.ts'
import { IvfSearch } from './search/ivf-search.ts'
import { prepareQuery } from './search/prepared-query.ts'
import { SearchRecorder } from './search/search-recorder.ts'
import { workspace } from './search/workspace.ts'
import { verifyIvf } from './verify-ivf.ts'

const folder = fileURLToPath(new URL('golden/v1/', import.meta.url))

const vectorOf = (i: number) =>
  Float32Array.from({ length: 24 }, (_, d) => Math.sin(i * 12.9898 + d * 78.233) + (i % 9))

async function write(bucket: Bucket): Promise<SegmentDescriptor> {
  const vectors = Array.from({ length: 500 }, (_, i) => vectorOf(i))
  return (await indexedSegment(bucket, vectors, 'l2')).descriptor
}

async function find(ivf: Ivf, vector: Float32Array): Promise<{ clusters: number[]; rows: number[] }> {
  const segment = wholeSegment(ivf)
  const query = prepareQuery(workspace(), vector, ivf.directory)
  const probes = chooseClusters([segment], [query], { least: 6, most: 6, matches: 0 })
  const effort = { probes: 6, deviations: 2, lateWidening: 1, rerank: 8 }
  const survivors = await new IvfSearch([segment], 5, effort, new SearchRecorder()).survivors(vector, [])
  return { clusters: probes.map(({ cluster }) => cluster), rows: survivors.all().sort((a, b) => a - b) }
}

it('reads what the first program wrote, and finds the same', async () => {
  const reader = await goldenSegment(folder, write)
  await verifyIvf(reader)
  const ivf = (await ivfOf(reader)) as Ivf
  const { ordinals } = await reader.rowRange(0, reader.rows)
  const found = await find(ivf, vectorOf(123))
  expect(found.rows.map((row) => ordinals[row])).toContain(123)
  expectGolden(folder, found)
})
