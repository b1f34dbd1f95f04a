/** Parsed blocks of immutable objects, least recently used first out, bounded in bytes. Never invalidated. */
export class BlockCache {
  readonly limitBytes: number
  readonly #entries = new Map<string, { value: unknown; sizeBytes: number }>()
  #sizeBytes = 0
  hits = 0
  misses = 0

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get(key: string): unknown {
    const entry = this.#entries.get(key)
    if (!entry) {
      this.misses++
      return undefined
    }
    this.hits++
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return entry.value
  }

  set(key: string, value: unknown, sizeBytes: number): void {
    // One block may not push out everything else.
    if (sizeBytes > this.limitBytes / 4) return
    const old = this.#entries.get(key)
    if (old) {
      this.#sizeBytes -= old.sizeBytes
      this.#entries.delete(key)
    }
    this.#entries.set(key, { value, sizeBytes })
    this.#sizeBytes += sizeBytes
    for (const [oldest, entry] of this.#entries) {
      if (this.#sizeBytes <= this.limitBytes) break
      this.#entries.delete(oldest)
      this.#sizeBytes -= entry.sizeBytes
    }
  }
}
