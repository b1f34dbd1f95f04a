import type { Embedder, EmbedOptions } from '../embed/port.ts'

/** An embedder for tests: the vector of a text is its length and first character. It records the texts. */
export class CountingEmbedder implements Embedder {
  readonly name = 'counting'
  model = 'counting-1'
  readonly dimension = 2
  readonly usage = { calls: 0, retries: 0, failures: 0, texts: 0, tokens: 0, costUsd: 0 }
  readonly asked: string[] = []
  /** Awaited before each answer; may reject. */
  before: (texts: readonly string[], signal: AbortSignal | undefined) => Promise<void> = async () => {}

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<Float32Array[]> {
    this.asked.push(...texts)
    await this.before(texts, options.signal)
    return texts.map((text) => Float32Array.of(text.length, text.charCodeAt(0)))
  }
}
