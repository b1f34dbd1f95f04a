/** A token, the unit of billing, has about 4 bytes in English and 3 in most other scripts; 3 never estimates too few. */
const BYTES_PER_TOKEN = 3

export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
}

export interface Batch {
  /** Index of the first text. */
  start: number
  texts: string[]
  estimatedTokens: number
}

/** Cuts texts into runs of at most `maxTexts` texts and `maxTokens` estimated tokens; a text above that goes alone. */
export function batchTexts(texts: readonly string[], limits: { maxTexts: number; maxTokens: number }): Batch[] {
  const batches: Batch[] = []
  let batch: Batch | undefined
  for (const [i, text] of texts.entries()) {
    const tokens = estimateTokens(text)
    if (
      batch === undefined ||
      batch.texts.length >= limits.maxTexts ||
      batch.estimatedTokens + tokens > limits.maxTokens
    ) {
      batch = { start: i, texts: [], estimatedTokens: 0 }
      batches.push(batch)
    }
    batch.texts.push(text)
    batch.estimatedTokens += tokens
  }
  return batches
}

/**
 * Runs at most `concurrency` at a time. The first failure aborts the others' signal; it is thrown once all have ended.
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  concurrency: number,
  signal: AbortSignal | undefined,
  run: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const controller = new AbortController()
  const all = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
  let next = 0
  let failure: { error: unknown } | undefined
  const worker = async () => {
    while (next < items.length && failure === undefined) {
      const item = items[next++] as T
      try {
        await run(item, all)
      } catch (error) {
        failure ??= { error }
        controller.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, worker))
  if (failure !== undefined) throw (failure as { error: unknown }).error
}
