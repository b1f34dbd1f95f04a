/** Writes one segment to the bucket and verifies it: every byte is read back before a manifest may name it. */
import { yieldToEventLoop } from '#codec'
import { type Indexing, indexingOf } from '../catalog/indexing-of.ts'
import type { Space } from '../model/collection.ts'
import { corrupt } from '../errors.ts'
import { FilterIndexBuilder } from '../filter-index/builder.ts'
import { verifyFilterIndex } from '../filter-index/verify-filter-index.ts'
import { segmentFileKey } from '../format/keys.ts'
import type { SegmentLayout } from '../format/segment/layout.ts'
import type { OldSegment } from '../format/segment/old-segment.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { verifySegment } from '../format/segment/verify-segment.ts'
import { SegmentReader } from '../format/segment/reader.ts'
import { both, type Pending } from '../format/segment/sink.ts'
import { type SegmentRow, SegmentWriter } from '../format/segment/writer.ts'
import { IvfBuilder } from '../ivf/build/builder.ts'
import { verifyIvf } from '../ivf/verify-ivf.ts'
import { Pacer } from '../pacer.ts'
import type { Environment } from '../ports/environment.ts'
import type { Upload } from '../ports/object-store.ts'
import { memoryScratch } from '../ports/scratch.ts'
import { parseForFilter } from '../records/parse-for-filter.ts'
import type { SegmentPool } from '../snapshot/open-segment.ts'
import { WordIndexBuilder } from '../word-index/builder.ts'
import { wantedIndexes } from '../word-index/indexed-keys.ts'
import { verifyWordIndexes } from '../word-index/verify-word-index.ts'
import type { CompactLimits } from './compact-limits.ts'
import { SPILLED_CHUNK_BYTES } from '../sort/spilled-runs.ts'
import { RowSorter, RUN_BYTES } from './row-sorter.ts'

/** With at most this many bytes of vectors a segment is one object; otherwise each section is streamed into its own. */
const SINGLE_FILE_BYTES = 16 * 1024 * 1024

/** What a row has beside its vector, about. */
const TEXT_BYTES = 800

/** Bytes read back between two pauses: some 10 ms. */
const PAUSE_AFTER_BYTES = 4 * 1024 * 1024

/** Where a segment is written, and how. */
export interface SegmentContext {
  env: Environment
  path: string
  pool: SegmentPool
  limits: Pick<CompactLimits, 'indexRows' | 'indexDimension'> & Partial<Pick<CompactLimits, 'sortBytes' | 'indexBytes'>>
  /** How distances are measured, and the schema. Default: as the catalog says. */
  indexing?: Indexing
  /** Default `STORED_LAYOUT`. */
  layout?: SegmentLayout
}

export interface SegmentJob extends SegmentContext {
  dimension: number
  /** Exactly as many rows as the source gives. */
  expectedRows: number
  signal: AbortSignal
}

/** The rows of a segment that is being written. */
export interface RowSource {
  /** `inserted`: ascending ordinals; `any`: the cheapest order. Called once. */
  rows(order: 'inserted' | 'any'): AsyncIterable<readonly SegmentRow[]>
  /** About how many bytes of rows are in memory anyway until the segment is written. Default 0. */
  heldBytes?: number
  /** Vectors of about `count` rows, taken evenly from all. Called at most once, before `rows`. */
  sample(count: number): AsyncIterable<readonly Float32Array[]>
  /** Segments that rows come from, so that their indexes are merged. */
  old?: OldRows
}

export interface OldRows {
  segments: readonly OldSegment[]
  /** Where the row was that was given at this place (`originOf` of `old-segment.ts`); undefined: in none of the segments. */
  originOf(arrival: number): number | undefined
  /** Called once all rows are written; fills the maps of the segments. @param places see `WrittenSegment` */
  placed(places: Uint32Array | undefined): void
}

export interface WrittenSegment {
  descriptor: SegmentDescriptor
  /** The row of each record, in the order in which the source gave them. Undefined: rows are in that order. */
  places: Uint32Array | undefined
}

/**
 * How to cluster a segment. Undefined when it has too few rows or its vectors are too short to gain by it, or when the
 * catalog does not know how distances are measured: its rows then stay in order of insertion, and searches scan them.
 */
function spaceToIndex({ limits, dimension }: SegmentJob, indexing: Indexing | undefined): Space | undefined {
  return dimension >= limits.indexDimension ? indexing?.space : undefined
}

/** `wanted` numbers below `count`, evenly spread; all of them when there are fewer. */
export function evenly(count: number, wanted: number): number[] {
  const taken = Math.min(count, wanted)
  return Array.from({ length: taken }, (_, i) => Math.floor((i * count) / taken))
}

/**
 * @returns null when the source gave no row
 * @throws SiltstoneError `corrupt` when what was stored is not what was written
 */
