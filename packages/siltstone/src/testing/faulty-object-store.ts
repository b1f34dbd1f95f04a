/** An object store that fails: before an effect, after it, or late, as a network does. Chance comes from a seed. */
import { outcomeUnknown, unavailable } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type {
  DeleteResult,
  GetOptions,
  GetResult,
  ListOptions,
  ListPage,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
  Upload,
} from '../ports/object-store.ts'
import type { Random } from '../ports/random.ts'

export interface Faults {
  /** Chance that a request fails and did nothing. */
  before: number
  /** Chance that a put took effect and its answer was lost. */
  after: number
  /** Chance that a put takes effect only after its answer was given up. */
  late: number
  /** Longest delay of a request. */
  delayMs: number
}

export class FaultyObjectStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #random: Random
  readonly #clock: Clock
  faults: Faults
  readonly taken = { before: 0, after: 0, late: 0 }
  readonly #pending = new Set<Promise<unknown>>()

  constructor(inner: ObjectStore, options: { random: Random; clock: Clock; faults: Faults }) {
    this.#inner = inner
    this.#random = options.random
    this.#clock = options.clock
    this.faults = options.faults
  }

  get description(): string {
    return `faulty ${this.#inner.description}`
  }

  get capabilities() {
    return this.#inner.capabilities
  }

  /** Resolves when no late put is on its way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending)
  }

  async #request<T>(run: () => Promise<T>): Promise<T> {
    if (this.faults.delayMs > 0) await this.#clock.sleep(this.#random.next() * this.faults.delayMs)
    if (this.#random.next() < this.faults.before) {
      this.taken.before++
      throw unavailable('injected', 'the request failed before it did anything')
    }
    return run()
  }

  get(key: string, options?: GetOptions): Promise<GetResult> {
    return this.#request(() => this.#inner.get(key, options))
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#request(() => this.#inner.head(key))
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#request(async () => {
      if (this.#random.next() < this.faults.late) {
        this.taken.late++
        const late = this.#clock.sleep(this.faults.delayMs * 20).then(() => this.#inner.put(key, body, options))
        this.#pending.add(late)
        void late.finally(() => this.#pending.delete(late))
        throw outcomeUnknown('injected', 'the request timed out; it is still on its way')
      }
      const answer = await this.#inner.put(key, body, options)
      if (this.#random.next() < this.faults.after) {
        this.taken.after++
        throw outcomeUnknown('injected', 'the answer was lost')
      }
      return answer
    })
  }

  upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload> {
    return this.#request(() => this.#inner.upload(key, options))
  }

  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#request(() => this.#inner.list(prefix, options))
  }

  delete(keys: readonly string[]): Promise<DeleteResult> {
    return this.#request(() => this.#inner.delete(keys))
  }

  async close(): Promise<void> {
    await this.settled()
    await this.#inner.close()
  }
}
