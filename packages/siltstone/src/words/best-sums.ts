/** The k largest sums so far: a min-heap, which tells what a record must reach to be among them. */
export class BestSums {
  readonly #k: number
  readonly #heap: Float64Array
  #size = 0

  constructor(k: number) {
    this.#k = k
    this.#heap = new Float64Array(k)
  }

  /** A smaller sum is not among the k best. */
  get least(): number {
    return this.#size < this.#k ? Number.NEGATIVE_INFINITY : (this.#heap[0] as number)
  }

  offer(sum: number): void {
    const heap = this.#heap
    let at: number
    if (this.#size < this.#k) {
      at = this.#size++
      while (at > 0) {
        const parent = (at - 1) >>> 1
        if ((heap[parent] as number) <= sum) break
        heap[at] = heap[parent] as number
        at = parent
      }
    } else {
      if (this.#k === 0 || sum <= (heap[0] as number)) return
      at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= this.#size) break
        if (child + 1 < this.#size && (heap[child + 1] as number) < (heap[child] as number)) child++
        if ((heap[child] as number) >= sum) break
        heap[at] = heap[child] as number
        at = child
      }
    }
    heap[at] = sum
  }
}
