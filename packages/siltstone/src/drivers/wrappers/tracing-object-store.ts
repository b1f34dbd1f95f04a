/** Requests of one piece of work, wherever in the program they are made: it follows the asynchronous calls. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../../ports/clock.ts'
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

export interface RequestTrace {
  requests: number
  /** Of bodies read. */
  bytes: number
  /** The longest chain of requests of which each began after the one before had ended. */
  rounds: number
}

interface Request {
  startMs: number
  endMs: number
  bytes: number
}

const recording = new AsyncLocalStorage<Request[]>()

/** Runs `work` and tells which reads it made of stores that are traced. Uploads and what others began are not in it. */
export async function traced<T>(work: () => Promise<T>): Promise<{ result: T; trace: RequestTrace }> {
  const requests: Request[] = []
  const result = await recording.run(requests, work)
  return { result, trace: summary(requests) }
}

function summary(requests: readonly Request[]): RequestTrace {
  let rounds = 0
  let lastEndMs = Number.NEGATIVE_INFINITY
  for (const { startMs, endMs } of [...requests].sort((a, b) => a.endMs - b.endMs))
    if (startMs >= lastEndMs) {
      rounds++
      lastEndMs = endMs
    }
  return { requests: requests.length, bytes: requests.reduce((sum, { bytes }) => sum + bytes, 0), rounds }
}

export class TracingObjectStore implements ObjectStore {
  readonly #inner: ObjectStore
  readonly #clock: Clock

  constructor(inner: ObjectStore, clock: Clock) {
    this.#inner = inner
    this.#clock = clock
  }

  get description(): string {
    return this.#inner.description
  }

  get capabilities(): ObjectStoreCapabilities {
    return this.#inner.capabilities
  }

  async #note<T>(work: () => Promise<T>, bytesOf: (result: T) => number = () => 0): Promise<T> {
    const requests = recording.getStore()
    if (requests === undefined) return work()
    const startMs = this.#clock.monotonicMs()
    const result = await work()
    requests.push({ startMs, endMs: this.#clock.monotonicMs(), bytes: bytesOf(result) })
    return result
  }

  get(key: string, options?: GetOptions): Promise<GetResult> {
    return this.#note(
      () => this.#inner.get(key, options),
      (got) => (got.status === 'ok' ? got.body.length : 0),
    )
  }

  head(key: string): Promise<ObjectInfo | undefined> {
    return this.#note(() => this.#inner.head(key))
  }

  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult> {
    return this.#note(() => this.#inner.put(key, body, options))
  }

  upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload> {
    return this.#inner.upload(key, options)
  }

  list(prefix: string, options?: ListOptions): Promise<ListPage> {
    return this.#note(() => this.#inner.list(prefix, options))
  }

  delete(keys: readonly string[]): Promise<DeleteResult> {
    return this.#note(() => this.#inner.delete(keys))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
