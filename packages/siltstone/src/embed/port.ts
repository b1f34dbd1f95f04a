/**
 * The embedder port: text in, vectors out. Every provider stands behind it, and so does the cache in front of them.
 *
 * Guarantees: one vector per text in the same order, all of one length; a call embeds all texts or throws. Not guaranteed:
 * that a failed call costs nothing, or that vectors of two embedders with different `model` are comparable.
 */
export interface EmbedOptions {
  /** Ends the call early; it then rejects with the signal's reason. */
  signal?: AbortSignal
}

/** Totals since the embedder was created. */
export interface EmbedderUsage {
  /** Requests to the provider, repeated ones included; for a local model, calls of `embed`. */
  calls: number
  /** Of those, repetitions after a fault. */
  retries: number
  /** Calls of `embed` that threw. */
  failures: number
  texts: number
  /** As the provider bills them. */
  tokens: number
  /** US dollars by the price table; 0 when the model has no price in it. */
  costUsd: number
}

export interface Embedder {
  /** The provider: `siltstone-english`, `openai`, `bedrock`, `onnx`. */
  readonly name: string
  /** Names the vector space: vectors of equal `model` are comparable, others are not. Part of the cache's key. */
  readonly model: string
  /** undefined before the first answer when only the provider knows it. */
  readonly dimension: number | undefined
  readonly usage: Readonly<EmbedderUsage>
  /**
   * @throws SiltstoneError `invalid` (a text that the model cannot take), `unavailable` (retry later, after
   *   `retryAfterMs`), `unauthorized` or `forbidden` (credentials, quota), `unsupported` (a package or model is missing,
   *   or the answer is not understood), `corrupt` (a model's files are damaged)
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<Float32Array[]>
}
