/** Ascending rows; one that comes twice counts once. */
export class GrowingRows {
  #rows = new Uint32Array(4)
  #count = 0

  add(row: number): void {
    if (this.#count > 0 && this.#rows[this.#count - 1] === row) return
    if (this.#count === this.#rows.length) {
      const larger = new Uint32Array(this.#count * 2)
      larger.set(this.#rows)
      this.#rows = larger
    }
    this.#rows[this.#count++] = row
  }

  values(): Uint32Array {
    return this.#rows.subarray(0, this.#count)
  }
}

const CHUNK_PAIRS = 1 << 15

/** Pairs of a value and a row; rows ascend. In chunks, since growing one array would leave its older halves behind. */
export class GrowingPairs {
  readonly #chunks: { values: Float64Array; rows: Uint32Array }[] = []
  #first = { values: new Float64Array(16), rows: new Uint32Array(16) }
  count = 0

  add(value: number, row: number): void {
    const { values, rows } = this.#chunkOf(this.count)
    values[this.count % CHUNK_PAIRS] = value
    rows[this.count++ % CHUNK_PAIRS] = row
  }

  #chunkOf(place: number): { values: Float64Array; rows: Uint32Array } {
    // Most keys have few values: only the first chunk grows.
    if (place < CHUNK_PAIRS) {
      if (place === this.#first.rows.length) {
        const values = new Float64Array(place * 2)
        values.set(this.#first.values)
        const rows = new Uint32Array(place * 2)
        rows.set(this.#first.rows)
        this.#first = { values, rows }
      }
      return this.#first
    }
    const at = Math.floor(place / CHUNK_PAIRS) - 1
    const last = this.#chunks[at] ?? { values: new Float64Array(CHUNK_PAIRS), rows: new Uint32Array(CHUNK_PAIRS) }
    this.#chunks[at] = last
    return last
  }

  /** By value, then row. */
  sorted(): { values: Float64Array; rows: Uint32Array } {
    const all = new Float64Array(this.count)
    const order = new Uint32Array(this.count)
    for (let i = 0; i < this.count; i++) {
      all[i] = this.#chunkOf(i).values[i % CHUNK_PAIRS] as number
      order[i] = i
    }
    // Pairs came by row.
    order.sort((a, b) => (all[a] as number) - (all[b] as number) || a - b)
    return {
      values: Float64Array.from(order, (i) => all[i] as number),
      rows: Uint32Array.from(order, (i) => this.#chunkOf(i).rows[i % CHUNK_PAIRS] as number),
    }
  }
}
