import type { Clock } from '../../ports/clock.ts'
import { CountingObjectStore, type StoreCounts } from './counting-object-store.ts'
import type { GetOptions, ListOptions, ObjectStore, PutOptions, Upload } from '../../ports/object-store.ts'
import { type Metrics, noMetrics } from '../../ports/telemetry.ts'

const REPORT_EVERY_MS = 1_000
const OPERATIONS = ['get', 'head', 'put', 'list', 'delete'] as const

/**
 * Tells metrics the requests to a store (`store_requests` by operation, as S3 would bill them) and the bytes of bodies
 * (`store_bytes_read`, `store_bytes_written`): what `siltstone cost` makes a bill of. Reports at most once a second, with
 * the first request after it, because a warm query has no time for more. Without metrics it is the store itself.
 */
export function meteredObjectStore(store: ObjectStore, metrics: Metrics, clock: Clock): ObjectStore {
  return metrics === noMetrics ? store : new MeteredObjectStore(store, metrics, clock)
}

class MeteredObjectStore implements ObjectStore {
  readonly #counting: CountingObjectStore
  readonly #metrics: Metrics
  readonly #clock: Clock
  #reportedMs: number

  constructor(store: ObjectStore, metrics: Metrics, clock: Clock) {
    this.#counting = new CountingObjectStore(store)
    this.#metrics = metrics
    this.#clock = clock
    this.#reportedMs = clock.monotonicMs()
  }

  get description() {
    return this.#counting.description
  }

  get capabilities() {
    return this.#counting.capabilities
  }

  get(key: string, options?: GetOptions) {
    return this.#reported(this.#counting.get(key, options))
  }

  head(key: string) {
    return this.#reported(this.#counting.head(key))
  }

  put(key: string, body: Uint8Array, options?: PutOptions) {
    return this.#reported(this.#counting.put(key, body, options))
  }

  upload(key: string, options?: { ifAbsent?: true; contentType?: string }): Promise<Upload> {
    return this.#counting.upload(key, options)
  }

  list(prefix: string, options?: ListOptions) {
    return this.#reported(this.#counting.list(prefix, options))
  }

  delete(keys: readonly string[]) {
    return this.#reported(this.#counting.delete(keys))
  }

  close(): Promise<void> {
    this.#report()
    return this.#counting.close()
  }

  async #reported<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } finally {
      if (this.#clock.monotonicMs() - this.#reportedMs >= REPORT_EVERY_MS) this.#report()
    }
  }

  #report(): void {
    this.#reportedMs = this.#clock.monotonicMs()
    const counts: StoreCounts = this.#counting.takeCounts()
    for (const operation of OPERATIONS)
      if (counts[operation] > 0) this.#metrics.count('store_requests', counts[operation], { operation })
    if (counts.bytesOut > 0) this.#metrics.count('store_bytes_read', counts.bytesOut)
    if (counts.bytesIn > 0) this.#metrics.count('store_bytes_written', counts.bytesIn)
  }
}
