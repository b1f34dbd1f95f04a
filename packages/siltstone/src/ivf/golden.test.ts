/**
 * Segments with an inverted file as each version of the format wrote them. They are never rewritten: each later release must
 * find the same results in them. (`SILTSTONE_WRITE_GOLDEN=1` writes those that do not exist.)
 */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import type { Bucket } from '../format/segment/testing.ts'
import { expectGolden, goldenSegment } from '../format/testing/golden-segment.ts'
import { indexedSegment, wholeSegment } from './build/testing.ts'
import { NO_FACTORS, UNCALIBRATED } from './calibration.ts'
import { USUAL_FLATNESS } from './flatness.ts'
import { USUALLY_FAR } from './outside.ts'
import { type Ivf, ivfOf } from './ivf.ts'
import { chooseClusters } from './search/choose-clusters.ts'
import { effortOf } from './search/effort.ts'
import { IvfSearch } from './search/ivf-search.ts'
import { prepareQuery } from './search/prepared-query.ts'
import { SearchRecorder } from './search/search-recorder.ts'
import { workspace } from './search/workspace.ts'
import { verifyIvf } from './verify-ivf.ts'

const folderOf = (version: string) => fileURLToPath(new URL(`golden/${version}/`, import.meta.url))

const vectorOf = (i: number) =>
  Float32Array.from({ length: 24 }, (_, d) => Math.sin(i * 12.9898 + d * 78.233) + (i % 9))

async function write(bucket: Bucket): Promise<SegmentDescriptor> {
  const vectors = Array.from({ length: 500 }, (_, i) => vectorOf(i))
  return (await indexedSegment(bucket, vectors, 'l2')).descriptor
}

async function find(ivf: Ivf, vector: Float32Array): Promise<{ clusters: number[]; rows: number[] }> {
  const segment = wholeSegment(ivf)
  const query = prepareQuery(workspace(), vector, ivf.directory)
  const { probes } = chooseClusters([segment], [query], 1, () => () => 6)
  const effort = effortOf({ fixed: { clusters: 6, deviations: 2 } })
  const examination = await new IvfSearch([segment], 5, effort, new SearchRecorder()).examine(vector, [])
  // The eight likeliest.
  const rows = examination.all().tags.slice(0, 8)
  return { clusters: probes.map(({ cluster }) => cluster), rows: rows.sort((a, b) => a - b) }
}

it.each(['v1', 'v2', 'v4', 'v6', 'v9', 'v11'] as const)('reads what %s wrote, and finds the same', async (version) => {
  const folder = folderOf(version)
  const reader = await goldenSegment(folder, write)
  await verifyIvf(reader)
  const ivf = (await ivfOf(reader)) as Ivf
  const { ordinals } = await reader.rowRange(0, reader.rows)
  const found = await find(ivf, vectorOf(123))
  expect(found.rows.map((row) => ordinals[row])).toContain(123)
  const { flatness, filters, usualNear, ...calibration } = ivf.directory.calibration
  const { far, ...untold } = filters
  const isFirst = version === 'v1' || version === 'v2' || version === 'v4'
  if (version !== 'v11') expect(far).toEqual(filters.shares.map(() => USUALLY_FAR))
  if (version === 'v6') expect(filters.outside).toEqual(filters.factors)
  if (isFirst) {
    // One for all numbers of neighbours.
    expect(new Set(usualNear).size).toBe(1)
    expect(flatness).toEqual(flatness.map(() => flatness[0]))
    expect(filters).toEqual(NO_FACTORS)
  }
  if (version === 'v1' || version === 'v2') expect(flatness[0]).toEqual(USUAL_FLATNESS)
  const common = { ...calibration, usualNear: usualNear[0] }
  const told = {
    v1: {},
    v2: { calibration: common },
    v4: { calibration: common, flatness: flatness[0] },
    v6: {
      calibration: { ...ivf.directory.calibration, filters: { shares: filters.shares, factors: filters.factors } },
    },
    v9: { calibration: { ...ivf.directory.calibration, filters: untold } },
    v11: { calibration: ivf.directory.calibration },
  }[version]
  expectGolden(folder, { ...found, ...told })
})

it('takes what is usual for what the first version does not tell', async () => {
  const ivf = (await ivfOf(await goldenSegment(folderOf('v1'), write))) as Ivf
  expect(ivf.directory.calibration).toBe(UNCALIBRATED)
  expect(ivf.directory.reach).toBeGreaterThan(0)
})
