/** The k smallest distances seen, with their tags: a bounded max-heap over typed arrays. Ties go to the smaller tag. */
export class Nearest {
  readonly #distances: Float64Array
  readonly #tags: Float64Array
  readonly #k: number
  #size = 0

  constructor(k: number) {
    this.#k = k
    this.#distances = new Float64Array(k)
    this.#tags = new Float64Array(k)
  }

  /** A distance that is larger than this cannot enter. */
  get bound(): number {
    return this.#size < this.#k
      ? Number.POSITIVE_INFINITY
      : this.#k === 0
        ? Number.NEGATIVE_INFINITY
        : (this.#distances[0] as number)
  }

  offer(distance: number, tag: number): void {
    if (this.#size < this.#k) {
      this.#up(this.#size++, distance, tag)
      return
    }
    if (this.#k > 0 && before(distance, tag, this.#distances[0] as number, this.#tags[0] as number))
      this.#down(distance, tag)
  }

  /** Ascending. */
  distances(): Float64Array {
    return this.#distances.slice(0, this.#size).sort()
  }

  /** Nearest first. */
  sorted(): { distance: number; tag: number }[] {
    const all: { distance: number; tag: number }[] = []
    for (let i = 0; i < this.#size; i++)
      all.push({ distance: this.#distances[i] as number, tag: this.#tags[i] as number })
    return all.sort((a, b) => a.distance - b.distance || a.tag - b.tag)
  }

  #up(start: number, distance: number, tag: number): void {
    let at = start
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (!before(this.#distances[parent] as number, this.#tags[parent] as number, distance, tag)) break
      this.#distances[at] = this.#distances[parent] as number
      this.#tags[at] = this.#tags[parent] as number
      at = parent
    }
    this.#distances[at] = distance
    this.#tags[at] = tag
  }

  #down(distance: number, tag: number): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#size) break
      const right = child + 1
      if (
        right < this.#size &&
        before(
          this.#distances[child] as number,
          this.#tags[child] as number,
          this.#distances[right] as number,
          this.#tags[right] as number,
        )
      )
        child = right
      if (!before(distance, tag, this.#distances[child] as number, this.#tags[child] as number)) break
      this.#distances[at] = this.#distances[child] as number
      this.#tags[at] = this.#tags[child] as number
      at = child
    }
    this.#distances[at] = distance
    this.#tags[at] = tag
  }
}

function before(distance: number, tag: number, otherDistance: number, otherTag: number): boolean {
  return distance < otherDistance || (distance === otherDistance && tag < otherTag)
}
