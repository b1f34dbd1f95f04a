/** The newest queries that were sampled, to measure recall with: made ones show less of what users ask. */

/** The newest queries that are kept. */
const KEPT = 400
/** With fewer, recall is measured with made queries. */
export const ENOUGH_REAL_QUERIES = 30

export class RealQueries {
  readonly #vectors: Float32Array[] = []
  #next = 0

  add(vectors: readonly Float32Array[]): void {
    for (const vector of vectors) {
      // A copy: the caller's may be part of a large request.
      this.#vectors[this.#next] = vector.slice()
      this.#next = (this.#next + 1) % KEPT
    }
  }

  /** Newest first. */
  newest(count: number): Float32Array[] {
    const kept = this.#vectors.length
    return Array.from(
      { length: Math.min(count, kept) },
      (_, i) => this.#vectors[(this.#next - 1 - i + 2 * kept) % kept] as Float32Array,
    )
  }
}
