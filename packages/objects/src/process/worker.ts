/**
 * A worker: receives messages about keys, reconciles each, and sweeps now and then. Any number of workers may run, in any
 * number of processes; messages are shared by the queue, keys by their states.
 *
 * A message is acknowledged when the work on its keys has ended, or when a later message about them has been sent. If a worker
 * is killed, its message is delivered again.
 */
import type { BlobStore, Clock, Logger, Queue, QueueMessage } from 'siltstone/internal'
import { changeEvent } from './events.ts'
import { handleMessage } from './handle-message.ts'
import type { Reconciler } from './reconciler.ts'
import { ownedBuckets, type StateStore } from './state-store.ts'
import { sweep, type SweepReport } from './sweep.ts'

export interface WorkerOptions {
  queue: Queue
  reconciler: Reconciler
  states: StateStore
  /** Those that are there; sweeps also look at buckets of which only states are left. */
  buckets: () => Promise<string[]>
  blobs: (bucket: string) => BlobStore
  /** See `MessageParts`; of other buckets, states are left alone. */
  owns?: (bucket: string) => Promise<boolean>
  clock: Clock
  log: Logger
  /** Keys that are worked on at the same time. Default 2. */
  keysAtOnce?: number
  /** As of `SweepOptions`. */
  expiresBeforeMs?: (bucket: string, key: string) => number | undefined
  /** Default 5 minutes; 0: never. */
  sweepEachMs?: number
}

const VISIBILITY_MS = 30_000
const EXTEND_EACH_MS = 8_000
const WAIT_MS = 20_000
const AFTER_FAILURE_MS = 1_000
const SWEEP_EACH_MS = 5 * 60_000
export class Worker {
  readonly #options: WorkerOptions
  readonly #stop = new AbortController()
  readonly #loops: Promise<void>[] = []

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  start(): void {
    const { keysAtOnce = 2, sweepEachMs = SWEEP_EACH_MS } = this.#options
    for (let k = 0; k < keysAtOnce; k++) this.#loops.push(this.#receive())
    if (sweepEachMs > 0) this.#loops.push(this.#sweeps(sweepEachMs))
  }

  /** Ends when the work that runs has come to an end or was given up. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the worker stops'))
    await Promise.all(this.#loops)
  }

  /** Sends a message for each key that needs a worker. */
  async sweep(): Promise<SweepReport> {
    const { buckets, blobs, states, owns, reconciler, queue, log, expiresBeforeMs } = this.#options
    const total: SweepReport = { objects: 0, found: 0, derivedRemoved: 0, expired: 0 }
    for (const bucket of new Set([...(await buckets()), ...(await ownedBuckets(states, owns))])) {
      const report = await sweep({
        bucket,
        blobs: blobs(bucket),
        states,
        reconciler,
        found: (key, deleted) => queue.send(changeEvent({ bucket, key, ...(deleted && { deleted }) })),
        ...(expiresBeforeMs && { expiresBeforeMs: (key) => expiresBeforeMs(bucket, key) }),
        onDamaged: (error) => log.error('object_state_damaged', { bucket, error }),
        signal: this.#stop.signal,
      })
      total.objects += report.objects
      total.found += report.found
      total.derivedRemoved += report.derivedRemoved
      total.expired += report.expired
    }
    return total
  }

  async #receive(): Promise<void> {
    const { queue, log, clock } = this.#options
    const { signal } = this.#stop
    while (!signal.aborted)
      try {
        const messages = await queue.receive({ maxMessages: 1, visibilityMs: VISIBILITY_MS, waitMs: WAIT_MS, signal })
        for (const message of messages) await this.#handle(message)
      } catch (error) {
        if (signal.aborted) return
        log.error('objects_worker_failed', { error })
        await clock.sleep(AFTER_FAILURE_MS, signal).catch(() => undefined)
      }
  }

  async #handle(message: QueueMessage): Promise<void> {
    const { queue, clock } = this.#options
    let extendedMs = clock.monotonicMs()
    const alive = async () => {
      if (clock.monotonicMs() - extendedMs < EXTEND_EACH_MS) return
      extendedMs = clock.monotonicMs()
      await queue.extend(message, VISIBILITY_MS)
    }
    await handleMessage(message.body, this.#options, { alive, signal: this.#stop.signal })
    await queue.acknowledge(message)
  }

  async #sweeps(eachMs: number): Promise<void> {
    const { log, clock, queue } = this.#options
    const { signal } = this.#stop
    for (let isFirst = true; !signal.aborted; isFirst = false)
      try {
        // What waits in the queue would be found, and told, again.
        if (isFirst || (await queue.depth()).visible === 0) {
          const report = await this.sweep()
          if (report.found + report.derivedRemoved + report.expired > 0) log.info('objects_swept', { ...report })
        }
        await clock.sleep(eachMs, signal)
      } catch (error) {
        if (signal.aborted) return
        log.error('objects_sweep_failed', { error })
        await clock.sleep(AFTER_FAILURE_MS, signal).catch(() => undefined)
      }
  }
}
