/** Writes one segment to the bucket and proves it: every byte is read back before a manifest may name it. */
import { corrupt } from '../errors.ts'
import { segmentFileKey } from '../format/keys.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { SegmentReader } from '../format/segment/reader.ts'
import { type SegmentRow, SegmentWriter } from '../format/segment/writer.ts'
import type { Environment } from '../platform/environment.ts'
import type { Upload } from '../platform/object-store.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'

/** Up to this many bytes of vectors a segment is one object; larger ones are streamed into an object per section. */
const SINGLE_FILE_BYTES = 16 * 1024 * 1024

export interface SegmentJob {
  env: Environment
  path: string
  pool: SegmentPool
  dimension: number
  expectedRows: number
  signal: AbortSignal
}

/**
 * @param rows ascending ordinals
 * @returns null when there was no row
 * @throws SiltstoneError `corrupt` when what was stored is not what was written
 */
export async function writeSegment(
  job: SegmentJob,
  rows: AsyncIterable<readonly SegmentRow[]>,
): Promise<SegmentDescriptor | null> {
  const id = job.env.ids.ulid()
  const uploads: Upload[] = []
  const writer = new SegmentWriter({
    id,
    dimension: job.dimension,
    singleFile: job.expectedRows * job.dimension * 4 <= SINGLE_FILE_BYTES,
    fileKey: (name) => segmentFileKey(job.path, id, name),
    open: async (key) => {
      const upload = await job.env.store.upload(key, { ifAbsent: true })
      uploads.push(upload)
      return upload
    },
  })
  try {
    let count = 0
    for await (const batch of rows) {
      job.signal.throwIfAborted()
      for (const row of batch) await writer.append(row)
      count += batch.length
    }
    if (count === 0) {
      await Promise.all(uploads.map((upload) => upload.abort()))
      return null
    }
    const descriptor = await writer.finish()
    for (const upload of uploads) await upload.complete()
    await verifySegment(job, descriptor, count)
    return descriptor
  } catch (error) {
    await Promise.allSettled(uploads.map((upload) => upload.abort()))
    throw error
  }
}

async function verifySegment(job: SegmentJob, descriptor: SegmentDescriptor, count: number): Promise<void> {
  if (descriptor.rows !== count)
    throw corrupt('count-mismatch', `segment ${descriptor.id} has ${descriptor.rows} rows, ${count} were given to it`)
  for (const file of descriptor.files) {
    const head = await job.env.store.head(file.key)
    if (head?.sizeBytes !== file.sizeBytes)
      throw corrupt(
        'size-mismatch',
        `${file.key} has ${head?.sizeBytes ?? 'no'} bytes, ${file.sizeBytes} were written`,
        { key: file.key },
      )
  }
  await new SegmentReader(descriptor, job.pool.readRange).verify()
}
