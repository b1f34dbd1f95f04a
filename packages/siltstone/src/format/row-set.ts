/** A set of row numbers of one segment, one bit per row. `roaring.ts` has its stored form. */
export class RowSet {
  readonly bits: Uint32Array
  readonly rows: number

  constructor(rows: number, bits?: Uint32Array) {
    this.rows = rows
    this.bits = bits ?? new Uint32Array((rows + 31) >>> 5)
  }

  static full(rows: number): RowSet {
    const set = new RowSet(rows)
    set.addRange(0, rows)
    return set
  }

  has(row: number): boolean {
    return ((this.bits[row >>> 5] as number) & (1 << (row & 31))) !== 0
  }

  add(row: number): void {
    this.bits[row >>> 5] = (this.bits[row >>> 5] as number) | (1 << (row & 31))
  }

  remove(row: number): void {
    this.bits[row >>> 5] = (this.bits[row >>> 5] as number) & ~(1 << (row & 31))
  }

  /** Adds the rows from `start` up to, but not including, `end`. */
  addRange(start: number, end: number): void {
    if (end <= start) return
    const first = start >>> 5
    const last = (end - 1) >>> 5
    const head = 0xffffffff << (start & 31)
    const tail = 0xffffffff >>> (31 - ((end - 1) & 31))
    if (first === last) {
      this.bits[first] = (this.bits[first] as number) | (head & tail)
      return
    }
    this.bits[first] = (this.bits[first] as number) | head
    this.bits.fill(0xffffffff, first + 1, last)
    this.bits[last] = (this.bits[last] as number) | tail
  }

  copy(): RowSet {
    return new RowSet(this.rows, this.bits.slice())
  }

  /** Removes every row of `other`. */
  subtract(other: RowSet): this {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = (this.bits[i] as number) & ~(other.bits[i] as number)
    return this
  }

  /** Adds every row of `other`. */
  unite(other: RowSet): this {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = (this.bits[i] as number) | (other.bits[i] as number)
    return this
  }

  /** Removes every row that `other` does not have. */
  intersect(other: RowSet): this {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = (this.bits[i] as number) & (other.bits[i] as number)
    return this
  }

  /** The number of its rows. */
  count(): number {
    return this.rangeCount(0, this.rows)
  }

  /** The number of its rows from `start` up to, but not including, `end`. */
  rangeCount(start: number, end: number): number {
    if (end <= start) return 0
    const first = start >>> 5
    const last = (end - 1) >>> 5
    const head = 0xffffffff << (start & 31)
    const tail = 0xffffffff >>> (31 - ((end - 1) & 31))
    if (first === last) return bitsOf((this.bits[first] as number) & head & tail)
    let total = bitsOf((this.bits[first] as number) & head)
    for (let i = first + 1; i < last; i++) total += bitsOf(this.bits[i] as number)
    return total + bitsOf((this.bits[last] as number) & tail)
  }

  /** Its rows, ascending. */
  *[Symbol.iterator](): Generator<number> {
    for (let i = 0; i < this.bits.length; i++) {
      let word = this.bits[i] as number
      while (word !== 0) {
        const low = word & -word
        yield (i << 5) + 31 - Math.clz32(low)
        word ^= low
      }
    }
  }

  toArray(): number[] {
    return [...this]
  }
}

function bitsOf(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555)
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
