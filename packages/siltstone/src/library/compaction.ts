/**
 * Runs compaction of a directory in a thread of its own, so that it never holds up queries. Any number of processes may
 * do so on one directory: leases see to it that the work is done once.
 *
 * A thread that ends unasked is started again, later each time it fails; what it had begun is taken up by whoever
 * compacts next.
 */
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import { fullJitterMs } from '../ports/retry.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'
import { startWorker, type WorkerHandle, workerModule } from '../host/worker.ts'
import type { CompactionData, FromCompaction, StopMessage } from './compaction-messages.ts'

const STOP_WITHIN_MS = 4_000
const RESTART_AFTER_MS = 1_000
const RESTART_AT_MOST_MS = 60_000

const MODULE = workerModule('compaction-worker', import.meta.url)

export interface CompactionOptions extends CompactionData {
  clock: Clock
  random: Random
  log: Logger
  metrics: Metrics
}

export class Compaction {
  readonly #options: CompactionOptions
  #worker: WorkerHandle<StopMessage> | undefined
  #closing = false
  #failures = 0
  #cancelRestart = () => {}
  #ended = Promise.withResolvers<void>()
  #ready = Promise.withResolvers<void>()

  constructor(options: CompactionOptions) {
    this.#options = options
    this.#start()
  }

  /** Resolves when the thread stands ready for the first time. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Stops at the next safe point, within 5 s in any case. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      this.#cancelRestart()
      this.#ready.resolve()
      if (this.#worker) this.#worker.post({ kind: 'stop' })
      else this.#ended.resolve()
    }
    const worker = this.#worker
    const cancel = this.#options.clock.timer(STOP_WITHIN_MS, () => {
      this.#options.log.warn('compaction_stop_forced', { afterMs: STOP_WITHIN_MS })
      void worker?.terminate()
    })
    // The timer alone would not keep the process alive until the thread is gone.
    worker?.keepAlive()
    await this.#ended.promise
    cancel()
  }

  #start(): void {
    const { directory, allowNetworkFilesystem } = this.#options
    const data: CompactionData = { directory, allowNetworkFilesystem }
    this.#worker = startWorker<StopMessage, FromCompaction>(MODULE, data, {
      onMessage: (message) => this.#receive(message),
      onExit: (code, error) => this.#exited(code, error),
    })
  }

  #receive(message: FromCompaction): void {
    const { log, metrics } = this.#options
    if (message.kind === 'log') log[message.level](message.event, message.fields)
    else if (message.kind === 'metric') metrics[message.how](message.name, message.value, message.labels)
    else if (message.kind === 'ready') {
      this.#failures = 0
      this.#ready.resolve()
    }
  }

  #exited(code: number, error: Error | undefined): void {
    const { clock, log, random } = this.#options
    this.#worker = undefined
    if (this.#closing) {
      this.#ended.resolve()
      return
    }
    const delayMs = fullJitterMs(++this.#failures, { baseMs: RESTART_AFTER_MS, maxMs: RESTART_AT_MOST_MS, random })
    log.error('compaction_thread_ended', { code, error: error && String(error), restartInMs: Math.round(delayMs) })
    this.#cancelRestart = clock.timer(delayMs, () => this.#start())
  }
}
