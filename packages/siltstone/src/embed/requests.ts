import type { Clock } from '../ports/clock.ts'
import type { Random } from '../ports/random.ts'
import { type Logger, type Metrics, silentLogger } from '../ports/telemetry.ts'
import { RateLimiter, type RateLimits } from './rate-limit.ts'
import { defaultRetryPolicy, type RetryPolicy, withRetries } from './retry-request.ts'
import { UsageMeter } from './usage.ts'

/** Dependencies of every remote provider. */
export interface ProviderDependencies {
  clock: Clock
  random: Random
  log?: Logger | undefined
  metrics?: Metrics | undefined
}

/** Options of every remote provider's requests. */
export interface RequestOptions extends RateLimits {
  /** Requests in flight. */
  concurrency?: number | undefined
  retry?: { [K in keyof RetryPolicy]?: RetryPolicy[K] | undefined } | undefined
  /** US dollars per million tokens. Default: the list price (`prices.ts`), 0 when there is none. */
  dollarsPerMillionTokens?: number | undefined
}

export interface RequestSize {
  texts: number
  estimatedTokens: number
}

/** The requests of one embedder: rate limit, retries, counters, log, in one place. Logs `embedding_retried`. */
export class Requests {
  readonly meter: UsageMeter
  readonly #labels: { provider: string; model: string }
  readonly #dependencies: ProviderDependencies
  readonly #policy: RetryPolicy
  readonly #limiter: RateLimiter
  readonly #log: Logger

  constructor(
    labels: { provider: string; model: string },
    options: RequestOptions,
    dependencies: ProviderDependencies,
  ) {
    this.#labels = labels
    this.#dependencies = dependencies
    const given = Object.entries(options.retry ?? {}).filter(([, value]) => value !== undefined)
    this.#policy = { ...defaultRetryPolicy, ...Object.fromEntries(given) }
    this.#limiter = new RateLimiter(dependencies.clock, options)
    this.#log = dependencies.log ?? silentLogger
    this.meter = new UsageMeter({
      ...labels,
      metrics: dependencies.metrics,
      dollarsPerMillionTokens: options.dollarsPerMillionTokens,
    })
  }

  /**
   * @param send one attempt; throws TransientFault where a repetition may help
   * @returns the result of `send`; its `tokens` are the provider's count, undefined when it reports none
   */
  run<T extends { tokens: number | undefined }>(
    size: RequestSize,
    signal: AbortSignal,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const { clock, random } = this.#dependencies
    return withRetries(
      {
        clock,
        random,
        policy: this.#policy,
        signal,
        before: () => this.#limiter.acquire(size.estimatedTokens, signal),
        onFault: (fault, delayMs, attempt) => {
          if (fault.code === 'embedding-rate-limited') this.#limiter.pause(fault.retryAfterMs ?? delayMs)
          this.#log.warn('embedding_retried', { ...this.#labels, error: fault.code, attempt, delayMs })
        },
      },
      async (attempt, attemptSignal) => {
        this.meter.call(attempt > 1)
        const answer = await send(attemptSignal)
        const tokens = answer.tokens ?? size.estimatedTokens
        this.#limiter.settle(size.estimatedTokens, tokens)
        this.meter.answered(size.texts, tokens)
        return answer
      },
    )
  }
}
