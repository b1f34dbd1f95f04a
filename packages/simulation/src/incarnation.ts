/**
 * One life of one process. A crash ends it: answers on their way to it are dropped, so none of its promises settles any
 * more, and its memory is lost. A stall delays its answers and timers, as a suspended machine or a long garbage
 * collection would.
 */
import type { Clock } from 'siltstone/internal'
import type { Scheduler } from './scheduler.ts'

/** For callers of a process that crashed: its work may have taken effect or not. */
export class Crashed extends Error {}

export class Incarnation {
  readonly name: string
  readonly clock: Clock
  alive = true
  /** If false, faults do not crash the process. */
  mortal = true
  /** Wall clock minus true time. */
  skewMs: number
  /** The longest stall. */
  maxStallMs = Number.POSITIVE_INFINITY
  readonly #scheduler: Scheduler
  readonly #bootMs: number
  #stalledUntilMs = 0
  #onCrash: (() => void)[] = []

  constructor(name: string, scheduler: Scheduler, skewMs: number) {
    this.name = name
    this.skewMs = skewMs
    this.#scheduler = scheduler
    this.#bootMs = scheduler.nowMs
    this.clock = {
      nowMs: () => EPOCH_MS + scheduler.nowMs + this.skewMs,
      monotonicMs: () => scheduler.nowMs - this.#bootMs,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      timer: (ms, run) => this.at(scheduler.nowMs + Math.max(0, Math.ceil(ms)), run),
    }
  }

  /** Runs when the process is awake at or after that time, and never after a crash. */
  at(atMs: number, run: () => void): () => void {
    let cancelled = false
    const fire = () => {
      if (!this.alive || cancelled) return
      if (this.#stalledUntilMs > this.#scheduler.nowMs) this.#scheduler.at(this.#stalledUntilMs, fire)
      else run()
    }
    const cancel = this.#scheduler.at(atMs, fire)
    return () => {
      cancelled = true
      cancel()
    }
  }

  stall(ms: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#scheduler.nowMs + Math.min(ms, this.maxStallMs))
  }

  get stalledForMs(): number {
    return Math.max(0, this.#stalledUntilMs - this.#scheduler.nowMs)
  }

  crash(): void {
    if (!this.alive) return
    this.alive = false
    for (const tell of this.#onCrash.splice(0)) tell()
  }

  /** The answer as a client sees it; rejects with `Crashed` if the process crashes first. */
  call<T>(work: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const crashed = () => reject(new Crashed(`${this.name} crashed`))
      if (!this.alive) {
        crashed()
        return
      }
      this.#onCrash.push(crashed)
      const forget = () => {
        this.#onCrash = this.#onCrash.filter((other) => other !== crashed)
      }
      work().then(
        (value) => {
          forget()
          resolve(value)
        },
        (error: unknown) => {
          forget()
          reject(error as Error)
        },
      )
    })
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = () => {
        cancel()
        reject(signal?.reason as Error)
      }
      const cancel = this.clock.timer(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

/** Simulated time begins here. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)
