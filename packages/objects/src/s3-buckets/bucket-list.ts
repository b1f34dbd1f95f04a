/**
 * Which buckets of S3 a store serves, and their settings: `objects/.buckets.json` in the store, a document like those of the
 * catalog, changed by compare-and-swap.
 *
 * A bucket that was deleted stays in it, marked: records of its objects may be left, and a sweep must know that they are to go.
 */
import {
  type CatalogDocument,
  type Clock,
  corrupt,
  decodeDocument,
  type DocumentType,
  encodeDocument,
  type Ids,
  isSiltstoneError,
  type ObjectStore,
  outcomeUnknown,
} from 'siltstone/internal'

/** No bucket has a name that begins with a dot. */
const KEY = 'objects/.buckets.json'
/** What another process changed is known after this time. */
const KEEP_MS = 10_000
const KEPT_WRITES = 4
const ATTEMPTS = 20

export interface ListedBucket {
  createdMs: number
  deleted?: true
}

export interface BucketList extends CatalogDocument {
  format: 'siltstone.object-buckets'
  /** Those that were made through this store. */
  buckets: Record<string, ListedBucket>
  /** By bucket, then by name; also of buckets that were not made through this store. */
  settings: Record<string, Record<string, string>>
}

type Content = Pick<BucketList, 'buckets' | 'settings'>

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const BUCKET_LIST: DocumentType<BucketList> = {
  format: 'siltstone.object-buckets',
  version: 1,
  wrongField: ({ buckets, settings }) => {
    const isBucket = (one: unknown) => isObject(one) && typeof one['createdMs'] === 'number'
    if (!isObject(buckets) || !Object.values(buckets).every(isBucket)) return 'buckets'
    const isSetting = (one: unknown) => isObject(one) && Object.values(one).every((text) => typeof text === 'string')
    return isObject(settings) && Object.values(settings).every(isSetting) ? undefined : 'settings'
  },
}

export class BucketListStore {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #ids: Ids
  #kept: { content: Content; atMs: number } | undefined

  constructor({ store, clock, ids }: { store: ObjectStore; clock: Clock; ids: Ids }) {
    this.#store = store
    this.#clock = clock
    this.#ids = ids
  }

  /** At most ten seconds old. @throws SiltstoneError `corrupt` (catalog-damaged), and what the store throws */
  async read(): Promise<Content> {
    const kept = this.#kept
    if (kept !== undefined && this.#clock.monotonicMs() - kept.atMs < KEEP_MS) return kept.content
    return (await this.fresh()).content
  }

  async fresh(): Promise<{ content: Content; writes: readonly string[]; etag: string | undefined }> {
    const atMs = this.#clock.monotonicMs()
    const got = await this.#store.get(KEY)
    if (got.status !== 'ok') {
      const content = { buckets: {}, settings: {} }
      this.#kept = { content, atMs }
      return { content, writes: [], etag: undefined }
    }
    if (got.etag === undefined) throw corrupt('catalog-damaged', `${KEY} has no ETag`, { key: KEY })
    const { buckets, settings, writes } = decodeDocument(BUCKET_LIST, got.body, KEY)
    this.#kept = { content: { buckets, settings }, atMs }
    return { content: { buckets, settings }, writes, etag: got.etag }
  }

  /** @param change what the content becomes. @throws SiltstoneError `unknown` (object-buckets-contended), and what the store throws */
  async change(change: (content: Content) => Content): Promise<void> {
    const id = this.#ids.ulid()
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { content, writes, etag } = await this.fresh()
      // The answer of an earlier attempt was lost.
      if (writes.includes(id)) return
      const next = change(content)
      const document: BucketList = {
        format: BUCKET_LIST.format,
        version: BUCKET_LIST.version,
        ...next,
        writes: [...writes, id].slice(-KEPT_WRITES),
      }
      const condition = etag === undefined ? { ifAbsent: true as const } : { ifMatch: etag }
      try {
        const put = await this.#store.put(KEY, encodeDocument(BUCKET_LIST, document), condition)
        if (put.status !== 'ok') continue
        this.#kept = { content: next, atMs: this.#clock.monotonicMs() }
        return
      } catch (error) {
        if (!isSiltstoneError(error, 'unknown')) throw error
      }
    }
    throw outcomeUnknown('object-buckets-contended', `${KEY} was changed by others ${ATTEMPTS} times: try again.`, {
      key: KEY,
    })
  }
}
