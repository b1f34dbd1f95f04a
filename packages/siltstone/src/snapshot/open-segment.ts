/** A segment as a manifest sees it: immutable rows, minus deleted ones, with the columns that overlays changed. */
import { fromBase64 } from '#codec'
import { corrupt } from '../errors.ts'
import type { DeletionsRef, SegmentRef } from '../format/manifest.ts'
import { type OverlayColumn, OverlayReader } from '../format/segment/overlay.ts'
import { type RowNumbers, SegmentReader, type VectorPages } from '../format/segment/reader.ts'
import { eachAtMost, type ReadRange, type SourceOptions } from '../format/segment/source.ts'
import { DISTANT_GAP_BYTES, type GetOptions, type ObjectStore } from '../ports/object-store.ts'
import type { BlockCache } from './block-cache.ts'
import { decodeRowSet } from '../format/roaring.ts'
import { RowSet } from '../format/row-set.ts'
import { getVerified } from './verified-object.ts'

const CHUNK_BYTES = 1024 * 1024
const PARALLEL_READS = 32
/** Ordinals that are in fewer than this share of the pages that hold ordinals are looked up page by page. */
const FEW_SHARE = 1 / 8

export type { OverlayColumn } from '../format/segment/overlay.ts'

export class OpenSegment {
  readonly ref: SegmentRef
  readonly reader: SegmentReader
  readonly deleted: RowSet | null
  readonly overlays: readonly OverlayReader[]
  readonly #cache: BlockCache | undefined
  #rowInfo: Promise<RowNumbers> | undefined

  constructor(
    ref: SegmentRef,
    reader: SegmentReader,
    deleted: RowSet | null,
    overlays: readonly OverlayReader[],
    cache?: BlockCache,
  ) {
    this.#cache = cache
    this.ref = ref
    this.reader = reader
    this.deleted = deleted
    this.overlays = overlays
  }

  get id(): string {
    return this.ref.segment.id
  }

  get rows(): number {
    return this.ref.segment.rows
  }

  get liveRows(): number {
    return this.rows - (this.ref.deletions?.count ?? 0)
  }

  /** Rows that are not deleted; a copy. */
  live(): RowSet {
    const live = RowSet.full(this.rows)
    return this.deleted ? live.subtract(this.deleted) : live
  }

  /** Another reader, which leaves the cache of blocks as it is: for what is read once. */
  uncached(): SegmentReader {
    const { read, gapBytes } = this.reader.source
    return new SegmentReader(this.ref.segment, read, { gapBytes })
  }

  /** Rows whose values overlays changed; undefined: none. */
  async changedRows(name: OverlayColumn): Promise<RowSet | undefined> {
    let changed: RowSet | undefined
    for (const overlay of this.overlays)
      for (const row of await overlay.changedRows(name)) (changed ??= new RowSet(this.rows)).add(row)
    return changed
  }

  async column(name: OverlayColumn, rows: readonly number[]): Promise<(string | null)[]> {
    const values = await this.reader.column(name, rows)
    for (const overlay of this.overlays) {
      const changes = await overlay.column(name, rows)
      changes.forEach((change, i) => {
        if (change !== undefined) values[i] = change
      })
    }
    return values
  }

  /**
   * All vectors in order, in pages. Chunks are cached if the segment fits into the cache. A larger segment would evict
   * everything else; it is read ahead instead.
   */
  async *vectorChunks(): AsyncGenerator<VectorPages> {
    const { geometry, pages } = this.reader.vectorReader
    const cache = this.#cache
    if (!cache || pages * geometry.pageBytes > cache.limitBytes / 2) {
      yield* this.reader.scanVectors({ chunkBytes: CHUNK_BYTES })
      return
    }
    const step = Math.max(1, Math.floor(CHUNK_BYTES / geometry.pageBytes))
    const shelf = cache.shelf(`${this.id}/scan`)
    for (let page = 0; page < pages; page += step) {
      let chunk = shelf.get(page) as VectorPages | undefined
      if (!chunk) {
        chunk = await this.reader.vectorPages(page, Math.min(pages, page + step))
        shelf.set(page, chunk, chunk.data.byteLength)
      }
      yield chunk
    }
  }

  /** Ordinals of some rows. A few are looked up; for many, the ordinals of all rows are read and kept. */
  async ordinals(rows: readonly number[]): Promise<number[]> {
    const isFew = this.#rowInfo === undefined && this.#pagesOf(rows) < this.reader.rowReader.pages * FEW_SHARE
    if (isFew) return [...(await this.reader.rowNumbers(rows)).ordinals]
    const { ordinals } = await this.rowInfo()
    return rows.map((row) => ordinals[row] as number)
  }

  /** In how many pages the ordinals of these rows are. */
  #pagesOf(rows: readonly number[]): number {
    const { recordsPerPage } = this.reader.rowReader.geometry
    return new Set(rows.map((row) => Math.floor(row / recordsPerPage))).size
  }

  /** Ordinals and last versions of all rows; read once. */
  rowInfo(): Promise<RowNumbers> {
    this.#rowInfo ??= this.#readRowInfo().catch((error: unknown) => {
      this.#rowInfo = undefined
      throw error
    })
    return this.#rowInfo
  }

  async #readRowInfo(): Promise<RowNumbers> {
    const { rows, reader } = this
    const { pageBytes, recordsPerPage } = reader.rowReader.geometry
    const step = Math.max(1, Math.floor(CHUNK_BYTES / pageBytes)) * recordsPerPage
    const starts = Array.from({ length: Math.ceil(rows / step) }, (_, i) => i * step)
    const info = { ordinals: new Float64Array(rows), versions: new Float64Array(rows) }
    // Not one after another: from a bucket, each of a million rows' sixteen parts would take a round trip.
    await eachAtMost(starts, PARALLEL_READS, async (start) => {
      const part = await reader.rowRange(start, Math.min(rows, start + step))
      info.ordinals.set(part.ordinals, start)
      info.versions.set(part.versions, start)
    })
    for (const overlay of this.overlays) {
      const targets = await overlay.load()
      targets.rows.forEach((row, i) => {
        info.versions[row] = targets.versions[i] as number
      })
    }
    return info
  }
}

