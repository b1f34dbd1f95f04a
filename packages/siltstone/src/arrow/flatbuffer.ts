/**
 * Reads FlatBuffers tables and checks every access: a DataView throws outside its range, and counts are limited by the
 * size of the input. Arrow's own library trusts the offsets, so that damaged ones could make it loop or misread.
 * Layout: https://flatbuffers.dev/internals/
 */
import { utf8Decode } from '#codec'
import { FormatProblem } from './problem.ts'

type Word = (offset: number) => number

/**
 * Many offsets may point to the same place, so a small file could expand without limit. The tables of one root therefore
 * yield at most as many bytes as the input has.
 */
interface Budget {
  bytes: number
}

export class Table {
  readonly #view: DataView
  readonly #budget: Budget
  readonly #at: number
  readonly #vtable: number
  readonly #vtableSize: number

  private constructor(view: DataView, budget: Budget, at: number) {
    this.#view = view
    this.#budget = budget
    this.#at = at
    this.#vtable = at - view.getInt32(at, true)
    this.#vtableSize = view.getUint16(this.#vtable, true)
  }

  static root(bytes: Uint8Array): Table {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return new Table(view, { bytes: bytes.byteLength }, view.getUint32(0, true))
  }

  /** Absolute position of a field, 0 when it is absent. */
  #field(index: number): number {
    const slot = 4 + 2 * index
    if (slot + 2 > this.#vtableSize) return 0
    const offset = this.#view.getUint16(this.#vtable + slot, true)
    return offset === 0 ? 0 : this.#at + offset
  }

  int8(index: number, absent = 0): number {
    const at = this.#field(index)
    return at === 0 ? absent : this.#view.getInt8(at)
  }

  int16(index: number, absent = 0): number {
    const at = this.#field(index)
    return at === 0 ? absent : this.#view.getInt16(at, true)
  }

  int32(index: number, absent = 0): number {
    const at = this.#field(index)
    return at === 0 ? absent : this.#view.getInt32(at, true)
  }

  int64(index: number, absent = 0): number {
    const at = this.#field(index)
    return at === 0 ? absent : int64(this.#view, at)
  }

  bool(index: number): boolean {
    return this.int8(index) !== 0
  }

  table(index: number): Table | undefined {
    const at = this.#field(index)
    return at === 0 ? undefined : new Table(this.#view, this.#budget, at + this.#view.getUint32(at, true))
  }

  string(index: number): string | undefined {
    const at = this.#field(index)
    if (at === 0) return undefined
    const start = at + this.#view.getUint32(at, true)
    const length = this.#view.getUint32(start, true)
    if (start + 4 + length > this.#view.byteLength) throw new FormatProblem('a text reaches past the end')
    this.#spend(length)
    return utf8Decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + start + 4, length))
  }

  tables(index: number): Table[] {
    return this.#vector(index, 4, (at) => new Table(this.#view, this.#budget, at + this.#view.getUint32(at, true)))
  }

  /** Elements of `width` bytes, each made from its little-endian signed 64-bit words and 32-bit halves. */
  structs<T>(index: number, width: number, make: (word: Word, half: Word) => T): T[] {
    return this.#vector(index, width, (at) =>
      make(
        (offset) => int64(this.#view, at + offset),
        (offset) => this.#view.getInt32(at + offset, true),
      ),
    )
  }

  #spend(bytes: number): void {
    this.#budget.bytes -= bytes
    if (this.#budget.bytes < 0) throw new FormatProblem('its tables lie over each other')
  }

  #vector<T>(index: number, width: number, make: (at: number) => T): T[] {
    const at = this.#field(index)
    if (at === 0) return []
    const start = at + this.#view.getUint32(at, true)
    const length = this.#view.getUint32(start, true)
    if (start + 4 + length * width > this.#view.byteLength) throw new FormatProblem('a list reaches past the end')
    this.#spend(length * width)
    return Array.from({ length }, (_, i) => make(start + 4 + i * width))
  }
}

function int64(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(at, true))
  if (!Number.isSafeInteger(value)) throw new FormatProblem('a number is out of range')
  return value
}
