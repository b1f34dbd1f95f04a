/**
 * Publishes a collection as a folder of files that any static host serves, and that `@siltstone/reader` searches. The layout is
 * told in `format/published.ts` and docs/decisions/0016-published-folders.md.
 *
 * The parts are written first, then `search.json`, then the parts that it does not name are removed: a reader that has the
 * old `search.json` finds its parts, or finds them missing and reads the new one. A publication that breaks off leaves the
 * old state and some parts, which the next one removes. The content decides the names, so what did not change is not written.
 */
import { createHash } from 'node:crypto'
import type { CompactLimits } from '../compact/compact-limits.ts'
import { conflict } from '../errors.ts'
import { writeSegment } from '../compact/write-segment.ts'
import {
  encodePublished,
  filesOf,
  isPublished,
  partKey,
  PUBLISHED_FILE,
  type Published,
  type PublishedEmbedder,
} from '../format/published.ts'
import type { SegmentDescriptor } from '../format/segment/descriptor.ts'
import { PUBLISHED_LAYOUT } from '../format/segment/layout.ts'
import type { Collection } from '../model/store.ts'
import type { Environment } from '../ports/environment.ts'
import type { ModelHost } from '../ports/model-host.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { collectionRows } from './collection-rows.ts'
import { englishEmbedder, isEnglish } from './publish-embedder.ts'
import type { PublishTarget } from './publish-target.ts'

export interface PublishRequest {
  collection: Collection
  /** A store of its own for the time of the publication; its content is not needed afterwards. */
  staging: Environment
  target: PublishTarget
  models: Pick<ModelHost, 'readPackageFiles'>
  signal?: AbortSignal
}

export interface PublishReport {
  /** Of the collection. */
  version: number
  records: number
  /** Files of the folder that belong to the publication, and their bytes. */
  files: number
  sizeBytes: number
  /** Files that were not there before. */
  written: number
  removed: number
  /** Whether texts are embedded in the page. */
  embedder: boolean
}

/** Fewer rows are read whole. */
const LIMITS: Pick<CompactLimits, 'indexRows' | 'indexDimension'> = { indexRows: 256, indexDimension: 16 }
/** Any valid path and id: the folder has one segment, whose files are named by their content. */
const PATH = '000000000000-000000000000-00000000-0000-4000-8000-000000000000'
const SEGMENT_ID = '00000000000000000000000000'
const LEAST_PART_BYTES = 64 * 1024
const MOST_PARTS = 200

const DATA = 'data/'

/** @throws SiltstoneError of the collection's reads, and the target's errors */
export async function publish(request: PublishRequest): Promise<PublishReport> {
  const { collection, target, models, signal = new AbortController().signal } = request
  const { version, records, dimension } = await collection.state()
  const { name, space, metadata, configuration, schema } = collection.info
  await checkReplaceable(target)
  const staged =
    dimension === null || records === 0 ? null : await stage(request, { version, records, dimension, signal })
  const parts = new PartWriter(target, new Set(await target.list(DATA)))
  const partBytes: Record<string, number> = {}
  let segment: SegmentDescriptor | null = null
  if (staged) {
    const files: SegmentDescriptor['files'] = []
    for (const file of staged.files) {
      signal.throwIfAborted()
      const put = await parts.writeObject(request.staging.store, file.key)
      partBytes[put.key] = put.partBytes
      files.push({ ...file, key: put.key })
    }
    segment = { ...staged, files }
  }
  let embedder: PublishedEmbedder | null = null
  if (isEnglish(configuration, dimension)) {
    const files = await englishEmbedder(models)
    const vocabulary = await parts.writeBytes(files.vocabulary)
    const rows = await parts.writeBytes(files.rows)
    partBytes[vocabulary.key] = vocabulary.partBytes
    partBytes[rows.key] = rows.partBytes
    embedder = files.describe({ vocabulary: vocabulary.key, rows: rows.key })
  }
  const published: Published = { name, space, metadata, configuration, schema, version, segment, embedder, partBytes }
  const description = encodePublished(published)
  await target.write(PUBLISHED_FILE, description)
  const removed = await parts.removeOthers()
  return {
    version,
    records,
    files: parts.used.size + 1,
    sizeBytes: filesOf(published).reduce((sum, { sizeBytes }) => sum + sizeBytes, description.length),
    written: parts.written,
    removed,
    embedder: embedder !== null,
  }
}

/** @throws SiltstoneError `conflict` (foreign-file) */
async function checkReplaceable(target: PublishTarget): Promise<void> {
  const old = await target.read(PUBLISHED_FILE)
  if (old === undefined || isPublished(old)) return
  throw conflict(
    'foreign-file',
    `${PUBLISHED_FILE} is there and is no publication of Siltstone; publish into another directory, or remove it`,
    { key: PUBLISHED_FILE },
  )
}

async function stage(
  { collection, staging }: PublishRequest,
  { version, records, dimension, signal }: { version: number; records: number; dimension: number; signal: AbortSignal },
): Promise<SegmentDescriptor> {
  const { space, schema } = collection.info
  const job = {
    env: { ...staging, ids: { ...staging.ids, ulid: () => SEGMENT_ID } },
    path: PATH,
    pool: new SegmentPool(staging.store, new BlockCache(1 << 20), { readsMost: true }),
    limits: LIMITS,
    indexing: { space, schema },
    layout: PUBLISHED_LAYOUT,
    dimension,
    expectedRows: records,
    signal,
  }
  const written = await writeSegment(job, collectionRows(collection, version, records))
  if (!written) throw new Error(`version ${version} has ${records} records and gave none`)
  return written.descriptor
}

/** Cuts files into parts that are named by the content of the whole file. */
class PartWriter {
  readonly #target: PublishTarget
  readonly #there: ReadonlySet<string>
  readonly used = new Set<string>()
  written = 0

  constructor(target: PublishTarget, there: ReadonlySet<string>) {
    this.#target = target
    this.#there = there
  }

  async writeObject(store: ObjectStore, key: string): Promise<{ key: string; partBytes: number }> {
    const got = await store.get(key)
    if (got.status !== 'ok') throw new Error(`${key} was staged and is not there`)
    return this.writeBytes(got.body)
  }

  /** @param wholeBytes a file of at most this many bytes is one part */
  async writeBytes(bytes: Uint8Array, wholeBytes = LEAST_PART_BYTES): Promise<{ key: string; partBytes: number }> {
    const key = `${DATA}${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`
    let partBytes = Math.max(1, LEAST_PART_BYTES, wholeBytes)
    while (bytes.length / partBytes > MOST_PARTS) partBytes *= 2
    for (let part = 0; part * partBytes < bytes.length; part++) {
      const name = partKey(key, part)
      this.used.add(name)
      if (this.#there.has(name)) continue
      await this.#target.write(name, bytes.subarray(part * partBytes, (part + 1) * partBytes))
      this.written++
    }
    return { key, partBytes }
  }

  async removeOthers(): Promise<number> {
    const others = [...this.#there].filter((name) => !this.used.has(name) && /^data\/[0-9a-f]{16}-\d+\.bin$/.test(name))
    for (const name of others) await this.#target.remove(name)
    return others.length
  }
}
