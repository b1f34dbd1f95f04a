/**
 * Sends requests to AWS with a deadline, counts them, and retries them by the rules of this module. The SDK itself never
 * retries (`maxAttempts: 1`): a hidden retry could turn an applied put into a refusal.
 */
import { isSiltstoneError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Random } from '../../ports/random.ts'
import { fullJitterMs } from '../../ports/retry.ts'
import type { Logger, Metrics } from '../../ports/telemetry.ts'
import { type Doing, isThrottled, openError, outcomeOf, refusedError } from './failure.ts'

export interface RequestParts {
  clock: Clock
  random: Random
  log: Logger
  metrics: Metrics
}

export interface RequestLimits {
  /** The time to the first byte of the answer, in addition to the time of its transfer. */
  timeoutMs: number
  /** The slowest transfer that is accepted. */
  bytesPerSecond: number
  /** Attempts of a request that can be repeated without harm. */
  attempts: number
}

export const defaultRequestLimits: RequestLimits = { timeoutMs: 20_000, bytesPerSecond: 256 * 1024, attempts: 6 }

const BACKOFF = { baseMs: 50, maxMs: 5_000 }
const THROTTLED_BACKOFF = { baseMs: 400, maxMs: 20_000 }

/** The deadline of one attempt, which can be extended. */
export interface Deadline {
  readonly signal: AbortSignal
  /** Allows the time for `bytes` more bytes. */
  extendBy(bytes: number): void
}

export interface CallOptions extends Doing {
  /** The request changes something: if its outcome stays open, the error says so. */
  changes?: boolean
  bytes?: number
  /** Added to the limit: the time that the service itself was asked to wait. */
  waitMs?: number
  attempts?: number
  signal?: AbortSignal
  /** Called when an attempt ended without a clear answer and another one follows. */
  onOpen?: () => void
}

export class Requests {
  readonly #parts: RequestParts
  readonly #limits: RequestLimits
  readonly #service: string

  constructor(service: string, parts: RequestParts, limits: RequestLimits = defaultRequestLimits) {
    this.#service = service
    this.#parts = parts
    this.#limits = limits
  }

  /**
   * Repeats the request until there is an answer. `work` maps the answers that are not failures.
   * @throws SiltstoneError for the last failure: `unknown` if any attempt may have applied a change
   */
  async call<T>(options: CallOptions, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    const attempts = options.attempts ?? this.#limits.attempts
    let mayBeApplied = false
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.once(options, work)
      } catch (error) {
        if (isSiltstoneError(error)) throw error
        options.signal?.throwIfAborted()
        const outcome = outcomeOf(error)
        mayBeApplied ||= outcome === 'open' || outcome === 'conflict'
        if (outcome === 'refused' || attempt >= attempts)
          throw options.changes === true && mayBeApplied ? openError(error, options) : refusedError(error, options)
        if (mayBeApplied) options.onOpen?.()
        await this.backOff(error, attempt, options.signal)
      }
    }
  }

  /** One attempt, within its deadline. @throws what the SDK throws, or the reason of the caller's signal */
  async once<T>(options: CallOptions, work: (deadline: Deadline) => Promise<T>): Promise<T> {
    const { clock, metrics } = this.#parts
    const controller = new AbortController()
    const expire = () => controller.abort(new DOMException('no answer within the time limit', 'TimeoutError'))
    const transferMs = (bytes: number) => (bytes / this.#limits.bytesPerSecond) * 1_000
    let leftMs = this.#limits.timeoutMs + transferMs(options.bytes ?? 0) + (options.waitMs ?? 0)
    let cancel = clock.timer(leftMs, expire)
    const extendBy = (bytes: number) => {
      cancel()
      leftMs += transferMs(bytes)
      cancel = clock.timer(leftMs, expire)
    }
    const signal =
      options.signal === undefined ? controller.signal : AbortSignal.any([controller.signal, options.signal])
    metrics.count('aws_requests', 1, { service: this.#service })
    try {
      signal.throwIfAborted()
      return await work({ signal, extendBy })
    } finally {
      cancel()
    }
  }

  async backOff(error: unknown, attempt: number, signal?: AbortSignal): Promise<void> {
    const { clock, random, log, metrics } = this.#parts
    const waitMs = fullJitterMs(attempt, { ...(isThrottled(error) ? THROTTLED_BACKOFF : BACKOFF), random })
    metrics.count('aws_retries', 1, { service: this.#service })
    log.debug('aws_retry', { service: this.#service, attempt, waitMs, error: String(error) })
    await clock.sleep(waitMs, signal)
  }
}
