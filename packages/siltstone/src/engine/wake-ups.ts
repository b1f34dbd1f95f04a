/**
 * Wake-up calls for the compactor, sent after a write is durable. Writes of one collection within a short time share
 * one call. A lost call only delays compaction until the schedule lists the log.
 */
import { encodeWakeUp } from '../log/wake-up-message.ts'
import type { Environment } from '../ports/environment.ts'

const COALESCE_MS = 250

export class WakeUps {
  readonly #env: Pick<Environment, 'queue' | 'clock' | 'log'>
  readonly #waiting = new Map<string, () => void>()
  readonly #sending = new Set<Promise<void>>()

  constructor(env: Pick<Environment, 'queue' | 'clock' | 'log'>) {
    this.#env = env
  }

  send(path: string, version: number): void {
    if (this.#waiting.has(path)) return
    const cancel = this.#env.clock.timer(COALESCE_MS, () => this.#deliver(path, version))
    this.#waiting.set(path, cancel)
  }

  /** Sends the waiting calls, and resolves when they are sent. */
  async flush(): Promise<void> {
    for (const [path, cancel] of [...this.#waiting]) {
      cancel()
      this.#deliver(path, 0)
    }
    await Promise.all(this.#sending)
  }

  #deliver(path: string, version: number): void {
    this.#waiting.delete(path)
    const { queue, clock, log } = this.#env
    const sending = queue
      .send(encodeWakeUp({ collection: path, reason: 'entry', itemCount: version, timestampMs: clock.nowMs() }))
      .catch((error: unknown) => {
        log.warn('wake_up_failed', { collection: path, error: String(error) })
      })
    this.#sending.add(sending)
    void sending.finally(() => this.#sending.delete(sending))
  }
}
