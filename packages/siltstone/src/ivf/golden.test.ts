/**
 * A segment with an inverted file as the first program wrote it. It is never written again: a later program must find
 * the same in it. (`SILTSTONE_WRITE_GOLDEN=1` writes it when it does not exist.)
 */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { Bucket } from '../format/segment/testing.ts'
import { expectGolden, goldenSegment } from '../format/testing/golden-segment.ts'
import { indexedSegment, nearestClusters } from './build/testing.ts'
import { Estimates } from './estimates.ts'
import { type Ivf, ivfOf, workspace } from './ivf.ts'
import { prepareQuery } from './prepared-query.ts'
import { type ScanItem, scanLists } from './scan-lists.ts'
import { verifyIvf } from './verify-ivf.ts'

const folder = fileURLToPath(new URL('golden/v1/', import.meta.url))

const vectorOf = (i: number) =>
  Float32Array.from({ length: 24 }, (_, d) => Math.sin(i * 12.9898 + d * 78.233) + (i % 9))

async function write(bucket: Bucket): Promise<SegmentDescriptor> {
  const vectors = Array.from({ length: 500 }, (_, i) => vectorOf(i))
  return (await indexedSegment(bucket, vectors, 'l2')).descriptor
}

async function find(ivf: Ivf, query: Float32Array): Promise<{ clusters: number[]; rows: number[] }> {
  const { directory, lists } = ivf
  const prepared = prepareQuery(workspace(), query, directory)
  const probes = nearestClusters(workspace(), prepared, directory, 6)
  const items: ScanItem[] = []
  for (const probe of probes)
    await lists.read([probe.cluster], (_, list) => {
      items.push({ probe, list, firstTag: 0, rows: undefined })
    })
  const estimates = new Estimates(5)
  scanLists(workspace(), prepared, items, 2, estimates)
  const rows = estimates.survivors(8).map(({ tag }) => tag)
  return { clusters: probes.map(({ cluster }) => cluster), rows: rows.sort((a, b) => a - b) }
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