/**
 * From a bucket, pages of sections up to this size are kept even if they were only read along with others: scattered
 * reads soon need most of them.
 */
const GAP_CACHED_SECTION_BYTES = 8 * 1024 * 1024

/** Opens each segment once. All views that refer to the same rows, deletions and overlays share it. */
export class SegmentPool {
  readonly #store: ObjectStore
  readonly #cache: BlockCache
  readonly #readsMost: boolean
  readonly #reading: SourceOptions
  readonly #open = new Map<string, Promise<OpenSegment>>()
  readonly #readers = new Map<string, SegmentReader>()

  /** @param readsMost whether most of each segment is read, so that fewer and larger reads are better on any store */
  constructor(store: ObjectStore, cache: BlockCache, { readsMost = false } = {}) {
    const { capabilities } = store
    const isLocal = capabilities.isLocal && !readsMost
    const gapBytes = readsMost ? Math.max(capabilities.gapBytes, DISTANT_GAP_BYTES) : capabilities.gapBytes
    this.#store = store
    this.#cache = cache
    this.#readsMost = readsMost
    this.#reading = isLocal
      ? { cache, isLocal, gapBytes, cachedSectionBytes: cache.limitBytes }
      : {
          cache,
          gapBytes,
          gapCachedSectionBytes: Math.min(GAP_CACHED_SECTION_BYTES, cache.limitBytes / 8),
        }
  }

  /** A pool for another state of the same store, which needs other segments; the block cache is shared. */
  sibling(): SegmentPool {
    return new SegmentPool(this.#store, this.#cache, { readsMost: this.#readsMost })
  }

  /** Reads the object as it is now, not from a cache: for verification. */
  readonly readRange: ReadRange = (key, offset, length, into) =>
    this.#range(key, { range: { offset, length }, ...(into && { into }) })

  readonly #readImmutable = (key: string, offset: number, length: number): Promise<Uint8Array> =>
    this.#range(key, { range: { offset, length }, immutable: true })

  async #range(key: string, options: GetOptions): Promise<Uint8Array> {
    const got = await this.#store.get(key, options)
    if (got.status !== 'ok')
      throw corrupt('object-missing', `${key} does not exist although it is referred to`, { key })
    return got.body
  }

  open(ref: SegmentRef): Promise<OpenSegment> {
    const name = nameOf(ref)
    const known = this.#open.get(name)
    if (known) return known
    const opening = this.#load(ref)
    this.#open.set(name, opening)
    // A failure is not kept: the next caller tries again.
    opening.catch(() => this.#open.delete(name))
    return opening
  }

  /** Closes the segments that the given states do not use. */
  closeUnused(states: Iterable<{ segments: readonly SegmentRef[] }>): void {
    const names = new Set<string>()
    const ids = new Set<string>()
    for (const state of states)
      for (const ref of state.segments) {
        names.add(nameOf(ref))
        ids.add(ref.segment.id)
      }
    for (const name of this.#open.keys()) if (!names.has(name)) this.#open.delete(name)
    for (const id of this.#readers.keys()) if (!ids.has(id)) this.#readers.delete(id)
  }

  async #load(ref: SegmentRef): Promise<OpenSegment> {
    let reader = this.#readers.get(ref.segment.id)
    if (!reader) {
      reader = new SegmentReader(ref.segment, this.#readImmutable, this.#reading)
      this.#readers.set(ref.segment.id, reader)
    }
    const overlays = ref.overlays.map((overlay) => new OverlayReader(overlay, this.#readImmutable, this.#reading))
    return new OpenSegment(
      ref,
      reader,
      await loadDeletions(this.#store, ref.deletions, ref.segment.rows),
      overlays,
      this.#cache,
    )
  }
}

export async function loadDeletions(
  store: ObjectStore,
  ref: DeletionsRef | null,
  rows: number,
): Promise<RowSet | null> {
  if (!ref) return null
  const bytes = ref.object ? await getVerified(store, ref.object) : fromBase64(ref.inline ?? '')
  const damaged = (reason: string, cause?: unknown) => {
    const key = ref.object?.key
    return corrupt('deletions-damaged', `${key ?? 'an inline bitmap'} ${reason}`, { cause, ...(key && { key }) })
  }
  let set: RowSet
  try {
    set = decodeRowSet(bytes, rows)
  } catch (cause) {
    throw damaged(`is no bitmap of ${rows} rows: ${(cause as Error).message}`, cause)
  }
  if (set.count() !== ref.count) throw damaged(`holds ${set.count()} rows, the manifest says ${ref.count}`)
  return set
}

function nameOf(ref: SegmentRef): string {
  const deletions = ref.deletions?.object?.key ?? ref.deletions?.inline ?? ''
  return `${ref.segment.id}|${deletions}|${ref.overlays.map((overlay) => overlay.id).join(',')}`
}
