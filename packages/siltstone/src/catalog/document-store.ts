/**
 * Reads and compare-and-swaps of catalog documents.
 *
 * ## A write with an unclear outcome
 * Every write carries a fresh id in `writes`, the list of the latest eight. So no two versions of an object are equal
 * bytes, an ETag never comes back, and after a timeout, or a refusal that a repetition of our own may have caused, the
 * object itself tells: a list with our id means that the write happened, whatever was written on top since. Without it,
 * and with the condition no longer met, it never will. With the condition still met the same bytes are put again under
 * the same condition: at most one of the puts can take effect.
 *
 * ## The cache
 * Bounded, by key, revalidated with If-None-Match on every `read`: a strong read costs one conditional GET. `recent`
 * may reuse what was read within a given time.
 */
import { isPassing, outcomeUnknown, type SiltstoneError, unavailable, unsupported } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { ListOptions, ListPage, ObjectStore, PutResult } from '../ports/object-store.ts'
import { type CatalogDocument, type DocumentType, decodeDocument, encodeDocument } from './document-codec.ts'

/** One version of a document. Never changed in place: the cache shares it. */
export interface Versioned<T> {
  readonly document: Readonly<T>
  readonly etag: string
  /** By the store's clock. */
  readonly lastModifiedMs: number
}

export type Written<T> = { status: 'ok'; version: Versioned<T> } | { status: 'lost'; current: Versioned<T> | undefined }

interface Cached {
  version: Versioned<CatalogDocument>
  /** Monotonic time at which the request that showed it was sent. */
  sentAtMs: number
}

const KEPT_WRITES = 8
const BACKOFF_MS = [20, 50, 100, 200, 400, 800] as const
const READ_TRIES = 3
const CHANGE_TRIES = 100

export interface DocumentStoreOptions {
  store: ObjectStore
  clock: Clock
  ids: Ids
  /** Documents kept in memory, of a few KB each. */
  cacheEntries: number
}

export class DocumentStore {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #cacheEntries: number
  /** In order of use. */
  readonly #cache = new Map<string, Cached>()

  constructor(options: DocumentStoreOptions) {
    this.#store = options.store
    this.#clock = options.clock
    this.#ids = options.ids
    this.#cacheEntries = options.cacheEntries
  }

  /** The document as it is now. @throws SiltstoneError `corrupt`, `unsupported`, and what the store throws */
  async read<T extends CatalogDocument>(key: string, type: DocumentType<T>): Promise<Versioned<T> | undefined> {
    return this.#patiently(() => this.#get(key, type))
  }

