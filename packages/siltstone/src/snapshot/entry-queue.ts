/** A first-in, first-out queue of cached blocks that knows their total size. */
export class EntryQueue<T extends { sizeBytes: number }> {
  #entries: T[] = []
  #first = 0
  #sizeBytes = 0

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get length(): number {
    return this.#entries.length - this.#first
  }

  push(entry: T): void {
    this.#entries.push(entry)
    this.#sizeBytes += entry.sizeBytes
  }

  /** @throws RangeError when it is empty */
  shift(): T {
    const entry = this.#entries[this.#first]
    if (entry === undefined) throw new RangeError('the queue is empty')
    this.#first++
    this.#sizeBytes -= entry.sizeBytes
    if (this.#first > 1_024 && this.#first > this.#entries.length / 2) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
    return entry
  }
}
