/**
 * A segment with an inverted file as the first program wrote it. It is never written again: a later program must find
 * the same in it. (`SILTSTONE_WRITE_GOLDEN=1` writes it when it does not exist.)
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parseSegmentDescriptor } from '../format/segment/descriptor.ts'
import { SegmentReader } from '../format/segment/reader.ts'
import { Bucket } from '../format/segment/testing.ts'
import { indexedSegment } from './build/testing.ts'
import { Estimates } from './estimates.ts'
import { type Ivf, ivfOf, workspace } from './ivf.ts'
import { prepareQuery } from './prepared-query.ts'
import { nearestClusters } from './probe.ts'
import { type ScanItem, scanLists } from './scan-lists.ts'
import { verifyIvf } from './verify.ts'

const folder = fileURLToPath(new URL('golden/v1/', import.meta.url))

const vectorOf = (i: number) =>
  Float32Array.from({ length: 24 }, (_, d) => Math.sin(i * 12.9898 + d * 78.233) + (i % 9))

async function write(): Promise<void> {
  const bucket = new Bucket()
  const vectors = Array.from({ length: 500 }, (_, i) => vectorOf(i))
  const { descriptor } = await indexedSegment(bucket, vectors, 'l2')
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${folder}descriptor.json`, `${JSON.stringify(descriptor, null, 2)}\n`)
  for (const bytes of bucket.objects.values()) writeFileSync(`${folder}data`, bytes)
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
  return { clusters: probes.map(({ cluster }) => cluster), rows: estimates.survivors(8).sort((a, b) => a - b) }
}

it('reads what the first program wrote, and finds the same', async () => {
  if (process.env['SILTSTONE_WRITE_GOLDEN'] === '1' && !existsSync(`${folder}data`)) await write()
  const data = readFileSync(`${folder}data`)
  const descriptor = parseSegmentDescriptor(JSON.parse(readFileSync(`${folder}descriptor.json`, 'utf8')))
  const reader = new SegmentReader(descriptor, async (_, offset, length) => data.subarray(offset, offset + length))
  await reader.verify()
  await verifyIvf(reader)
  const ivf = (await ivfOf(reader)) as Ivf
  const { ordinals } = await reader.rowRange(0, reader.rows)
  const found = await find(ivf, vectorOf(123))
  expect(found.rows.map((row) => ordinals[row])).toContain(123)
  if (process.env['SILTSTONE_WRITE_GOLDEN'] === '1' && !existsSync(`${folder}found.json`))
    writeFileSync(`${folder}found.json`, `${JSON.stringify(found)}\n`)
  expect(found).toEqual(JSON.parse(readFileSync(`${folder}found.json`, 'utf8')))
})
