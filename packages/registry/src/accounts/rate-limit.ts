/** A token bucket for each user: bursts are allowed, a steady flood is not. Each process counts for itself. */
import { type Clock, unavailable } from 'siltstone/internal'

export interface RateLimitOptions {
  clock: Clock
  /** Requests a second, on average. Default 100. */
  perSecond?: number
  /** Requests at once. Default 1,000. */
  burst?: number
}

const MAX_KEPT = 10_000

export class RateLimit {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #burst: number
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>()

  constructor({ clock, perSecond = 100, burst = 1_000 }: RateLimitOptions) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#burst = burst
  }

  /** @throws SiltstoneError `unavailable` (too-many-requests) with `retryAfterMs` */
  spend(who: string): void {
    const nowMs = this.#clock.monotonicMs()
    const known = this.#buckets.get(who) ?? { tokens: this.#burst, atMs: nowMs }
    const tokens = Math.min(this.#burst, known.tokens + ((nowMs - known.atMs) / 1_000) * this.#perSecond)
    this.#buckets.delete(who)
    this.#buckets.set(who, { tokens: tokens < 1 ? tokens : tokens - 1, atMs: nowMs })
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= MAX_KEPT) break
      this.#buckets.delete(oldest)
    }
    if (tokens < 1) {
      const retryAfterMs = Math.ceil(((1 - tokens) / this.#perSecond) * 1_000)
      throw unavailable('too-many-requests', 'too many requests of this user: send fewer', { retryAfterMs })
    }
  }
}
