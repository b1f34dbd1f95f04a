import type { Clock } from './clock.ts'

/** Lets long polls sleep until something happens in this process, or their time is over. */
export class WakeUp {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves at the next `wakeAll`, after `ms`, whichever is first; rejects with the signal's reason. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error)
        return
      }
      const end = () => {
        cancel()
        this.#waiting.delete(end)
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }
      const onAbort = () => {
        reject(signal?.reason as Error)
        end()
      }
      const cancel = this.#clock.timer(ms, end)
      this.#waiting.add(end)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  wakeAll(): void {
    for (const end of [...this.#waiting]) end()
  }
}
