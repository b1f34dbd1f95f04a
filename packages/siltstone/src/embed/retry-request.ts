/**
 * Repeats a request to a provider until it succeeds, fails permanently, or the attempts run out. Embedding changes
 * nothing at the provider, so a request whose outcome is unknown (timeout, lost connection) is repeated too; it may be
 * billed twice.
 *
 * The wait is what the provider asked for (`Retry-After`) plus up to one base delay, or the full jitter of
 * `ports/retry.ts`. A provider that asks for more than `maxRetryAfterMs` is not waited for: the caller gets
 * `unavailable` with that time.
 */
import type { SiltstoneError } from '../errors.ts'
import { unavailable } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import { retry } from '../ports/retry.ts'

export interface RetryPolicy {
  /** All attempts, the first included. */
  maxAttempts: number
  baseDelayMs: number
  maxDelayMs: number
  maxRetryAfterMs: number
  /** Of one attempt, the body of the answer included. */
  timeoutMs: number
}

export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 6,
  baseDelayMs: 500,
  maxDelayMs: 20_000,
  maxRetryAfterMs: 60_000,
  timeoutMs: 60_000,
}

/** Thrown by an attempt that is worth repeating. `error` is what the caller sees if no attempt follows. */
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
  const { clock, random, policy, signal } = context
  try {
    return await retry(
      async (attempt) => {
        signal?.throwIfAborted()
        await context.before?.()
        return attemptOnce(context, (attemptSignal) => run(attempt, attemptSignal))
      },
      {
        attempts: policy.maxAttempts,
        baseMs: policy.baseDelayMs,
        maxMs: policy.maxDelayMs,
        clock,
        random,
        ...(signal && { signal }),
        when: (fault) =>
          signal?.aborted !== true &&
          fault instanceof TransientFault &&
          (fault.error.retryAfterMs ?? 0) <= policy.maxRetryAfterMs,
        waitMs: (fault) => (fault as TransientFault).error.retryAfterMs,
        onWait: (fault, delayMs, attempt) => context.onFault?.((fault as TransientFault).error, delayMs, attempt),
      },
    )
  } catch (fault) {
    signal?.throwIfAborted()
    throw fault instanceof TransientFault ? fault.error : fault
  }
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
