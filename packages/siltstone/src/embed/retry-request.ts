/**
 * Repeats a request to a provider until it succeeds, fails for good, or the attempts run out. Embedding changes nothing
 * at the provider, so a request whose outcome is unknown (timeout, lost connection) is repeated too; it may be billed twice.
 *
 * The wait before attempt n is what the provider asked for (`Retry-After`) plus up to one base delay, or
 * base × 2^(n−1) of which a random half is taken away, so that clients that failed together do not return together.
 * A provider that asks for more than `maxRetryAfterMs` is not waited for: the caller gets `unavailable` with that time.
 */
import type { SiltstoneError } from '../errors.ts'
import { unavailable } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'

export interface RetryPolicy {
  /** The first included. */
  maxAttempts: number
  baseDelayMs: number
  maxDelayMs: number
  maxRetryAfterMs: number
  /** For one attempt, the answer's body included. */
  timeoutMs: number
}

export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 6,
  baseDelayMs: 500,
  maxDelayMs: 20_000,
  maxRetryAfterMs: 60_000,
  timeoutMs: 60_000,
}

/** Thrown by an attempt that is worth repeating. `error` is what the caller sees when it was the last. */
export class TransientFault extends Error {
  readonly error: SiltstoneError

  constructor(error: SiltstoneError) {
    super(error.message, { cause: error })
    this.error = error
  }
}

export interface RetryContext {
  clock: Clock
  random: Random
  policy: RetryPolicy
  signal?: AbortSignal | undefined
  /** Runs before each attempt and does not count towards its timeout: the wait for a rate limit. */
  before?: () => Promise<void>
  /** Before each wait. */
  onFault?: (fault: SiltstoneError, delayMs: number, attempt: number) => void
}

/** @param run attempts once; `attempt` counts from 1, `signal` aborts at the timeout and when the caller aborts */
export async function withRetries<T>(
  context: RetryContext,
  run: (attempt: number, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { clock, policy, signal } = context
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    await context.before?.()
    try {
      return await attemptOnce(context, (attemptSignal) => run(attempt, attemptSignal))
    } catch (fault) {
      signal?.throwIfAborted()
      if (!(fault instanceof TransientFault)) throw fault
      const { error } = fault
      if (attempt >= policy.maxAttempts || (error.retryAfterMs ?? 0) > policy.maxRetryAfterMs) throw error
      const delayMs = delayBefore(context, attempt + 1, error.retryAfterMs)
      context.onFault?.(error, delayMs, attempt)
      await clock.sleep(delayMs, signal)
    }
  }
}

function delayBefore({ policy, random }: RetryContext, attempt: number, retryAfterMs: number | undefined): number {
  if (retryAfterMs !== undefined) return retryAfterMs + random.next() * policy.baseDelayMs
  const full = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 2))
  return full * (1 - random.next() / 2)
}

async function attemptOnce<T>(
  { clock, policy, signal }: RetryContext,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  let timedOut = false
  const cancel = clock.timer(policy.timeoutMs, () => {
    timedOut = true
    controller.abort(new Error(`no answer within ${policy.timeoutMs} ms`))
  })
  const forward = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', forward, { once: true })
  try {
    return await run(controller.signal)
  } catch (cause) {
    if (!timedOut) throw cause
    throw new TransientFault(
      unavailable('embedding-timeout', `The embedding provider did not answer within ${policy.timeoutMs} ms.`, {
        cause,
      }),
    )
  } finally {
    cancel()
    signal?.removeEventListener('abort', forward)
  }
}

/** Milliseconds from `retry-after-ms`, or `Retry-After` as seconds or a date; undefined when absent or unreadable. */
export function retryAfterOf(headers: { get(name: string): string | null }, nowMs: number): number | undefined {
  const exact = headers.get('retry-after-ms')
  if (exact !== null && /^\d+(\.\d+)?$/.test(exact)) return Number(exact)
  const after = headers.get('retry-after')?.trim()
  if (after === undefined || after === '') return undefined
  if (/^\d+(\.\d+)?$/.test(after)) return Number(after) * 1000
  const date = Date.parse(after)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}
