/**
 * A collection of a store, read from its bucket over HTTP without a listing: name → claim → collection → pointer →
 * manifest. So a reader sees the last snapshot, not the writes after it.
 *
 * The pointer may move while a read is under way, and the garbage collector may delete what only the old manifest named,
 * hours later. Then an object is missing: the pointer is read again, and the read begins again if it has moved.
 */
import { collectionType, idKey, isWithin, nameKey } from '../catalog/collection-document.ts'
import { type CatalogDocument, decodeDocument, type DocumentType } from '../catalog/document-codec.ts'
import { nameClaimType } from '../catalog/document-types.ts'
import type { FetchObjectStore } from '../drivers/fetch/fetch-object-store.ts'
import { corrupt, isSiltstoneError, notFound } from '../errors.ts'
import { collectionPath, pointerKey } from '../format/keys.ts'
import { decodeManifest, emptyManifest, LIST_FIELDS, type Manifest } from '../format/manifest.ts'
import { decodePointer } from '../format/pointer.ts'
import type { View } from '../log/view.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { BlockCache } from '../snapshot/block-cache.ts'
import { SegmentPool } from '../snapshot/open-segment.ts'
import type { Described, ReadSource } from './read-source.ts'
import { snapshotView } from './snapshot-view.ts'

export interface BucketPlace {
  tenant: string
  database: string
  collection: string
}

export interface BucketSourceOptions {
  cacheBytes: number
  embed: ReadSource['embed']
}

const FOLLOW_ATTEMPTS = 3

export class BucketSource implements ReadSource {
  readonly described: Described
  readonly embed: ReadSource['embed']
  readonly #store: FetchObjectStore
  readonly #path: string
  readonly #cacheBytes: number
  #pool: SegmentPool
  #view: View

  private constructor(
    store: FetchObjectStore,
    path: string,
    described: Described,
    options: BucketSourceOptions,
    opened: { pool: SegmentPool; view: View },
  ) {
    this.#store = store
    this.#path = path
    this.described = described
    this.embed = options.embed
    this.#cacheBytes = options.cacheBytes
    this.#pool = opened.pool
    this.#view = opened.view
  }

  /**
   * @throws SiltstoneError `not-found` (collection-missing), `corrupt`, `unsupported`, and the driver's errors
   */
  static async open(store: FetchObjectStore, place: BucketPlace, options: BucketSourceOptions): Promise<BucketSource> {
    const { path, described } = await findCollection(store, place)
    const pool = new SegmentPool(store, new BlockCache(options.cacheBytes))
    const view = await currentView(store, path, pool)
    return new BucketSource(store, path, described, options, { pool, view })
  }

  async view(): Promise<View> {
    return this.#view
  }

  async refresh(): Promise<boolean> {
    const key = await pointedAt(this.#store, this.#path)
    if (key === this.#view.manifestKey) return false
    this.#view = await currentView(this.#store, this.#path, this.#pool)
    this.#pool.closeUnused([this.#view.base.part])
    return true
  }

  async recover(error: unknown): Promise<boolean> {
    if (!isSiltstoneError(error, 'corrupt')) return false
    if (await this.refresh()) return true
    if (error.code === 'object-missing' || !this.#store.distrustRanges()) return false
    // Nothing that came in ranges is used again.
    this.#pool = new SegmentPool(this.#store, new BlockCache(this.#cacheBytes))
    this.#view = await currentView(this.#store, this.#path, this.#pool)
    return true
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}

async function findCollection(store: ObjectStore, place: BucketPlace): Promise<{ path: string; described: Described }> {
  const { tenant, database, collection } = place
  const scope = { tenant, database }
  const missing = () =>
    notFound(
      'collection-missing',
      `${store.description} has no collection ${JSON.stringify(collection)} in ${database}`,
    )
  const claim = await documentAt(store, nameKey(scope, collection), nameClaimType)
  if (!claim || claim.collectionId === null) throw missing()
  const document = await documentAt(store, idKey(scope, claim.collectionId), collectionType)
  if (document?.state !== 'live' || document.name !== collection || !isWithin(document, scope)) throw missing()
  const { name, space, metadata, configuration, schema } = document
  const path = collectionPath({ tenant, database, collectionId: document.id })
  return { path, described: { name, space, metadata, configuration, schema } }
}

async function documentAt<T extends CatalogDocument>(
  store: ObjectStore,
  key: string,
  type: DocumentType<T>,
): Promise<T | undefined> {
  const got = await store.get(key)
  return got.status === 'ok' ? decodeDocument(type, got.body, key) : undefined
}

/** @returns null before the first snapshot */
async function pointedAt(store: ObjectStore, path: string): Promise<string | null> {
  const key = pointerKey(path)
  const got = await store.get(key)
  return got.status === 'ok' ? decodePointer(got.body, key) : null
}

async function currentView(store: ObjectStore, path: string, pool: SegmentPool): Promise<View> {
  let last: string | undefined
  for (let attempt = 1; ; attempt++) {
    const key = await pointedAt(store, path)
    if (key === null) return snapshotView(pool, emptyManifest(path), null)
    const got = await store.get(key, { immutable: true })
    if (got.status === 'ok') {
      const manifest = readManifest(got.body, key)
      if (manifest.state === 'live') return snapshotView(pool, manifest, key)
      throw notFound('collection-missing', `the collection at ${store.description} was deleted`)
    }
    if (key === last || attempt === FOLLOW_ATTEMPTS)
      throw corrupt('manifest-missing', `${key} does not exist although it is referred to`, { key })
    last = key
  }
}

/** Without the lists that writers and the garbage collector keep in objects of their own. */
function readManifest(body: Uint8Array, key: string): Manifest {
  const stored = decodeManifest(body, key)
  const lists = Object.fromEntries(LIST_FIELDS.map((field) => [field, []]))
  return { ...stored, ...lists } as unknown as Manifest
}
