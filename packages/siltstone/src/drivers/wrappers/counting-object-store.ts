import { MeteredUpload } from './metered-upload.ts'
import type {
  DeleteResult,
  GetOptions,
  GetResult,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStore,
  ObjectStoreCapabilities,
  PutOptions,
  PutResult,
  Upload,
} from '../../ports/object-store.ts'

/** Requests as S3 would bill them, and the bytes of bodies. An upload is one put for each part, and one to complete. */
export interface StoreCounts {
  get: number
  head: number
  put: number
  list: number
  /** Calls; S3 takes up to 1,000 keys in one. */
  delete: number
  deletedKeys: number
  /** Answers `not-found`, `not-modified`, `exists` or `mismatch` among them. */
  refused: number
  bytesIn: number
  bytesOut: number
}

export function noCounts(): StoreCounts {
  return { get: 0, head: 0, put: 0, list: 0, delete: 0, deletedKeys: 0, refused: 0, bytesIn: 0, bytesOut: 0 }
}

/** Counts what goes to a store: for measuring and for the cost of an operation. */
export class CountingObjectStore implements ObjectStore {
  readonly #inner: ObjectStore
  #counts = noCounts()

  constructor(inner: ObjectStore) {
    this.#inner = inner
  }

  get description(): string {
    return this.#inner.description
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#inner.capabilities
  }

  /** A copy of the counts so far. */
  counts(): StoreCounts {
    return { ...this.#counts }
  }

  /** The counts so far, and begins again at zero. */
  takeCounts(): StoreCounts {
    const taken = this.#counts
    this.#counts = noCounts()
    return taken
  }

  async get(key: string, options?: GetOptions): Promise<GetResult> {
    this.#counts.get++
    const result = await this.#inner.get(key, options)
    if (result.status === 'ok') this.#counts.bytesOut += result.body.length
    else this.#counts.refused++
    return result
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    this.#counts.head++
    const info = await this.#inner.head(key)
    if (info === undefined) this.#counts.refused++
    return info
  }

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    this.#countPut(body.length)
    return this.#judged(await this.#inner.put(key, body, options))
  }

  async upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload> {
    return new MeteredUpload(await this.#inner.upload(key, options), {
      beforeWrite: async (bytes) => this.#countPut(bytes),
      beforeComplete: async () => this.#countPut(0),
      afterComplete: (result) => void this.#judged(result),
    })
  }

  async list(prefix: string, options?: ListOptions): Promise<ListPage> {
    this.#counts.list++
    return this.#inner.list(prefix, options)
  }

  async delete(keys: readonly string[]): Promise<DeleteResult> {
    this.#counts.delete++
    this.#counts.deletedKeys += keys.length
    return this.#inner.delete(keys)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #countPut(bytes: number): void {
    this.#counts.put++
    this.#counts.bytesIn += bytes
  }

  #judged(result: PutResult): PutResult {
    if (result.status !== 'ok') this.#counts.refused++
    return result
  }
}
