import { firstWhere } from '../../binary-search.ts'
import { cutRange } from '../../ports/byte-range.ts'
import type { Clock } from '../../ports/clock.ts'
import { contentEtag } from '../../host/content-etag.ts'
import {
  continuationOf,
  groupOf,
  keyIsAfter,
  type ListPosition,
  type ListRequest,
  listRequest,
} from '../../ports/list-position.ts'
import { MemoryUpload } from './memory-upload.ts'
import { checkKey, compareKeys, firstNotBefore } from '../../ports/object-key.ts'
import {
  DISTANT_GAP_BYTES,
  type DeleteResult,
  type GetOptions,
  type GetResult,
  type ListOptions,
  type ListPage,
  type ObjectInfo,
  type ObjectStore,
  type ObjectStoreCapabilities,
  type PutOptions,
  type PutResult,
  type Upload,
} from '../../ports/object-store.ts'

interface StoredObject {
  body: Uint8Array
  etag: string
  lastModifiedMs: number
}

/**
 * The object store in memory, for tests and the simulation. Each call takes effect before it returns its promise, so
 * calls are atomic. Bodies are copied in and out.
 */
export class MemoryObjectStore implements ObjectStore {
  readonly description = 'memory'
  readonly capabilities: ObjectStoreCapabilities = {
    atomicListPages: true,
    cheapStartAfter: true,
    isLocal: false,
    gapBytes: DISTANT_GAP_BYTES,
  }
  readonly #objects = new Map<string, StoredObject>()
  /** The keys of `#objects` in byte order. */
  readonly #keys: string[] = []
  readonly #clock: Clock

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock
  }

  async get(key: string, options: GetOptions = {}): Promise<GetResult> {
    checkKey(key)
    const stored = this.#objects.get(key)
    if (stored === undefined) return { status: 'not-found' }
    if (options.ifMatch !== undefined && options.ifMatch !== stored.etag) return { status: 'mismatch' }
    if (options.ifNoneMatch === stored.etag) return { status: 'not-modified' }
    const { range } = options
    const { body, etag, lastModifiedMs } = stored
    const { start, end } = cutRange(range, body.length)
    return { status: 'ok', body: body.slice(start, end), etag, sizeBytes: body.length, lastModifiedMs }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    checkKey(key)
    return this.#objects.has(key) ? this.#info(key, true) : undefined
  }

  async put(key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    checkKey(key)
    const current = this.#objects.get(key)
    if (options.ifAbsent === true && current !== undefined) return { status: 'exists' }
    if (options.ifMatch !== undefined) {
      if (current === undefined) return { status: 'not-found' }
      if (current.etag !== options.ifMatch) return { status: 'mismatch' }
    }
    const etag = contentEtag(body)
    if (current === undefined) this.#keys.splice(firstNotBefore(this.#keys, key), 0, key)
    this.#objects.set(key, { body: new Uint8Array(body), etag, lastModifiedMs: this.#clock.nowMs() })
    return { status: 'ok', etag }
  }

  async upload(key: string, options: { ifAbsent?: true; contentType?: string } = {}): Promise<Upload> {
    checkKey(key)
    return new MemoryUpload((body) => this.put(key, body, options))
  }

  async list(prefix: string, options?: ListOptions): Promise<ListPage> {
    const request = listRequest(prefix, options)
    const page: ListPage = { objects: [], prefixes: [], continuation: undefined }
    let last: ListPosition | undefined
    for (const entry of this.#entries(request)) {
      if (last !== undefined && page.objects.length + page.prefixes.length === request.limit) {
        page.continuation = continuationOf(last)
        break
      }
      last = entry
      if ('afterPrefix' in entry) page.prefixes.push(entry.afterPrefix)
      else page.objects.push(this.#info(entry.afterKey, request.etags))
    }
    return page
  }

  async delete(keys: readonly string[]): Promise<DeleteResult> {
    for (const key of keys) checkKey(key)
    for (const key of keys) {
      if (this.#objects.delete(key)) this.#keys.splice(firstNotBefore(this.#keys, key), 1)
    }
    return { deleted: [...keys], failed: [] }
  }

  async close(): Promise<void> {}

  /** Keys and groups from the position of the request onwards, each as the position directly after it. */
  *#entries({ prefix, delimited, from }: ListRequest): Generator<ListPosition> {
    const begin = 'afterKey' in from ? from.afterKey : from.afterPrefix
    let at = firstNotBefore(this.#keys, compareKeys(prefix, begin) > 0 ? prefix : begin)
    for (let key = this.#keys[at]; key?.startsWith(prefix) === true; key = this.#keys[at]) {
      const group = delimited ? groupOf(key, prefix) : undefined
      if (!keyIsAfter(key, from)) {
        at++
      } else if (group === undefined) {
        yield { afterKey: key }
        at++
      } else {
        yield { afterPrefix: group }
        at = firstWhere(this.#keys.length, (place) => {
          const other = this.#keys[place] as string
          return compareKeys(other, group) > 0 && !other.startsWith(group)
        })
      }
    }
  }

  #info(key: string, withEtag: boolean): ObjectInfo {
    const { body, etag, lastModifiedMs } = this.#objects.get(key) as StoredObject
    return { key, sizeBytes: body.length, etag: withEtag ? etag : undefined, lastModifiedMs }
  }
}
