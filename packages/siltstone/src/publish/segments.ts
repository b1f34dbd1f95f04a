/** The segments of a publication: one with all records, or that of an earlier one and what changed since. */
import { toBase64 } from '#codec'
import type { CompactLimits } from '../compact/compact-limits.ts'
import { type RowSource, writeSegment } from '../compact/write-segment.ts'
import { crcHex } from '../format/checksum.ts'
import { filesOf, partKey, type Published, type PublishedSegment } from '../format/published.ts'
import { encodeRowSet } from '../format/roaring.ts'
import type { FileDescriptor, SegmentDescriptor } from '../format/segment/descriptor.ts'
import { FRAGMENTS } from '../format/segment/fragments.ts'
import { PUBLISHED_LAYOUT } from '../format/segment/layout.ts'
import type { Collection, CollectionState } from '../model/store.ts'
import type { Environment } from '../ports/environment.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { ordinalAt, planChanges } from './change-plan.ts'
import { recallAim } from './recall-aim.ts'
import { collectionRecords, collectionRows } from './collection-rows.ts'
import type { PartWriter } from './part-writer.ts'
import type { PublishTarget } from './publish-target.ts'
import { decodeDigests, digestOf, encodeDigests, type PublishedRecord, type RecordDigest } from './record-digests.ts'

/** Fewer rows are read whole. */
const LIMITS: Pick<CompactLimits, 'indexRows' | 'indexDimension'> = { indexRows: 256, indexDimension: 16 }
/**
 * Of changes: visitors read them beside an index, so reading them whole costs more. (Of 200 passages that changed among 10,000, a first
 * query read 92 KB whole, 21 KB through an index.)
 */
const CHANGES_INDEX_ROWS = 100
const AIM_CACHE_BYTES = 64 * 1024 * 1024
/** Any valid path and ids: files are named by their content. */
const PATH = '000000000000-000000000000-00000000-0000-4000-8000-000000000000'
const WHOLE_ID = '00000000000000000000000000'
const CHANGES_ID = '00000000000000000000000001'

/**
 * With more records written or deleted, everything is published again: visitors read the records that changed beside the others, and
 * rows that are no longer valid in vain.
 */
const MOST_CHANGED_SHARE = 1 / 40

export interface SegmentsRequest {
  collection: Collection
  state: Pick<CollectionState, 'version' | 'records' | 'dimension'>
  staging: Environment
  target: PublishTarget
  parts: PartWriter
  /** What is published now. */
  before: Published | undefined
  /** Publish everything again. */
  isWhole: boolean
  /** undefined: texts of the collection cannot be embedded. */
  embed: ((texts: readonly string[]) => Promise<Float32Array[]>) | undefined
  signal: AbortSignal
}

export type WrittenSegments = Pick<Published, 'segments' | 'digests' | 'recall'> & {
  /** Records that were written; the others are in the earlier publication. */
  recordsWritten: number
}

export async function writeSegments(request: SegmentsRequest): Promise<WrittenSegments> {
  const { collection, state } = request
  const { version, records, dimension } = state
  if (dimension === null || records === 0) return { segments: [], digests: null, recall: null, recordsWritten: 0 }
  const earlier = request.isWhole ? undefined : await earlierOf(request, dimension)
  if (!earlier) return writeWhole(request, dimension)
  const digests: RecordDigest[] = []
  for await (const record of collectionRecords(collection, version)) {
    request.signal.throwIfAborted()
    digests.push(digestOf(record))
  }
  const { written, deletedRows } = planChanges(earlier.published, digests)
  const { base } = earlier
  if (written.size + deletedRows.length > base.segment.rows * MOST_CHANGED_SHARE)
    return writeWhole(request, dimension, digests)
  const { parts } = request
  for (const { key, sizeBytes, partBytes } of earlier.files) parts.keep(key, sizeBytes, partBytes)
  const segments: PublishedSegment[] = [{ segment: base.segment, deletions: deletionsOf(deletedRows) }]
  if (written.size > 0) {
    const ordinalOf = (place: number) => written.get(place)
    const rows = collectionRows(collection, { at: version, records: written.size, ordinalOf })
    const { descriptor } = await stage(request, { id: CHANGES_ID, dimension, rows, count: written.size })
    segments.push({ segment: descriptor, deletions: null })
  }
  return { segments, digests: earlier.digests, recall: request.before?.recall ?? null, recordsWritten: written.size }
}

