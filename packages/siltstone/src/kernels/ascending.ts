/**
 * Numbers in ascending order, one at a time: a heap over all of them, made in linear time (Floyd 1964). For whoever does
 * not know beforehand how many are needed. Of equal numbers the one with the smaller index comes first.
 */
export class Ascending {
  readonly #values: Float64Array
  readonly #heap: Uint32Array
  #size: number

  /** @param values not to be changed from now on */
  constructor(values: Float64Array) {
    this.#values = values
    this.#size = values.length
    this.#heap = new Uint32Array(this.#size)
    for (let i = 0; i < this.#size; i++) this.#heap[i] = i
    for (let at = (this.#size >>> 1) - 1; at >= 0; at--) this.#sink(at, this.#heap[at] as number)
  }

  /** The index of the next one, or −1. */
  next(): number {
    if (this.#size === 0) return -1
    const first = this.#heap[0] as number
    this.#size--
    if (this.#size > 0) this.#sink(0, this.#heap[this.#size] as number)
    return first
  }

  #sink(start: number, index: number): void {
    const heap = this.#heap
    const size = this.#size
    let at = start
    for (;;) {
      let child = 2 * at + 1
      if (child >= size) break
      if (child + 1 < size && this.#before(heap[child + 1] as number, heap[child] as number)) child++
      if (!this.#before(heap[child] as number, index)) break
      heap[at] = heap[child] as number
      at = child
    }
    heap[at] = index
  }

  #before(a: number, b: number): boolean {
    const x = this.#values[a] as number
    const y = this.#values[b] as number
    return x < y || (x === y && a < b)
  }
}
