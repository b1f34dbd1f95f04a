import type { Clock } from '../ports/clock.ts'

/** A clock for tests: `sleep` moves it on at once and is noted; timers fire only when told to. */
export class AutoClock implements Clock {
  readonly sleptMs: number[] = []
  #nowMs = Date.UTC(2026, 0, 1)
  readonly #timers = new Set<() => void>()

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  advance(ms: number): void {
    this.#nowMs += ms
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.sleptMs.push(ms)
    this.#nowMs += ms
  }

  timer(_ms: number, run: () => void): () => void {
    this.#timers.add(run)
    return () => this.#timers.delete(run)
  }

  get timers(): number {
    return this.#timers.size
  }

  fireTimers(): void {
    for (const run of [...this.#timers]) {
      this.#timers.delete(run)
      run()
    }
  }
}
