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

/** Pairs of a value and a row. */
export class GrowingPairs {
  #values = new Float64Array(16)
  #rows = new Uint32Array(16)
  count = 0

  add(value: number, row: number): void {
    if (this.count === this.#values.length) {
      const values = new Float64Array(this.count * 2)
      values.set(this.#values)
      this.#values = values
      const rows = new Uint32Array(this.count * 2)
      rows.set(this.#rows)
      this.#rows = rows
    }
    this.#values[this.count] = value
    this.#rows[this.count++] = row
  }

  /** By value, then row. */
  sorted(): { values: Float64Array; rows: Uint32Array } {
    const order = new Uint32Array(this.count)
    for (let i = 0; i < this.count; i++) order[i] = i
    const [values, rows] = [this.#values, this.#rows]
    order.sort((a, b) => (values[a] as number) - (values[b] as number) || (rows[a] as number) - (rows[b] as number))
    return {
      values: Float64Array.from(order, (i) => values[i] as number),
      rows: Uint32Array.from(order, (i) => rows[i] as number),
    }
  }
}
