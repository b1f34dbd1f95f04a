/**
 * Runs compaction of a directory in a thread of its own, so that it never delays queries. Several processes may do so on
 * one directory: leases ensure that the work is done once.
 *
 * A thread that ends without being told to is started again, after a longer delay each time it fails; the work it had
 * begun is taken up by the next compaction. In a bundle without the thread's module (`siltstone/compaction-worker`)
 * compaction runs in the caller's thread, where it yields between steps and still delays queries.
 */
import { moduleBeside } from '../host/module-beside.ts'
import { startWorker, type WorkerHandle, type WorkerHandlers } from '../host/worker.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import { fullJitterMs } from '../ports/retry.ts'
import type { Logger, Metrics } from '../ports/telemetry.ts'
import { compactDirectory } from './compact-directory.ts'
import type { CompactionData, FromCompaction, StopMessage } from './compaction-messages.ts'

const STOP_WITHIN_MS = 4_000
const RESTART_AFTER_MS = 1_000
const RESTART_AT_MOST_MS = 60_000

/** Larger ones leave more garbage in memory, and compaction is not faster with them. */
const YOUNG_GENERATION_MB = 24

const MODULE = moduleBeside('./compaction-worker', import.meta.url)

export interface CompactionOptions extends CompactionData {
  clock: Clock
  random: Random
  log: Logger
  metrics: Metrics
  /** As in `CompactDirectoryOptions`. */
  onCommit?: ((path: string) => void) | undefined
}

export class Compaction {
  readonly #options: CompactionOptions
  readonly #module: URL | null
  #worker: WorkerHandle<StopMessage> | undefined
  #closing = false
  #failures = 0
  #cancelRestart = () => {}
  #ended = Promise.withResolvers<void>()
  #ready = Promise.withResolvers<void>()

  /** @param module what the thread runs; null runs compaction in this thread */
  constructor(options: CompactionOptions, module = MODULE) {
    this.#options = options
    this.#module = module
    if (module === null)
      options.log.warn('compaction_in_process', {
        reason: 'the module siltstone/compaction-worker is not beside this bundle',
        remedy: 'bundle it as compaction-worker beside this file, so that compaction does not delay queries',
      })
    this.#start()
  }

  /** Resolves when compaction has begun for the first time. */
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
    // The timer alone would not keep the process alive until the thread has ended.
    worker?.keepAlive()
    await this.#ended.promise
    cancel()
  }

  #start(): void {
    const { directory, allowNetworkFilesystem, memoryMb } = this.#options
    const data: CompactionData = { directory, allowNetworkFilesystem, memoryMb }
    const handlers: WorkerHandlers<FromCompaction> = {
      onMessage: (message) => this.#receive(message),
      onExit: (code, error) => this.#exited(code, error),
    }
    this.#worker =
      this.#module === null
        ? startHere({ ...this.#options, ...data }, handlers)
        : startWorker(this.#module, data, handlers, { youngGenerationMb: YOUNG_GENERATION_MB })
  }

  #receive(message: FromCompaction): void {
    const { log, metrics } = this.#options
    if (message.kind === 'log') log[message.level](message.event, message.fields)
    else if (message.kind === 'metric') metrics[message.how](message.name, message.value, message.labels)
    else if (message.kind === 'committed') this.#options.onCommit?.(message.path)
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

/** Compaction in this thread, in the shape of a thread. It cannot be ended at once: `terminate` only stops waiting for it. */
function startHere(options: CompactionOptions, handlers: WorkerHandlers<FromCompaction>): WorkerHandle<StopMessage> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
  let ended = false
  const end = (code: number, error?: Error) => {
    if (!ended) handlers.onExit(code, error)
    ended = true
  }
  const run = async () => {
    try {
      await compactDirectory({ ...options, stopped, onReady: () => handlers.onMessage({ kind: 'ready' }) })
      end(0)
    } catch (error) {
      end(1, error as Error)
    }
  }
  // It handles its own errors.
  void run()
  return {
    post: () => stop(),
    keepAlive: () => {},
    terminate: () => {
      end(1)
      return Promise.resolve()
    },
  }
}
