/**
 * Writes FlatBuffers (https://flatbuffers.dev/internals/): a tree of tables, given as plain values, becomes bytes in one
 * pass from front to back. References lead forward, so a parent is written before its children and its offsets are
 * filled in when they are placed. Nothing is shared, which `flatbuffer.ts`, the reader, relies on.
 */

/** A field of a table in the order of its schema; `null` is absent and has its default. */
export type Slot = { bits: 8 | 16 | 32 | 64; value: number } | FlatNode | null

/** What a field refers to. Each element of `structs` has 64-bit alignment. */
export type FlatNode =
  | { text: string }
  | { table: readonly Slot[] }
  | { tables: readonly FlatNode[] }
  | { structs: BigInt64Array; count: number }

/** A multiple of 8 bytes; it must be placed at a multiple of 8 bytes. */
export function encodeFlatBuffer(root: FlatNode): Uint8Array {
  const writer = new Writer()
  const at = writer.reserve(4, 4)
  writer.refer(at, root)
  writer.reserve(0, 8)
  return writer.bytes()
}

const encoder = new TextEncoder()

class Writer {
  #bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  #end = 0

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  /** Zeros, of which byte `skip` lies at a multiple of `alignment`. @returns where they begin */
  reserve(sizeBytes: number, alignment: number, skip = 0): number {
    const at = Math.ceil((this.#end + skip) / alignment) * alignment - skip
    this.#end = at + sizeBytes
    if (this.#end > this.#bytes.length) {
      const larger = new Uint8Array(this.#end * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return at
  }

  /** Writes a node, and its distance at `at`. */
  refer(at: number, node: FlatNode): void {
    const target = this.#node(node)
    this.#view.setUint32(at, target - at, true)
  }

  #node(node: FlatNode): number {
    if ('text' in node) return this.#text(node.text)
    if ('table' in node) return this.#table(node.table)
    if ('tables' in node) return this.#tables(node.tables)
    const { structs, count } = node
    const at = this.reserve(4 + structs.byteLength, 8, 4)
    this.#view.setUint32(at, count, true)
    structs.forEach((word, i) => this.#view.setBigInt64(at + 4 + 8 * i, word, true))
    return at
  }

  /** Its length, its UTF-8 and a zero byte. */
  #text(text: string): number {
    const bytes = encoder.encode(text)
    const at = this.reserve(4 + bytes.length + 1, 4)
    this.#view.setUint32(at, bytes.length, true)
    this.#bytes.set(bytes, at + 4)
    return at
  }

  #tables(nodes: readonly FlatNode[]): number {
    const at = this.reserve(4 + 4 * nodes.length, 4)
    this.#view.setUint32(at, nodes.length, true)
    nodes.forEach((node, i) => this.refer(at + 4 + 4 * i, node))
    return at
  }

  /** The vtable, with the distance of each field from the table; then the table, which begins with its distance from the vtable. */
  #table(slots: readonly Slot[]): number {
    const vtable = this.reserve(4 + 2 * slots.length, 2)
    let size = 4
    const places = slots.map((slot) => {
      if (slot === null) return 0
      const bytes = 'bits' in slot ? slot.bits / 8 : 4
      const place = Math.ceil(size / bytes) * bytes
      size = place + bytes
      return place
    })
    const table = this.reserve(size, 8)
    this.#view.setUint16(vtable, 4 + 2 * slots.length, true)
    this.#view.setUint16(vtable + 2, size, true)
    this.#view.setInt32(table, table - vtable, true)
    slots.forEach((slot, i) => {
      const place = places[i] as number
      this.#view.setUint16(vtable + 4 + 2 * i, place, true)
      if (slot === null) return
      if ('bits' in slot) this.#integer(table + place, slot.bits, slot.value)
      else this.refer(table + place, slot)
    })
    return table
  }

  #integer(at: number, bits: 8 | 16 | 32 | 64, value: number): void {
    if (bits === 8) this.#view.setInt8(at, value)
    else if (bits === 16) this.#view.setInt16(at, value, true)
    else if (bits === 32) this.#view.setInt32(at, value, true)
    else this.#view.setBigInt64(at, BigInt(value), true)
  }
}
