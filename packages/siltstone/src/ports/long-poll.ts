import type { Clock } from './clock.ts'

/** Lets long polls sleep until another part of this process wakes them, or their time has passed. */
export class LongPolls {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Resolves at the next `wakeAll` or after `ms`, whichever comes first; rejects with the signal's reason. Keeps the
   * process alive, as any pending request does.
   */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    this.#waiting.add(wake)
    const signals = signal === undefined ? [woken.signal] : [woken.signal, signal]
    return this.#clock
      .sleep(ms, AbortSignal.any(signals))
      .catch((reason: unknown) => {
        if (!woken.signal.aborted) throw reason
      })
      .finally(() => this.#waiting.delete(wake))
  }

  wakeAll(): void {
    for (const wake of this.#waiting) wake()
  }
}
