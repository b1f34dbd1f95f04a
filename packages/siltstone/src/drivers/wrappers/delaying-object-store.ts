import type { Clock } from '../../ports/clock.ts'
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

export type StoreRequest = 'get' | 'head' | 'put' | 'list' | 'delete'

export interface DelayingOptions {
  clock: Clock
  /** Milliseconds before the request takes effect, of `bytes` that go up (0 where none do). */
  delayMs: Partial<Record<StoreRequest, number>> | ((request: StoreRequest, bytes: number) => number)
  /** Of the far store. Default: the inner store's; claim more only where nobody writes meanwhile. */
  capabilities?: ObjectStoreCapabilities
}

/** Waits before each request, as a far store would: for measuring what depends on round trips. */
export class DelayingObjectStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #options: DelayingOptions

  constructor(inner: ObjectStore, options: DelayingOptions) {
    this.#inner = inner
    this.#options = options
  }

  get description(): string {
    return `${this.#inner.description}, delayed`
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#options.capabilities ?? this.#inner.capabilities
  }

  async get(key: string, options?: GetOptions): Promise<GetResult> {
    await this.#delay('get')
    return this.#inner.get(key, options)
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    await this.#delay('head')
    return this.#inner.head(key)
  }

  async put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    await this.#delay('put', body.length)
    return this.#inner.put(key, body, options)
  }

  async upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload> {
    return new MeteredUpload(await this.#inner.upload(key, options), {
      beforeWrite: (bytes) => this.#delay('put', bytes),
      beforeComplete: () => this.#delay('put'),
    })
  }

  async list(prefix: string, options?: ListOptions): Promise<ListPage> {
    await this.#delay('list')
    return this.#inner.list(prefix, options)
  }

  async delete(keys: readonly string[]): Promise<DeleteResult> {
    await this.#delay('delete')
    return this.#inner.delete(keys)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #delay(request: StoreRequest, bytes = 0): Promise<void> {
    const { clock, delayMs } = this.#options
    const ms = typeof delayMs === 'function' ? delayMs(request, bytes) : (delayMs[request] ?? 0)
    if (ms > 0) await clock.sleep(ms)
  }
}
