import type { FetchAnswer } from './fetch.ts'

export interface WholeObject {
  body: Uint8Array
  sizeBytes: number
  answer: FetchAnswer
}

type Found = WholeObject | 'not-found'

/** Objects that were fetched whole, bounded in bytes. Requests for one that is on its way share its answer. */
export class WholeObjects {
  readonly #limitBytes: number
  readonly #kept = new Map<string, WholeObject>()
  readonly #coming = new Map<string, Promise<Found>>()
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  has(key: string): boolean {
    return this.#kept.has(key) || this.#coming.has(key)
  }

  get(key: string, load: () => Promise<Found>): Promise<Found> {
    const kept = this.#kept.get(key)
    if (kept) {
      // The one that was used last is evicted last.
      this.#kept.delete(key)
      this.#kept.set(key, kept)
      return Promise.resolve(kept)
    }
    const coming = this.#coming.get(key)
    if (coming) return coming
    const loading = load()
      .then((found) => {
        if (found !== 'not-found') this.#keep(key, found)
        return found
      })
      .finally(() => this.#coming.delete(key))
    this.#coming.set(key, loading)
    return loading
  }

  #keep(key: string, object: WholeObject): void {
    if (object.sizeBytes > this.#limitBytes) return
    this.#kept.set(key, object)
    this.#bytes += object.sizeBytes
    for (const [oldest, { sizeBytes }] of this.#kept) {
      if (this.#bytes <= this.#limitBytes) break
      this.#kept.delete(oldest)
      this.#bytes -= sizeBytes
    }
  }

  clear(): void {
    this.#kept.clear()
    this.#bytes = 0
  }
}