export async function writeSegment(job: SegmentJob, source: RowSource): Promise<WrittenSegment | null> {
  const { signal } = job
  const id = job.env.ids.ulid()
  const isIndexed = job.expectedRows >= job.limits.indexRows
  const indexing = isIndexed ? (job.indexing ?? (await indexingOf(job.env.store, job.path))) : undefined
  const space = spaceToIndex(job, indexing)
  const uploads: Upload[] = []
  const writer = new SegmentWriter({
    id,
    dimension: job.dimension,
    ...(job.layout && { layout: job.layout }),
    order: space === undefined ? 'ordinal' : 'cluster',
    singleFile: job.expectedRows * job.dimension * 4 <= SINGLE_FILE_BYTES,
    fileKey: (name) => segmentFileKey(job.path, id, name),
    open: async (key) => {
      const upload = await job.env.store.upload(key, { ifAbsent: true })
      uploads.push(upload)
      const write = (chunk: Uint8Array) => {
        job.signal.throwIfAborted()
        return upload.write(chunk)
      }
      return { write }
    },
  })
  const { scratch } = job.env
  const { indexBytes: memoryBytes } = job.limits
  const old = source.old?.segments ?? []
  const filters = isIndexed ? await FilterIndexBuilder.merging({ scratch, memoryBytes }, old) : undefined
  const words = isIndexed
    ? new WordIndexBuilder(await wantedIndexes(indexing?.schema ?? null), {
        scratch,
        memoryBytes,
        layout: job.layout,
        old,
      })
    : undefined
  const append: Append = (row, arrival) => {
    if (!filters || !words) return writer.append(row)
    const { document } = row
    const origin = source.old?.originOf(arrival)
    const isRead = row.metadata !== null && (filters.needsMetadata(origin) || words.needsMetadata(origin))
    const metadata = isRead ? parseForFilter(row.metadata as string) : null
    const indexed = both(
      filters.add(writer.rows, metadata, document, origin),
      words.add(writer.rows, metadata, document, origin),
    )
    return indexed ? indexed.then(() => writer.append(row)) : writer.append(row)
  }
  try {
    let places: Uint32Array | undefined
    if (space === undefined) await writeInserted(job, append, source)
    else places = await writeClustered(job, space, writer, append, source)
    const { rows } = writer
    if (rows === 0) {
      await Promise.all(uploads.map((upload) => upload.abort()))
      return null
    }
    source.old?.placed(places)
    await filters?.sections(writer)
    await words?.sections(writer)
    signal.throwIfAborted()
    const descriptor = await writer.finish()
    signal.throwIfAborted()
    for (const upload of uploads) await upload.complete()
    await verifyWritten(job, descriptor, rows)
    return { descriptor, places }
  } catch (error) {
    await Promise.allSettled(uploads.map((upload) => upload.abort()))
    throw error
  } finally {
    await Promise.all([filters?.close(), words?.close()])
  }
}

/** @param arrival the place at which the source gave the row */
type Append = (row: SegmentRow, arrival: number) => Pending

async function writeInserted(job: SegmentJob, append: Append, source: RowSource): Promise<void> {
  let arrival = 0
  for await (const batch of source.rows('inserted')) {
    job.signal.throwIfAborted()
    for (const row of batch) {
      const pending = append(row, arrival++)
      if (pending) await pending
    }
  }
}

async function writeClustered(
  job: SegmentJob,
  space: Space,
  writer: SegmentWriter,
  append: Append,
  source: RowSource,
): Promise<Uint32Array> {
  const { signal, expectedRows, dimension, env } = job
  const compact = job.layout?.isCompact ?? false
  const builder = new IvfBuilder(expectedRows, dimension, space, signal, { compact })
  for await (const vectors of source.sample(builder.sampleRows)) {
    signal.throwIfAborted()
    builder.sample(vectors)
  }
  await builder.train()
  const sorter = new RowSorter(env.scratch ?? memoryScratch, runBytesFor(job) + (source.heldBytes ?? 0))
  try {
    for await (const batch of source.rows('any')) {
      signal.throwIfAborted()
      await sorter.add(batch, await builder.add(batch.map(({ vector }) => vector)))
    }
    const places = new Uint32Array(expectedRows)
    for await (const batch of sorter.sorted()) {
      signal.throwIfAborted()
      for (const { row, arrival } of batch) {
        places[arrival] = writer.rows
        const pending = append(row, arrival)
        if (pending) await pending
      }
    }
    await builder.sections(writer, places)
    return places
  } finally {
    await sorter.close()
  }
}

/**
 * The size of a sorted run. Of many rows runs are larger: while they are merged, memory holds a chunk of each, which is
 * least, in all, when the run is as large as the chunks together.
 */
function runBytesFor({ limits, expectedRows, dimension }: SegmentJob): number {
  const { sortBytes } = limits
  if (sortBytes === undefined) return RUN_BYTES
  return Math.max(sortBytes, Math.sqrt(expectedRows * (4 * dimension + TEXT_BYTES) * SPILLED_CHUNK_BYTES))
}

async function verifyWritten(job: SegmentJob, descriptor: SegmentDescriptor, count: number): Promise<void> {
  if (descriptor.rows !== count)
    throw corrupt('count-mismatch', `segment ${descriptor.id} has ${descriptor.rows} rows, ${count} were given to it`)
  for (const file of descriptor.files) {
    job.signal.throwIfAborted()
    const head = await job.env.store.head(file.key)
    if (head?.sizeBytes !== file.sizeBytes)
      throw corrupt(
        'size-mismatch',
        `${file.key} has ${head?.sizeBytes ?? 'no'} bytes, ${file.sizeBytes} were written`,
        { key: file.key },
      )
  }
  // A store that answers at once would never let the timer of a deadline fire.
  const pacer = new Pacer(PAUSE_AFTER_BYTES, yieldToEventLoop)
  const reader = new SegmentReader(descriptor, async (key, offset, length, into) => {
    const due = pacer.spend(length)
    if (due) await due
    job.signal.throwIfAborted()
    return job.pool.readRange(key, offset, length, into)
  })
  await verifySegment(reader)
  await verifyIvf(reader)
  await verifyFilterIndex(reader)
  await verifyWordIndexes(reader)
}
