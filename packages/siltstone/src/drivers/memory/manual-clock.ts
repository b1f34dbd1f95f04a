import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../ports/clock.ts'

interface PendingTimer {
  dueMs: number
  /** Timers that are due at the same time fire in the order in which they were set. */
  order: number
  run: () => void
}

/**
 * A clock that stands still until a test moves it. Timers fire in the order of their time, then of their creation; after
 * each one, everything that waits on promises runs before the next one fires, so a run replays exactly.
 */
export class ManualClock implements Clock {
  #nowMs: number
  #monotonicMs = 0
  #made = 0
  #pending: PendingTimer[] = []
  #skipsSleeps = false
  /** Every sleep that was asked for. */
  readonly sleptMs: number[] = []

  constructor(nowMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = nowMs
  }

  /** A clock on which each sleep ends at once and moves the clock forward, for tests with a single sleeper. */
  static skippingSleeps(): ManualClock {
    const clock = new ManualClock()
    clock.#skipsSleeps = true
    return clock
  }

  /** Whole, as a wall clock tells it. */
  nowMs(): number {
    return Math.floor(this.#nowMs)
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.sleptMs.push(ms)
    if (this.#skipsSleeps) {
      const endMs = this.#monotonicMs + ms
      for (let next = this.#pending[0]; next !== undefined && next.dueMs <= endMs; next = this.#pending[0]) {
        this.#run(next)
      }
      this.#moveTo(endMs)
      return
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = () => {
        cancel()
        reject(signal?.reason as Error)
      }
      const cancel = this.timer(ms, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  timer(ms: number, run: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, ms), order: this.#made++, run }
    const at = this.#pending.findLastIndex((other) => other.dueMs <= timer.dueMs)
    this.#pending.splice(at + 1, 0, timer)
    return () => {
      this.#pending = this.#pending.filter((other) => other !== timer)
    }
  }

  /** The number of timers and sleeps that wait. */
  get pendingTimers(): number {
    return this.#pending.length
  }

  /** Moves both clocks forward by `ms`, fires the timers that become due, and lets the code that they wake run. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms
    await setImmediate()
    for (let next = this.#pending[0]; next !== undefined && next.dueMs <= endMs; next = this.#pending[0]) {
      await this.#fire(next)
    }
    this.#moveTo(endMs)
  }

  /** Moves to the next timer and fires it. False if there is none. */
  async advanceToNext(): Promise<boolean> {
    await setImmediate()
    const [next] = this.#pending
    if (next !== undefined) await this.#fire(next)
    return next !== undefined
  }

  /**
   * Fires timer after timer until `work` has settled.
   * @returns what `work` returned
   * @throws Error if `work` waits and no timer is left that could wake it
   */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    const state = { isSettled: false }
    const settle = () => {
      state.isSettled = true
    }
    work.then(settle, settle)
    await setImmediate()
    while (!state.isSettled) {
      if (!(await this.advanceToNext()) && !state.isSettled) {
        throw new Error('The work waits for something that is not a timer, so no timer can wake it.')
      }
    }
    return work
  }

  /** Sets the wall clock alone, forward or back, as an operator or NTP would. */
  stepWallClock(ms: number): void {
    this.#nowMs += ms
  }

  async #fire(timer: PendingTimer): Promise<void> {
    this.#run(timer)
    await setImmediate()
  }

  #run(timer: PendingTimer): void {
    this.#pending.shift()
    this.#moveTo(Math.max(this.#monotonicMs, timer.dueMs))
    timer.run()
  }

  #moveTo(monotonicMs: number): void {
    this.#nowMs += monotonicMs - this.#monotonicMs
    this.#monotonicMs = monotonicMs
  }
}
