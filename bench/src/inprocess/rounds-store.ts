/**
 * Counts dependent rounds: a request that begins after another one was answered may have needed that answer, so its
 * round is one later. With a store that delays every request alike this is the length of the longest chain.
 */
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
} from 'siltstone/internal'

export class RoundsStore implements ObjectStore {
  readonly #inner: ObjectStore
  #answered = 0
  #rounds = 0
  #seen: { request: string; round: number; bytes: number }[] = []

  constructor(inner: ObjectStore) {
    this.#inner = inner
  }

  get description(): string {
    return this.#inner.description
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#inner.capabilities
  }

  /** Since the last call: how many rounds, and what was asked in which. */
  take(): { rounds: number; requests: { request: string; round: number; bytes: number }[] } {
    const taken = { rounds: this.#rounds, requests: this.#seen }
    this.#answered = 0
    this.#rounds = 0
    this.#seen = []
    return taken
  }

  get(key: string, options?: GetOptions): Promise<GetResult> {
    const range = options?.range ? ` ${options.range.offset}+${options.range.length}` : ''
    return this.#within(`get ${key}${range}`, () => this.#inner.get(key, options), sizeOf)
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#within(`head ${key}`, () => this.#inner.head(key))
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#within(`put ${key}`, () => this.#inner.put(key, body, options))
  }

  upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload> {
    return this.#within(`upload ${key}`, () => this.#inner.upload(key, options))
  }

  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#within(`list ${prefix}`, () => this.#inner.list(prefix, options))
  }

  delete(keys: readonly string[]): Promise<DeleteResult> {
    return this.#within('delete', () => this.#inner.delete(keys))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #within<T>(request: string, send: () => Promise<T>, sizeOf: (result: T) => number = () => 0): Promise<T> {
    const round = this.#answered + 1
    this.#rounds = Math.max(this.#rounds, round)
    const entry = { request, round, bytes: 0 }
    this.#seen.push(entry)
    try {
      const result = await send()
      entry.bytes = sizeOf(result)
      return result
    } finally {
      this.#answered = Math.max(this.#answered, round)
    }
  }
}

function sizeOf(result: GetResult): number {
  return result.status === 'ok' ? result.body.length : 0
}