interface Earlier {
  base: PublishedSegment
  published: ReadonlyMap<string, PublishedRecord>
  digests: FileDescriptor
  files: { key: string; sizeBytes: number; partBytes: number }[]
}

/** The earlier publication, if it can be continued: indexed in the same way, and complete. */
async function earlierOf(
  { collection, target, parts, before }: SegmentsRequest,
  dimension: number,
): Promise<Earlier | undefined> {
  const base = before?.segments[0]
  const digests = before?.digests
  if (!before || !base || !digests || base.segment.dimension !== dimension) return undefined
  const { space, schema } = collection.info
  // Rows of other versions of the sections have other lengths.
  if (base.segment.sections.some(({ name, version }) => name === FRAGMENTS.name && version !== FRAGMENTS.version))
    return undefined
  if (before.space !== space || JSON.stringify(before.schema) !== JSON.stringify(schema)) return undefined
  const needed = [...filesOf({ segments: [base], embedder: null }), digests]
  const files = needed.map(({ key, sizeBytes }) => ({ key, sizeBytes, partBytes: before.partBytes[key] as number }))
  if (!files.every(({ key, sizeBytes, partBytes }) => parts.hasAll(key, sizeBytes, partBytes))) return undefined
  const name = partKey(digests.key, 0)
  const bytes = await target.read(name)
  if (!bytes || crcHex(bytes) !== digests.crc32) {
    parts.distrust(name)
    return undefined
  }
  const published = decodeDigests(bytes, base.segment.rows)
  return published && { base, published, digests, files }
}

async function writeWhole(
  request: SegmentsRequest,
  dimension: number,
  known?: readonly RecordDigest[],
): Promise<WrittenSegments> {
  const { collection, parts } = request
  const { version, records } = request.state
  const digests: RecordDigest[] = []
  const rows = collectionRows(collection, {
    at: version,
    records,
    ordinalOf: (place) => ordinalAt(place, records),
    ...(!known && { onRow: (row) => digests.push(digestOf(row)) }),
  })
  const { descriptor, staged, places } = await stage(request, { id: WHOLE_ID, dimension, rows, count: records })
  const bytes = encodeDigests(known ?? digests, places)
  const key = await parts.write(bytes, bytes.length)
  return {
    segments: [{ segment: descriptor, deletions: null }],
    recall: await recallAim({
      ...request,
      space: collection.info.space,
      segment: staged,
      pool: new SegmentPool(request.staging.store, new BlockCache(AIM_CACHE_BYTES), { readsMost: true }),
    }),
    digests: { key, sizeBytes: bytes.length, crc32: crcHex(bytes) },
    recordsWritten: records,
  }
}

function deletionsOf(rows: readonly number[]): PublishedSegment['deletions'] {
  return rows.length === 0 ? null : { count: rows.length, inline: toBase64(encodeRowSet(rows)) }
}

interface Staged {
  id: string
  dimension: number
  rows: RowSource
  count: number
}

/** Writes a segment into the store for the time of the publication, and its files as parts. @returns it with the keys of either */
async function stage(
  { collection, staging, parts, signal }: SegmentsRequest,
  { id, dimension, rows, count }: Staged,
): Promise<{ descriptor: SegmentDescriptor; staged: SegmentDescriptor; places: Uint32Array | undefined }> {
  const { space, schema } = collection.info
  const job = {
    env: { ...staging, ids: { ...staging.ids, ulid: () => id } },
    path: PATH,
    pool: new SegmentPool(staging.store, new BlockCache(1 << 20), { readsMost: true }),
    limits: { ...LIMITS, indexRows: id === CHANGES_ID ? CHANGES_INDEX_ROWS : LIMITS.indexRows },
    indexing: { space, schema },
    layout: PUBLISHED_LAYOUT,
    dimension,
    expectedRows: count,
    signal,
  }
  const written = await writeSegment(job, rows)
  if (!written) throw new Error(`${count} records were to be published, and none was given`)
  const files: FileDescriptor[] = []
  for (const file of written.descriptor.files) {
    signal.throwIfAborted()
    const got = await staging.store.get(file.key)
    if (got.status !== 'ok') throw new Error(`${file.key} was staged and is not there`)
    files.push({ ...file, key: await parts.write(got.body) })
  }
  return { descriptor: { ...written.descriptor, files }, staged: written.descriptor, places: written.places }
}
