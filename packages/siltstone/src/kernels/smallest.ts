/** Moves the smallest of many numbers to the front, in linear time (quickselect; Hoare, 1961). */

/**
 * Reorders `values` from index `from` to before `end` so that the one at `place` is where sorting would put it: none before it is
 * larger, and none after it is smaller. No NaN.
 * @param tags reordered along with the values
 */
export function selectSmallest(
  values: Float64Array,
  place: number,
  from: number,
  end: number,
  tags?: Uint32Array,
): void {
  let low = from
  let high = end - 1
  while (low < high) {
    const pivot = middleOfThree(values[low] as number, values[(low + high) >>> 1] as number, values[high] as number)
    let i = low
    let j = high
    while (i <= j) {
      while ((values[i] as number) < pivot) i++
      while ((values[j] as number) > pivot) j--
      if (i > j) break
      const value = values[i] as number
      values[i] = values[j] as number
      values[j] = value
      if (tags) {
        const tag = tags[i] as number
        tags[i] = tags[j] as number
        tags[j] = tag
      }
      i++
      j--
    }
    if (place <= j) high = j
    else if (place >= i) low = i
    else return
  }
}

function middleOfThree(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

/**
 * The k smallest distances of many, with their tags: like `Nearest`, but faster for a large k, and its bound falls in steps, each
 * time that k more have entered. Of distances equal to the k-th, any are kept.
 */
export class SmallestOfMany {
  readonly #k: number
  readonly #distances: Float64Array
  readonly #tags: Uint32Array
  #size = 0
  /** A distance that is not smaller than this cannot enter. */
  bound = Number.POSITIVE_INFINITY

  /** @param k at least 1 */
  constructor(k: number) {
    this.#k = k
    this.#distances = new Float64Array(2 * k)
    this.#tags = new Uint32Array(2 * k)
  }

  /** @param distance smaller than `bound` */
  add(distance: number, tag: number): void {
    this.#distances[this.#size] = distance
    this.#tags[this.#size++] = tag
    if (this.#size === this.#distances.length) this.#prune()
  }

  #prune(): void {
    if (this.#size <= this.#k) return
    selectSmallest(this.#distances, this.#k - 1, 0, this.#size, this.#tags)
    this.#size = this.#k
    this.bound = this.#distances[this.#k - 1] as number
  }

  /** The distances kept and their tags, in no order. Views, valid until the next call. */
  kept(): { distances: Float64Array; tags: Uint32Array } {
    this.#prune()
    return { distances: this.#distances.subarray(0, this.#size), tags: this.#tags.subarray(0, this.#size) }
  }
}
