/**
 * Reads catalog documents and changes them with compare-and-swap.
 *
 * ## Unknown outcomes of a write
 * Every write adds a new id to `writes`, the list of the latest eight. So no two versions of an object have the same
 * bytes, and an ETag never recurs. After a timeout, or a refusal that an earlier attempt of the same write may have
 * caused, the object is read:
 * - If `writes` has the id, the write happened, even if later writes followed.
 * - If it does not and the condition no longer holds, the write did not happen and never will.
 * - If it does not and the condition still holds, the same bytes are put again under the same condition: at most one of
 *   the puts can take effect.
 *
 * ## The cache
 * It is bounded and keyed by object. Every `read` revalidates with If-None-Match, so a strong read costs one conditional
 * GET. `recent` may reuse a document that was read within a given time.
 */
import {
  isPassing,
  isSiltstoneError,
  outcomeUnknown,
  type SiltstoneError,
  unavailable,
  unsupported,
} from '../errors.ts'
import { LruMap } from '../lru.ts'
import type { Clock } from '../ports/clock.ts'
import type { Ids } from '../ports/ids.ts'
import type { ListOptions, ListPage, ObjectStore, PutResult } from '../ports/object-store.ts'
import { type CatalogDocument, type DocumentType, decodeDocument, encodeDocument } from './document-codec.ts'

/** One version of a document. Immutable, since the cache shares it. */
export interface Versioned<T> {
  readonly document: Readonly<T>
  readonly etag: string
  /** By the store's clock. */
  readonly lastModifiedMs: number
}

export type Written<T> = { status: 'ok'; version: Versioned<T> } | { status: 'lost'; current: Versioned<T> | undefined }

interface Cached {
  version: Versioned<CatalogDocument>
  /** Monotonic time at which the request that returned it was sent. */
  sentAtMs: number
}

const MAX_WRITE_IDS = 8
const BACKOFF_MS = [20, 50, 100, 200, 400, 800] as const
const READ_TRIES = 3
const CHANGE_TRIES = 100

export interface DocumentStoreOptions {
  store: ObjectStore
  clock: Clock
  ids: Ids
  /** Number of documents in the cache, a few KB each. */
  cacheEntries: number
}

export class DocumentStore {
  readonly #store: ObjectStore
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #cache: LruMap<string, Cached>

  constructor(options: DocumentStoreOptions) {
    this.#store = options.store
    this.#clock = options.clock
    this.#ids = options.ids
    this.#cache = new LruMap(options.cacheEntries)
  }

  /** Reads the current document. @throws SiltstoneError `corrupt`, `unsupported`, and the store's errors */
  async read<T extends CatalogDocument>(key: string, type: DocumentType<T>): Promise<Versioned<T> | undefined> {
    return this.#retried(() => this.#get(key, type))
  }

  /** One page of keys. */
  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#retried(() => this.#store.list(prefix, options))
  }

  /** Like `read`, but may return the result of a request that was sent at most `maxAgeMs` ago. */
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

  /** The cached document of any age: a hint. */
  lastSeen<T extends CatalogDocument>(key: string, _type: DocumentType<T>): Versioned<T> | undefined {
    return this.#cache.get(key)?.version as Versioned<T> | undefined
  }

  /**
   * Replaces exactly the version `over` by `next`; null: creates the object. Other processes may already have replaced the
   * version that is returned.
   * @throws SiltstoneError `unknown` (catalog-outcome-unknown) when the outcome could not be determined
   */
  async write<T extends CatalogDocument>(
    key: string,
    type: DocumentType<T>,
    next: Readonly<T>,
    over: Versioned<T> | null,
  ): Promise<Written<T>> {
    const id = this.#ids.ulid()
    const document = { ...next, writes: [...next.writes, id].slice(-MAX_WRITE_IDS) }
    const body = encodeDocument(type, document)
    // step: catalog-condition
    const condition = over === null ? { ifAbsent: true as const } : { ifMatch: over.etag }
    let unclear: SiltstoneError | undefined
    for (let attempt = 1; ; attempt++) {
      const sentAtMs = this.#clock.monotonicMs()
      // After an attempt of unknown outcome, no other failure is the answer: the write may still have happened.
      const isOpen = unclear?.kind === 'unknown'
      const put = await this.#put(key, body, condition, isOpen)
      if ('status' in put && put.status === 'ok') {
        const version = { document, etag: put.etag, lastModifiedMs: this.#clock.nowMs() }
        this.#remember(key, version, sentAtMs)
        return { status: 'ok', version }
      }
      // An answer that says that nothing was written does not settle an earlier attempt.
      if ('error' in put && (unclear === undefined || put.error.kind === 'unknown')) unclear = put.error
      const seen = await this.#readBack(key, type, unclear?.kind === 'unknown')
      if (seen !== 'unread') {
        if (seen?.document.writes.includes(id)) return { status: 'ok', version: seen }
        if ('status' in put || seen?.etag !== over?.etag) return { status: 'lost', current: seen }
      }
      if (attempt > BACKOFF_MS.length) throw unclear === undefined ? unsettled(key) : unsettled(key, unclear)
      await this.#backOff(attempt)
    }
  }

  /**
   * Reads, decides and writes until a write replaces exactly the version that was decided on.
   * @param decide returns the next document, or undefined to leave the object unchanged, or throws
   * @param start the assumed current version (null: no object), which saves the first read
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

  /** Deletes without a condition: only for objects that no process writes any more. */
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
      throw unsupported(
        'no-etag',
        `${this.#store.description} returns no ETag for ${key}, which the catalog needs; use another object store`,
        {
          key,
        },
      )
    }
    const version = { document: decodeDocument(type, got.body, key), etag, lastModifiedMs }
    this.#remember(key, version, sentAtMs)
    return version
  }

  async #put(
    key: string,
    body: Uint8Array,
    condition: { ifAbsent: true } | { ifMatch: string },
    isOpen: boolean,
  ): Promise<PutResult | { error: SiltstoneError }> {
    try {
      return await this.#store.put(key, body, { ...condition, contentType: 'application/json' })
    } catch (error) {
      if (!mayGoOn(error, isOpen)) throw error
      return { error }
    }
  }

  async #readBack<T extends CatalogDocument>(
    key: string,
    type: DocumentType<T>,
    isOpen: boolean,
  ): Promise<Versioned<T> | undefined | 'unread'> {
    try {
      return await this.#get(key, type)
    } catch (error) {
      if (!mayGoOn(error, isOpen)) throw error
      return 'unread'
    }
  }

  #remember(key: string, version: Versioned<CatalogDocument>, sentAtMs: number): void {
    const known = this.#cache.get(key)
    if (known !== undefined && known.sentAtMs > sentAtMs) return
    this.#cache.set(key, { version, sentAtMs })
  }

  async #retried<R>(read: () => Promise<R>): Promise<R> {
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

/** @param isOpen an earlier attempt may have taken effect, or may still do so */
function mayGoOn(error: unknown, isOpen: boolean): error is SiltstoneError {
  return isOpen ? isSiltstoneError(error) : isPassing(error)
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
  return unavailable('catalog-contended', `too many concurrent writes of ${key}: try again`, {
    key,
    retryAfterMs: 1000,
  })
}
