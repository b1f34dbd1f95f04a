import type { Clock } from './clock.ts'
import type { Random } from './random.ts'

export interface RetryOptions {
  /** All calls, the first included. */
  attempts: number
  /** The longest wait before the second call; doubles with each one after. */
  baseMs: number
  maxMs: number
  clock: Clock
  random: Random
  /** Whether this failure is worth another call. Default: each one is. */
  when?: (error: unknown, attempt: number) => boolean
  /** The least wait that this failure asks for, as a `Retry-After` does; the first jitter is added to it. */
  waitMs?: (error: unknown) => number | undefined
  /** Called before each wait. */
  onWait?: (error: unknown, waitMs: number, attempt: number) => void
  /** Ends the waiting. */
  signal?: AbortSignal
}

/**
 * Calls `work` until it succeeds, with exponential backoff and full jitter (Marc Brooker, "Exponential Backoff And
 * Jitter", AWS Architecture Blog, 2015).
 * @throws what the last call threw, or the signal's reason
 */
export async function retry<T>(work: (attempt: number) => T | Promise<T>, options: RetryOptions): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let waitMs: number
    try {
      return await work(attempt)
    } catch (error) {
      if (attempt >= options.attempts || options.when?.(error, attempt) === false) throw error
      const askedMs = options.waitMs?.(error)
      waitMs = askedMs === undefined ? fullJitterMs(attempt, options) : askedMs + fullJitterMs(1, options)
      options.onWait?.(error, waitMs, attempt)
    }
    await options.clock.sleep(waitMs, options.signal)
  }
}

/** A uniform wait between 0 and min(maxMs, baseMs · 2^(attempt − 1)). */
export function fullJitterMs(attempt: number, options: Pick<RetryOptions, 'baseMs' | 'maxMs' | 'random'>): number {
  return options.random.next() * Math.min(options.maxMs, options.baseMs * 2 ** (attempt - 1))
}
