/**
 * Keeps under a provider's limits of requests and tokens per minute: two token buckets that start full, hold ten
 * seconds' worth and refill evenly, served first come, first served. A request that costs more than a bucket holds waits
 * until it is full and leaves a debt. Token counts are estimates; `settle` corrects them by what was billed.
 */
import type { Clock } from '../ports/clock.ts'
import { orAbort } from './or-abort.ts'

const BURST_MINUTES = 1 / 6

export interface RateLimits {
  requestsPerMinute?: number | undefined
  tokensPerMinute?: number | undefined
}

export class RateLimiter {
  readonly #clock: Clock
  readonly #requests: Bucket | undefined
  readonly #tokens: Bucket | undefined
  #pausedUntilMs = Number.NEGATIVE_INFINITY
  #turn: Promise<void> = Promise.resolve()

  constructor(clock: Clock, limits: RateLimits) {
    this.#clock = clock
    const bucket = (perMinute: number | undefined) =>
      perMinute === undefined ? undefined : new Bucket(perMinute, clock.monotonicMs())
    this.#requests = bucket(limits.requestsPerMinute)
    this.#tokens = bucket(limits.tokensPerMinute)
  }

  /** Resolves when one request of this many tokens may be sent; rejects with the signal's reason. */
  async acquire(tokens: number, signal?: AbortSignal): Promise<void> {
    const previous = this.#turn
    const { promise: mine, resolve: passOn } = Promise.withResolvers<void>()
    this.#turn = mine
    let myTurn = false
    try {
      await orAbort(previous, signal)
      myTurn = true
      for (let waitMs = this.#waitMs(tokens); waitMs > 0; waitMs = this.#waitMs(tokens)) {
        await this.#clock.sleep(waitMs, signal)
      }
      signal?.throwIfAborted()
      this.#requests?.take(1)
      this.#tokens?.take(tokens)
    } finally {
      if (myTurn) passOn()
      else void previous.then(passOn)
    }
  }

  /** Corrects an estimate by the provider's count. */
  settle(estimatedTokens: number, actualTokens: number): void {
    this.#tokens?.take(actualTokens - estimatedTokens)
  }

  /** Delays all requests, because a provider's 429 concerns all of them and not only the one that received it. */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#clock.monotonicMs() + ms)
  }

  #waitMs(tokens: number): number {
    const now = this.#clock.monotonicMs()
    return Math.max(
      this.#pausedUntilMs - now,
      this.#requests?.waitMs(1, now) ?? 0,
      this.#tokens?.waitMs(tokens, now) ?? 0,
      0,
    )
  }
}

class Bucket {
  readonly #perMs: number
  readonly #capacity: number
  #level: number
  #atMs: number

  constructor(perMinute: number, nowMs: number) {
    this.#perMs = perMinute / 60_000
    this.#capacity = Math.max(1, perMinute * BURST_MINUTES)
    this.#level = this.#capacity
    this.#atMs = nowMs
  }

  waitMs(amount: number, nowMs: number): number {
    this.#level = Math.min(this.#capacity, this.#level + (nowMs - this.#atMs) * this.#perMs)
    this.#atMs = nowMs
    const missing = Math.min(amount, this.#capacity) - this.#level
    // Rounded up, because a wait that ends a fraction too early would be followed by another.
    return missing <= 1e-9 ? 0 : Math.ceil(missing / this.#perMs)
  }

  take(amount: number): void {
    this.#level = Math.min(this.#capacity, this.#level - amount)
  }
}
