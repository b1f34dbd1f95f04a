/**
 * A published folder. `search.json` names all else, by the hashes of its content, so what was read once stays true; when
 * the folder is published again, files that only the old `search.json` named vanish. Then it is read again, and the read
 * begins again if it has changed.
 */
import { equalBytes } from '#codec'
import type { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { PublishedModel } from '../embed/english/published-model.ts'
import { invalid, isSiltstoneError, notFound } from '../errors.ts'
import { emptyManifest } from '../format/manifest.ts'
import { decodePublished, PUBLISHED_FILE } from '../format/published.ts'
import { ivfOf } from '../ivf/ivf.ts'
import type { View } from '../log/view.ts'
import type { SearchOptions } from '../model/read.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import { partStore } from './part-store.ts'
import type { Described, ReadSource } from './read-source.ts'
import { snapshotView } from './snapshot-view.ts'

export interface PublishedSourceOptions {
  cacheBytes: number
  /** Instead of the published embedder. */
  embed?: ReadSource['embed']
}

/**
 * What a search aims at that does not say, in folders that were published before they said it: less than in a store, since a visitor waits for every
 * byte of the lists. See docs/decisions/0016-published-folders.md.
 */
const RECALL = 0.925
const LARGE_RECALL = 0.87
const LARGE_RECORDS = 16_000

interface Opened {
  bytes: Uint8Array
  described: Described
  view: View
  model: PublishedModel | undefined
  recall: number | null
}

export class PublishedSource implements ReadSource {
  readonly #store: FetchObjectStore
  readonly #options: PublishedSourceOptions
  #opened: Opened

  private constructor(store: FetchObjectStore, options: PublishedSourceOptions, opened: Opened) {
    this.#store = store
    this.#options = options
    this.#opened = opened
  }

  /** @throws SiltstoneError `not-found` (not-published), `corrupt`, `unsupported`, and the driver's errors */
  static async open(store: FetchObjectStore, options: PublishedSourceOptions): Promise<PublishedSource> {
    return new PublishedSource(store, options, await opened(store, await descriptionOf(store), options))
  }

  get described(): Described {
    return this.#opened.described
  }

  get effort(): SearchOptions {
    const { recall, view } = this.#opened
    return { recall: recall ?? (view.liveRecords > LARGE_RECORDS ? LARGE_RECALL : RECALL), isUnrounded: true }
  }

  async view(): Promise<View> {
    return this.#opened.view
  }

  /** Reads what each query needs, so that the first one waits for less. */
  async prepare(): Promise<void> {
    const { view, model } = this.#opened
    await Promise.all([
      model?.prepare(),
      ...view.base.segments.map(({ reader }) =>
        Promise.all([ivfOf(reader), reader.prepare(['ids', 'metadata', 'documents'])]),
      ),
    ])
  }

  async refresh(): Promise<boolean> {
    const bytes = await descriptionOf(this.#store)
    if (equalBytes(bytes, this.#opened.bytes)) return false
    this.#opened = await opened(this.#store, bytes, this.#options)
    return true
  }

  async recover(error: unknown): Promise<boolean> {
    if (!isSiltstoneError(error, 'corrupt')) return false
    if (await this.refresh()) return true
    if (error.code === 'object-missing' || !this.#store.distrustRanges()) return false
    // Nothing that came in ranges is used again.
    this.#opened = await opened(this.#store, this.#opened.bytes, this.#options)
    return true
  }

  async embed(texts: readonly string[]): Promise<Float32Array[]> {
    const { embed } = this.#options
    if (embed) return embed(texts)
    const { model } = this.#opened
    if (model) return model.embed(texts)
    throw invalid(
      'embedder-missing',
      `${this.#store.description} was published without an embedder: give vectors, or open(url, { embed })`,
      { field: 'embed' },
    )
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

async function descriptionOf(store: FetchObjectStore): Promise<Uint8Array> {
  const got = await store.get(PUBLISHED_FILE)
  if (got.status === 'ok') return got.body
  throw notFound(
    'not-published',
    `${store.description} has no ${PUBLISHED_FILE}: give the address of a folder that siltstone publish wrote, or name a collection of a store`,
    { key: PUBLISHED_FILE },
  )
}

async function opened(store: FetchObjectStore, bytes: Uint8Array, options: PublishedSourceOptions): Promise<Opened> {
  const published = decodePublished(bytes)
  const { segments, embedder, name, space, metadata, configuration, schema, recall } = published
  const parts = partStore(store, published)
  const cache = new BlockCache(options.cacheBytes)
  const manifest = {
    ...emptyManifest(''),
    segments: segments.map((one) => ({ ...one, overlays: [] })),
    dimension: segments[0]?.segment.dimension ?? null,
    liveRecords: segments.reduce((sum, { segment, deletions }) => sum + segment.rows - (deletions?.count ?? 0), 0),
    nextOrdinal: Math.max(-1, ...segments.map(({ segment }) => segment.maxOrdinal)) + 1,
    watermark: published.version,
  }
  const { gapBytes } = store.capabilities
  return {
    bytes,
    recall,
    described: { name, space, metadata, configuration, schema },
    view: await snapshotView(new SegmentPool(parts.store, cache), manifest, null),
    model: embedder ? new PublishedModel(embedder, parts.read, { cache, gapBytes }) : undefined,
  }
}
