/** A set of row numbers of one segment: dense bits in memory, portable Roaring bytes in the bucket. */
import roaring from 'roaring-wasm'

const { RoaringBitmap32, roaringLibraryInitialize } = roaring

export class RowSet {
  readonly bits: Uint32Array
  readonly rows: number

  constructor(rows: number, bits?: Uint32Array) {
    this.rows = rows
    this.bits = bits ?? new Uint32Array((rows + 31) >>> 5)
  }

  static full(rows: number): RowSet {
    const set = new RowSet(rows)
    set.bits.fill(0xffffffff)
    const rest = rows & 31
    if (rest !== 0) set.bits[set.bits.length - 1] = 2 ** rest - 1
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

  /** Keeps only rows of `other`. */
  intersect(other: RowSet): this {
    for (let i = 0; i < this.bits.length; i++) this.bits[i] = (this.bits[i] as number) & (other.bits[i] as number)
    return this
  }

  count(): number {
    return this.rangeCount(0, this.rows)
  }

  /** How many rows from `start` to before `end` are in it. */
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

/** The wasm of the bitmap library is compiled once per process. */
export async function encodeRowSet(set: Iterable<number>): Promise<Uint8Array> {
  await roaringLibraryInitialize()
  const bitmap = new RoaringBitmap32(set)
  try {
    bitmap.runOptimize()
    return Uint8Array.from(bitmap.serialize('portable'))
  } finally {
    bitmap.dispose()
  }
}

/** @throws Error when the bytes are no bitmap, or hold a row that the segment does not have */
export async function decodeRowSet(bytes: Uint8Array, rows: number): Promise<RowSet> {
  await roaringLibraryInitialize()
  const bitmap = RoaringBitmap32.deserialize('portable', bytes)
  try {
    // Before they are written out: a few bytes can stand for billions of rows.
    if (bitmap.size > 0 && bitmap.maximum() >= rows) throw new RangeError(`row ${bitmap.maximum()} of ${rows}`)
    const set = new RowSet(rows)
    for (const row of bitmap.toUint32Array()) set.add(row)
    return set
  } finally {
    bitmap.dispose()
  }
}
