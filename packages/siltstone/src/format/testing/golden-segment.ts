/** Segments as the first program wrote them, in a folder: `data`, `descriptor.json`, and what was found in them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'
import { parseSegmentDescriptor, type SegmentDescriptor } from '../segment/descriptor.ts'
import { verifySegment } from '../segment/verify-segment.ts'
import { SegmentReader } from '../segment/reader.ts'
import { Bucket } from '../segment/testing.ts'

const mayWrite = process.env['SILTSTONE_WRITE_GOLDEN'] === '1'

/**
 * @param folder ends with a slash
 * @param write makes the segment, for a golden file that does not exist
 */
export async function goldenSegment(
  folder: string,
  write: (bucket: Bucket) => Promise<SegmentDescriptor>,
): Promise<SegmentReader> {
  if (mayWrite && !existsSync(`${folder}data`)) {
    const bucket = new Bucket()
    const written = await write(bucket)
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}descriptor.json`, `${JSON.stringify(written, null, 2)}\n`)
    for (const bytes of bucket.objects.values()) writeFileSync(`${folder}data`, bytes)
  }
  const data = readFileSync(`${folder}data`)
  const descriptor = parseSegmentDescriptor(JSON.parse(readFileSync(`${folder}descriptor.json`, 'utf8')))
  const reader = new SegmentReader(descriptor, async (_, offset, length) => data.subarray(offset, offset + length))
  await verifySegment(reader)
  return reader
}

/** Tests that what was found is what the first program found. */
export function expectGolden(folder: string, found: unknown): void {
  if (mayWrite && !existsSync(`${folder}found.json`))
    writeFileSync(`${folder}found.json`, `${JSON.stringify(found, null, 1)}\n`)
  expect(found).toEqual(JSON.parse(readFileSync(`${folder}found.json`, 'utf8')))
}
