import { type Metrics, noMetrics } from '../ports/telemetry.ts'
import type { EmbedderUsage } from './port.ts'

/**
 * Counts what an embedder does, for its `usage` and as metrics: `embedding_calls`, `embedding_retries`,
 * `embedding_failures`, `embedding_texts`, `embedding_tokens`, `embedding_cost_usd`, labelled with provider and model.
 */
export class UsageMeter {
  readonly usage: EmbedderUsage = { calls: 0, retries: 0, failures: 0, texts: 0, tokens: 0, costUsd: 0 }
  readonly #metrics: Metrics
  readonly #labels: Readonly<Record<string, string>>
  readonly #dollarsPerToken: number

  constructor(options: {
    provider: string
    model: string
    metrics?: Metrics | undefined
    /** undefined: free, or not known. */
    dollarsPerMillionTokens?: number | undefined
  }) {
    this.#metrics = options.metrics ?? noMetrics
    this.#labels = { provider: options.provider, model: options.model }
    this.#dollarsPerToken = (options.dollarsPerMillionTokens ?? 0) / 1e6
  }

  call(retry: boolean): void {
    this.usage.calls++
    this.#metrics.count('embedding_calls', 1, this.#labels)
    if (!retry) return
    this.usage.retries++
    this.#metrics.count('embedding_retries', 1, this.#labels)
  }

  answered(texts: number, tokens: number): void {
    const costUsd = tokens * this.#dollarsPerToken
    this.usage.texts += texts
    this.usage.tokens += tokens
    this.usage.costUsd += costUsd
    this.#metrics.count('embedding_texts', texts, this.#labels)
    this.#metrics.count('embedding_tokens', tokens, this.#labels)
    if (costUsd > 0) this.#metrics.count('embedding_cost_usd', costUsd, this.#labels)
  }

  /** Counts the failure of a whole `embed` and passes it on. */
  async watch<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (error) {
      this.usage.failures++
      this.#metrics.count('embedding_failures', 1, this.#labels)
      throw error
    }
  }
}
