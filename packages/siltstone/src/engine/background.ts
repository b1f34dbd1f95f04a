/**
 * Background compaction: wake-up calls from the queue, and a schedule for what they missed.
 *
 * A message is acknowledged when its collection was compacted, or when another process holds the lease: the lease is
 * then marked, and its holder looks at the log again. After a failure the message is delivered again and, at the
 * queue's limit, set aside. The schedule still finds the collection's log, so nothing depends on the message.
 */
import { isSiltstoneError } from '../errors.ts'
import type { CompactOptions } from '../compact/compactor.ts'
import { collectionsToWake } from '../log/wake-up-message.ts'
import type { QueueMessage } from '../ports/queue.ts'
import type { StoreEngine } from './engine.ts'

export interface BackgroundOptions {
  /** Wake-up calls that come within this time are served together. */
  gatherMs: number
  scheduleMs: number
  visibilityMs: number
  /** Called after each fold and each merge that was committed, with the collection's path. */
  onCommit?: ((path: string) => void) | undefined
}

export const defaultBackground: BackgroundOptions = { gatherMs: 500, scheduleMs: 60_000, visibilityMs: 900_000 }

/** The most messages that SQS delivers at once. */
const AT_ONCE = 10
const GATHERED = 1_000
/** How often the catalog is looked through for what deletions and broken creations left. */
const CATALOG_EVERY_MS = 3_600_000

export class Background {
  readonly #engine: StoreEngine
  readonly #options: BackgroundOptions
  readonly #stop = new AbortController()
  readonly #loops: Promise<void>[]
  readonly #merging = new Map<string, Promise<void>>()

  constructor(engine: StoreEngine, options: BackgroundOptions = defaultBackground) {
    this.#engine = engine
    this.#options = options
    this.#loops = [this.#serve(), this.#keepSchedule()]
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('closing'))
    await Promise.all(this.#loops)
    await Promise.all(this.#merging.values())
  }

  async #serve(): Promise<void> {
    const { env } = this.#engine
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        const first = await env.queue.receive({
          maxMessages: 1,
          visibilityMs: this.#options.visibilityMs,
          waitMs: 20_000,
          signal,
        })
        if (first.length === 0) continue
        await this.#pause(this.#options.gatherMs)
        await this.#handle([...first, ...(await this.#waiting())])
        env.metrics.gauge('DeltaQueueDepth', (await env.queue.depth()).visible)
      } catch (error) {
        if (signal.aborted) return
        env.log.error('background_failed', { error: String(error) })
        await this.#pause(1_000)
      }
    }
  }

  /** Messages that are waiting already, up to a limit: a thousand calls for one collection are one fold. */
  async #waiting(): Promise<QueueMessage[]> {
    const all: QueueMessage[] = []
    for (let more = AT_ONCE; more === AT_ONCE && all.length < GATHERED; ) {
      const { visibilityMs } = this.#options
      const some = await this.#engine.env.queue.receive({ maxMessages: AT_ONCE, visibilityMs, waitMs: 0 })
      all.push(...some)
      more = some.length
    }
    return all
  }

  async #handle(messages: readonly QueueMessage[]): Promise<void> {
    const { queue } = this.#engine.env
    const left = new Map(messages.map((message) => [message, collectionsToWake(message.body)]))
    const byPath = new Map<string, QueueMessage[]>()
    for (const [message, paths] of left)
      for (const path of paths) byPath.set(path, [...(byPath.get(path) ?? []), message])
    const acknowledge = (some: readonly QueueMessage[]) =>
      Promise.all(some.filter((message) => left.get(message)?.size === 0).map((each) => queue.acknowledge(each)))
    await acknowledge(messages)
    for (const [path, group] of byPath) {
      if (this.#stop.signal.aborted) await Promise.all(group.map((message) => queue.extend(message, 0)))
      else if (await this.#compact(path)) {
        for (const message of group) left.get(message)?.delete(path)
        await acknowledge(group)
      } else await Promise.all(group.map((message) => queue.extend(message, 5_000)))
    }
  }

  /** False when the message should be delivered again. */
  async #compact(path: string): Promise<boolean> {
    try {
      await this.#engine.compactor.fold(path, this.#workOn(path))
      this.#startMerge(path)
      return true
    } catch (error) {
      if (this.#stop.signal.aborted) return false
      this.#engine.env.log.error('compaction_failed', {
        collection: path,
        error: String(error),
        ...(isSiltstoneError(error) && { code: error.code }),
      })
      return false
    }
  }

  #workOn(path: string): Pick<CompactOptions, 'signal' | 'onCommit'> {
    return { signal: this.#stop.signal, onCommit: () => this.#options.onCommit?.(path) }
  }

  /** Merges run beside folds, so that a long merge does not delay them; one merge per collection at a time. */
  #startMerge(path: string): void {
    if (this.#merging.has(path)) return
    const merging = this.#engine.compactor.merge(path, this.#workOn(path)).then(
      () => undefined,
      (error: unknown) => {
        if (!this.#stop.signal.aborted)
          this.#engine.env.log.error('merge_failed', {
            collection: path,
            error: String(error),
            ...(isSiltstoneError(error) && { code: error.code }),
          })
      },
    )
    this.#merging.set(path, merging)
    void merging.finally(() => this.#merging.delete(path))
  }

  async #keepSchedule(): Promise<void> {
    const { env } = this.#engine
    const { signal } = this.#stop
    let catalogDueMs = env.clock.monotonicMs()
    while (!signal.aborted) {
      try {
        for (const path of await this.#engine.collectionsWithLogs()) {
          if (signal.aborted) return
          await this.#compact(path)
        }
        if (env.clock.monotonicMs() >= catalogDueMs) {
          catalogDueMs = env.clock.monotonicMs() + CATALOG_EVERY_MS
          await this.#engine.collectCatalogGarbage()
        }
        await this.#engine.collectDue(signal)
      } catch (error) {
        if (!signal.aborted) env.log.error('schedule_failed', { error: String(error) })
      }
      await this.#pause(this.#options.scheduleMs)
    }
  }

  async #pause(ms: number): Promise<void> {
    await this.#engine.env.clock.sleep(ms, this.#stop.signal).catch((error: unknown) => {
      if (!this.#stop.signal.aborted) throw error
    })
  }
}
