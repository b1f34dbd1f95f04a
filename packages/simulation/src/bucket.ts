/** The objects themselves, without faults or delays. Each change is reported to one observer at once. */
import {
  checkKey,
  compareKeys,
  contentEtag,
  continuationOf,
  cutRange,
  firstNotBefore,
  type GetOptions,
  type GetResult,
  groupOf,
  keyIsAfter,
  type ListPage,
  type ListPosition,
  type ListRequest,
  type ObjectInfo,
  type PutOptions,
  type PutResult,
} from 'siltstone/internal'

export interface StoredObject {
  body: Uint8Array
  etag: string
  lastModifiedMs: number
}

export interface BucketObserver {
  created(key: string, object: StoredObject, by: string): void
  replaced(key: string, object: StoredObject, by: string): void
  deleting(key: string, by: string): void
}

const REMEMBERED = 40

export class Bucket {
  readonly #objects: Map<string, StoredObject>
  readonly #keys: string[]
  readonly #nowMs: () => number
  observer: BucketObserver | undefined
  /** What was deleted last, which a store with versions can bring back. */
  readonly removed: { key: string; body: Uint8Array }[] = []

  /** @param nowMs the store's own clock */
  constructor(nowMs: () => number, from?: Bucket) {
    this.#nowMs = nowMs
    this.#objects = new Map(from ? from.#objects : [])
    this.#keys = from ? [...from.#keys] : []
  }

  get keys(): readonly string[] {
    return this.#keys
  }

  peek(key: string): StoredObject | undefined {
    return this.#objects.get(key)
  }

  get(key: string, { ifMatch, ifNoneMatch, range }: GetOptions = {}): GetResult {
    checkKey(key)
    const stored = this.#objects.get(key)
    if (stored === undefined) return { status: 'not-found' }
    if (ifMatch !== undefined && ifMatch !== stored.etag) return { status: 'mismatch' }
    if (ifNoneMatch === stored.etag) return { status: 'not-modified' }
    const { body, etag, lastModifiedMs } = stored
    const { start, end } = cutRange(range, body.length)
    return { status: 'ok', body: body.slice(start, end), etag, sizeBytes: body.length, lastModifiedMs }
  }

  head(key: string): ObjectInfo | undefined {
    checkKey(key)
    const stored = this.#objects.get(key)
    return stored && { key, sizeBytes: stored.body.length, etag: stored.etag, lastModifiedMs: stored.lastModifiedMs }
  }

  put(key: string, body: Uint8Array, { ifAbsent, ifMatch }: PutOptions, by: string): PutResult {
    checkKey(key)
    const current = this.#objects.get(key)
    if (ifAbsent === true && current !== undefined) return { status: 'exists' }
    if (ifMatch !== undefined) {
      if (current === undefined) return { status: 'not-found' }
      if (current.etag !== ifMatch) return { status: 'mismatch' }
    }
    const object = { body: new Uint8Array(body), etag: contentEtag(body), lastModifiedMs: this.#nowMs() }
    if (current === undefined) this.#keys.splice(firstNotBefore(this.#keys, key), 0, key)
    this.#objects.set(key, object)
    if (current === undefined) this.observer?.created(key, object, by)
    else this.observer?.replaced(key, object, by)
    return { status: 'ok', etag: object.etag }
  }

  delete(key: string, by: string): void {
    checkKey(key)
    const was = this.#objects.get(key)
    if (was === undefined) return
    this.observer?.deleting(key, by)
    this.removed.push({ key, body: was.body })
    if (this.removed.length > REMEMBERED) this.removed.shift()
    this.#objects.delete(key)
    this.#keys.splice(firstNotBefore(this.#keys, key), 1)
  }

  /**
   * Changes an object behind everybody's back, or brings it back, as a failing disk or an operator does.
   * @param body undefined: it is lost
   */
  damage(key: string, body: Uint8Array | undefined): void {
    const at = firstNotBefore(this.#keys, key)
    if (body === undefined) {
      if (this.#objects.delete(key)) this.#keys.splice(at, 1)
      return
    }
    if (!this.#objects.has(key)) this.#keys.splice(at, 0, key)
    this.#objects.set(key, { body, etag: contentEtag(body), lastModifiedMs: this.#nowMs() })
  }

  /** The objects that a listing could show at this moment, from its position onwards. */
  after({ prefix, from }: ListRequest): Map<string, ObjectInfo> {
    const found = new Map<string, ObjectInfo>()
    const begin = 'afterKey' in from ? from.afterKey : from.afterPrefix
    for (let at = firstNotBefore(this.#keys, compareKeys(prefix, begin) > 0 ? prefix : begin); ; at++) {
      const key = this.#keys[at]
      if (key?.startsWith(prefix) !== true) return found
      if (!keyIsAfter(key, from)) continue
      const { body, etag, lastModifiedMs } = this.#objects.get(key) as StoredObject
      found.set(key, { key, sizeBytes: body.length, etag, lastModifiedMs })
    }
  }
}

/** Cuts one page of at most `limit` keys and groups. `infos` in byte order. */
export function pageOf(infos: Iterable<ObjectInfo>, request: ListRequest, limit: number): ListPage {
  const page: ListPage = { objects: [], prefixes: [], continuation: undefined }
  let last: ListPosition = request.from
  for (const info of infos) {
    const group = request.delimited ? groupOf(info.key, request.prefix) : undefined
    if (group !== undefined && 'afterPrefix' in last && last.afterPrefix === group) continue
    if (page.objects.length + page.prefixes.length >= limit) {
      page.continuation = continuationOf(last)
      return page
    }
    if (group === undefined) {
      last = { afterKey: info.key }
      page.objects.push(request.etags ? info : { ...info, etag: undefined })
    } else {
      last = { afterPrefix: group }
      page.prefixes.push(group)
    }
  }
  return page
}
