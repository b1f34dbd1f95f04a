/**
 * A block of texts, one per row or null. Stored as
 *
 *     u32 CRC-32 of all that follows | u32 rows | u32 raw length | u32 compression (0 none, 1 zstd) | payload
 *
 * and raw as
 *
 *     bitmap of the rows that have a value, padded to 4 bytes | u32 offsets[rows + 1] | the texts' UTF-8
 */
import { allocate, crc32, utf8Reader, utf8Writer, zstdCompress, zstdDecompress } from '#codec'
import { writeUint32 } from '../../codec/bytes.ts'
import { corrupt } from '../../errors.ts'

const HEADER_BYTES = 16
export const MAX_ROWS_PER_BLOCK = 8192

function bitmapBytes(rows: number): number {
  return Math.ceil(rows / 32) * 4
}

/** Builds one block after another. */
export class BlockBuilder {
  rows = 0
  /** Bytes of the texts so far. */
  #used = 0
  #text = allocate(64 * 1024)
  #write = utf8Writer(this.#text)
  #bitmap = new Uint8Array(MAX_ROWS_PER_BLOCK / 8)
  #offsets = new Uint32Array(MAX_ROWS_PER_BLOCK + 1)

  /** Raw size of the block with the rows so far. */
  get rawBytes(): number {
    return bitmapBytes(this.rows) + (this.rows + 1) * 4 + this.#used
  }

  add(value: string | null): void {
    if (value !== null) {
      this.#reserve(value.length * 3)
      this.#used += this.#write(value, this.#used)
      this.#bitmap[this.rows >>> 3] = (this.#bitmap[this.rows >>> 3] as number) | (1 << (this.rows & 7))
    }
    this.#offsets[++this.rows] = this.#used
  }

  #reserve(bytes: number): void {
    if (this.#used + bytes <= this.#text.length) return
    const larger = allocate(Math.max(this.#text.length * 2, this.#used + bytes))
    larger.set(this.#text.subarray(0, this.#used))
    this.#text = larger
    this.#write = utf8Writer(larger)
  }

  /** Returns the stored block and empties the builder. */
  finish(): Uint8Array {
    const bitmap = bitmapBytes(this.rows)
    const offsets = (this.rows + 1) * 4
    const raw = allocate(bitmap + offsets + this.#used)
    raw.set(this.#bitmap.subarray(0, bitmap), 0)
    raw.set(new Uint8Array(this.#offsets.buffer, 0, offsets), bitmap)
    raw.set(this.#text.subarray(0, this.#used), bitmap + offsets)
    const stored = storeBlock(this.rows, raw)
    this.#bitmap.fill(0)
    this.rows = 0
    this.#used = 0
    return stored
  }
}

function storeBlock(rows: number, raw: Uint8Array): Uint8Array {
  const packed = zstdCompress(raw)
  const smaller = packed.length < raw.length
  const payload = smaller ? packed : raw
  const block = allocate(HEADER_BYTES + payload.length)
  writeUint32(block, 4, rows)
  writeUint32(block, 8, raw.length)
  writeUint32(block, 12, smaller ? 1 : 0)
  block.set(payload, HEADER_BYTES)
  writeUint32(block, 0, crc32(block.subarray(4)))
  return block
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = allocate(bytes.length)
  copy.set(bytes)
  return copy
}

/** A block that was read and verified. */
export class TextBlock {
  readonly firstRow: number
  readonly rows: number
  /** Bytes it takes in memory. */
  readonly sizeBytes: number
  readonly #raw: Uint8Array
  readonly #read: (start: number, end: number) => string
  readonly #offsets: Uint32Array
  readonly #textAt: number

  private constructor(firstRow: number, rows: number, raw: Uint8Array) {
    this.firstRow = firstRow
    this.rows = rows
    this.sizeBytes = raw.length
    this.#raw = raw
    this.#read = utf8Reader(raw)
    const bitmap = bitmapBytes(rows)
    this.#offsets = new Uint32Array(raw.buffer, raw.byteOffset + bitmap, rows + 1)
    this.#textAt = bitmap + (rows + 1) * 4
  }

  /** @throws SiltstoneError `corrupt` (`block-damaged`), `where` naming section and block */
  static parse(stored: Uint8Array, firstRow: number, rows: number, where: string, key: string): TextBlock {
    const fail = (reason: string, cause?: unknown): never => {
      throw corrupt('block-damaged', `${key}: ${where} ${reason}`, { key, cause })
    }
    if (stored.length < HEADER_BYTES) fail('is too short')
    const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength)
    if (crc32(stored.subarray(4)) !== view.getUint32(0, true)) fail('does not match its checksum')
    const rawLength = view.getUint32(8, true)
    const payload = stored.subarray(HEADER_BYTES)
    let raw: Uint8Array
    if (view.getUint32(12, true) === 0) raw = copyOf(payload)
    else {
      try {
        raw = zstdDecompress(payload, rawLength)
      } catch (error) {
        return fail('cannot be decompressed', error)
      }
    }
    // A view of words must be aligned.
    if (raw.byteOffset % 4 !== 0) raw = copyOf(raw)
    const textAt = bitmapBytes(rows) + (rows + 1) * 4
    if (view.getUint32(4, true) !== rows || raw.length !== rawLength || rawLength < textAt) fail('has another size')
    const block = new TextBlock(firstRow, rows, raw)
    for (let i = 0; i < rows; i++) {
      if ((block.#offsets[i] as number) > (block.#offsets[i + 1] as number)) fail('has offsets out of order')
    }
    if (textAt + (block.#offsets[rows] as number) !== raw.length) fail('has another size')
    return block
  }

  /** A block of nulls, for a section that was left out. */
  static empty(firstRow: number, rows: number): TextBlock {
    return new TextBlock(firstRow, rows, new Uint8Array(bitmapBytes(rows) + (rows + 1) * 4))
  }

  has(row: number): boolean {
    const i = row - this.firstRow
    return (((this.#raw[i >>> 3] as number) >>> (i & 7)) & 1) === 1
  }

  /** `row` counts from the segment's first. */
  get(row: number): string | null {
    if (!this.has(row)) return null
    const i = row - this.firstRow
    const from = this.#textAt + (this.#offsets[i] as number)
    return this.#read(from, this.#textAt + (this.#offsets[i + 1] as number))
  }
}