  /** One page of keys. */
  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#patiently(() => this.#store.list(prefix, options))
  }

  /** As `read`, or what a request sent at most `maxAgeMs` ago showed. */
  async recent<T extends CatalogDocument>(
    key: string,
    type: DocumentType<T>,
    maxAgeMs: number,
  ): Promise<Versioned<T> | undefined> {
    const cached = this.#cache.get(key)
    if (cached !== undefined && this.#clock.monotonicMs() - cached.sentAtMs <= maxAgeMs) {
      return cached.version as unknown as Versioned<T>
    }
    return this.read(key, type)
  }

  /** What was last seen, however long ago: a hint. */
  lastSeen<T extends CatalogDocument>(key: string, _type: DocumentType<T>): Versioned<T> | undefined {
    return this.#cache.get(key)?.version as Versioned<T> | undefined
  }

  /**
   * Puts `next` over exactly the version `over`; null: where nothing is. The version that it answers may already have
   * been written over by others.
   * @throws SiltstoneError `unknown` (catalog-outcome-unknown) when no answer could be had
   */
  async write<T extends CatalogDocument>(
    key: string,
    type: DocumentType<T>,
    next: Readonly<T>,
    over: Versioned<T> | null,
  ): Promise<Written<T>> {
    const id = this.#ids.ulid()
    const document = { ...next, writes: [...next.writes, id].slice(-KEPT_WRITES) }
    const body = encodeDocument(type, document)
    // step: catalog-condition
    const condition = over === null ? { ifAbsent: true as const } : { ifMatch: over.etag }
    let unclear: SiltstoneError | undefined
    for (let attempt = 1; ; attempt++) {
      const sentAtMs = this.#clock.monotonicMs()
      const put = await this.#put(key, body, condition)
      if ('status' in put && put.status === 'ok') {
        const version = { document, etag: put.etag, lastModifiedMs: this.#clock.nowMs() }
        this.#remember(key, version, sentAtMs)
        return { status: 'ok', version }
      }
      // An answer of "nothing was applied" does not settle an earlier try.
      if ('error' in put && (unclear === undefined || put.error.kind === 'unknown')) unclear = put.error
      const seen = await this.#readBack(key, type)
      if (seen !== 'unread') {
        if (seen?.document.writes.includes(id)) return { status: 'ok', version: seen }
        if ('status' in put || seen?.etag !== over?.etag) return { status: 'lost', current: seen }
      }
      if (attempt > BACKOFF_MS.length) throw unclear === undefined ? unsettled(key) : unsettled(key, unclear)
      await this.#backOff(attempt)
    }
  }

  /**
   * Reads, decides and writes until the write is over exactly what was decided on. `decide` answers the next document,
   * or undefined to leave the object as it is, or throws.
   * @param start what the object is believed to be, saving a read: a version, or null for nothing
   */
  async change<T extends CatalogDocument>(
    key: string,
    type: DocumentType<T>,
    decide: (current: Readonly<T> | undefined) => Readonly<T> | undefined,
    start?: Versioned<T> | null,
  ): Promise<Versioned<T> | undefined> {
    let current = start === undefined ? await this.read(key, type) : (start ?? undefined)
    for (let attempt = 0; attempt < CHANGE_TRIES; attempt++) {
      const next = decide(current?.document)
      if (next === undefined) return current
      const written = await this.write(key, type, next, current ?? null)
      if (written.status === 'ok') return written.version
      current = written.current
      if (attempt > 3) await this.#backOff(attempt - 3)
    }
    throw contended(key)
  }

  /** Unconditional: only for objects that nobody writes any more. */
  async remove(key: string): Promise<void> {
    this.#cache.delete(key)
    const { failed } = await this.#store.delete([key])
    if (failed[0] !== undefined) throw failed[0].error
  }

  async #get<T extends CatalogDocument>(key: string, type: DocumentType<T>): Promise<Versioned<T> | undefined> {
    const cached = this.#cache.get(key)
    const sentAtMs = this.#clock.monotonicMs()
    const got = await this.#store.get(key, cached === undefined ? {} : { ifNoneMatch: cached.version.etag })
    if (got.status === 'not-modified' && cached !== undefined) {
      this.#remember(key, cached.version, sentAtMs)
      return cached.version as unknown as Versioned<T>
    }
    if (got.status !== 'ok') {
      this.#cache.delete(key)
      return undefined
    }
    const { etag, lastModifiedMs } = got
    if (etag === undefined) {
      throw unsupported('no-etag', `${this.#store.description} gives no ETag for ${key}: the catalog needs them`, {
        key,
      })
    }
    const version = { document: decodeDocument(type, got.body, key), etag, lastModifiedMs }
    this.#remember(key, version, sentAtMs)
    return version
  }

  async #put(
    key: string,
    body: Uint8Array,
    condition: { ifAbsent: true } | { ifMatch: string },
  ): Promise<PutResult | { error: SiltstoneError }> {
    try {
      return await this.#store.put(key, body, { ...condition, contentType: 'application/json' })
    } catch (error) {
      if (!isPassing(error)) throw error
      return { error }
    }
  }

  async #readBack<T extends CatalogDocument>(
    key: string,
    type: DocumentType<T>,
  ): Promise<Versioned<T> | undefined | 'unread'> {
    try {
      return await this.#get(key, type)
    } catch (error) {
      if (!isPassing(error)) throw error
      return 'unread'
    }
  }

  #remember(key: string, version: Versioned<CatalogDocument>, sentAtMs: number): void {
    const known = this.#cache.get(key)
    if (known !== undefined && known.sentAtMs > sentAtMs) return
    this.#cache.delete(key)
    this.#cache.set(key, { version, sentAtMs })
    if (this.#cache.size <= this.#cacheEntries) return
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest)
      break
    }
  }

  async #patiently<R>(read: () => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await read()
      } catch (error) {
        if (!isPassing(error) || attempt >= READ_TRIES) throw error
        await this.#backOff(attempt)
      }
    }
  }

  async #backOff(attempt: number): Promise<void> {
    await this.#clock.sleep(BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length) - 1] ?? 0)
  }
}

function unsettled(key: string, cause?: SiltstoneError): SiltstoneError {
  if (cause?.kind === 'unavailable') return cause
  return outcomeUnknown(
    'catalog-outcome-unknown',
    `the write of ${key} may or may not have happened: read before writing again`,
    { key, cause },
  )
}

export function contended(key: string): SiltstoneError {
  return unavailable('catalog-contended', `too many others write ${key} at the same time: try again`, {
    key,
    retryAfterMs: 1000,
  })
}
