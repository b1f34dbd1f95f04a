/**
 * The stored form of a `RowSet`: the portable Roaring format
 * (https://github.com/RoaringBitmap/RoaringFormatSpec). Rows that share their upper 16 bits, the key, form a container;
 * a container holds the lower 16 bits as a sorted array, as a bitmap of 65,536 bits or as runs.
 *
 * The encoder chooses the kind as CRoaring does after `runOptimize`, so equal sets give equal bytes. The decoder
 * accepts no byte that it has not checked: what it reads may come from a damaged object. Its work and its memory are
 * bounded by the number of bytes and the number of rows.
 *
 * Both assume a little-endian machine, as all formats of this folder do.
 */
import { FormatProblem } from '../arrow/problem.ts'
import { RowSet } from './row-set.ts'

/** All containers are arrays or bitmaps; the number of containers follows. */
const COOKIE_WITHOUT_RUNS = 12346
/** In the lower half; the upper half is the number of containers minus one. One bit per container marks runs. */
const COOKIE_WITH_RUNS = 12347
/** A file with runs and fewer containers than this has no offsets. */
const OFFSETS_FROM = 4
const CONTAINER_ROWS = 1 << 16
const CONTAINER_WORDS = CONTAINER_ROWS / 32
const BITMAP_BYTES = CONTAINER_ROWS / 8
/** Values of the largest array; it takes as many bytes as a bitmap. */
const MAX_ARRAY = 4096

/** The lower halves of one container's rows; encoding is synchronous, so one array serves every call. */
const lows = new Uint16Array(CONTAINER_ROWS)

/**
 * @param rows a set, or unsigned 32-bit row numbers in strictly ascending order
 * @throws RangeError when the row numbers do not ascend or do not fit
 */
export function encodeRowSet(rows: RowSet | Uint32Array | readonly number[]): Uint8Array {
  return rows instanceof RowSet ? encodeBits(rows) : encodeList(rows)
}

function encodeBits(set: RowSet): Uint8Array {
  const { bits } = set
  const encoder = new Encoder(set.count(), set.rows)
  for (let start = 0; start < bits.length; start += CONTAINER_WORDS) {
    const end = Math.min(bits.length, start + CONTAINER_WORDS)
    let count = 0
    for (let i = start; i < end; i++) {
      let word = bits[i] as number
      const base = (i - start) << 5
      while (word !== 0) {
        const low = word & -word
        lows[count++] = base + 31 - Math.clz32(low)
        word ^= low
      }
    }
    if (count > 0) encoder.add(start / CONTAINER_WORDS, count)
  }
  return encoder.finish()
}

function encodeList(rows: Uint32Array | readonly number[]): Uint8Array {
  const end = (rows.at(-1) ?? -1) + 1
  if (end > 2 ** 32) throw new RangeError(`row ${end - 1} does not fit into 32 bits`)
  const encoder = new Encoder(rows.length, end)
  let last = -1
  for (let i = 0; i < rows.length; ) {
    const key = (rows[i] as number) >>> 16
    let count = 0
    for (; i < rows.length; i++) {
      const row = rows[i] as number
      if (row >>> 16 !== key) break
      if (row <= last) throw new RangeError(`row ${row} follows row ${last}: rows must ascend`)
      last = row
      lows[count++] = row
    }
    encoder.add(key, count)
  }
  return encoder.finish()
}

class Encoder {
  readonly #body: Uint16Array
  #used = 0
  readonly #containers: { key: number; cardinality: number; isRuns: boolean; sizeBytes: number }[] = []

  /** @param end one more than the last row */
  constructor(count: number, end: number) {
    // The smallest kind has at most one word per row, and at most the words of a bitmap.
    this.#body = new Uint16Array(Math.min(count, Math.ceil(end / CONTAINER_ROWS) * MAX_ARRAY))
  }

  /** Adds a container of the first `count` values of `lows`, which ascend; at least one. */
  add(key: number, count: number): void {
    let runs = 1
    for (let i = 1; i < count; i++) if ((lows[i] as number) - (lows[i - 1] as number) !== 1) runs++
    const isArray = count <= MAX_ARRAY
    // CRoaring compares with two bytes more than an array takes.
    const isRuns = 2 + 4 * runs < (isArray ? 2 + 2 * count : BITMAP_BYTES)
    const start = this.#used
    if (isRuns) this.#addRuns(count, runs)
    else if (isArray) for (let i = 0; i < count; i++) this.#body[this.#used++] = lows[i] as number
    else this.#addBitmap(count)
    this.#containers.push({ key, cardinality: count, isRuns, sizeBytes: 2 * (this.#used - start) })
  }

  /** The number of runs, then each one's first value and its length minus one. */
  #addRuns(count: number, runs: number): void {
    this.#body[this.#used++] = runs
    let first = lows[0] as number
    let last = first
    for (let i = 1; i <= count; i++) {
      const low = lows[i] as number
      if (i < count && low === last + 1) {
        last = low
        continue
      }
      this.#body[this.#used++] = first
      this.#body[this.#used++] = last - first
      first = last = low
    }
  }

  #addBitmap(count: number): void {
    const bitmap = this.#body.subarray(this.#used, this.#used + MAX_ARRAY)
    for (let i = 0; i < count; i++) {
      const low = lows[i] as number
      bitmap[low >>> 4] = (bitmap[low >>> 4] as number) | (1 << (low & 15))
    }
    this.#used += MAX_ARRAY
  }

  /** Cookie, keys and cardinalities, offsets, containers. */
  finish(): Uint8Array {
    const count = this.#containers.length
    const hasRuns = this.#containers.some(({ isRuns }) => isRuns)
    const { keysAt, hasOffsets, headBytes } = layoutOf(count, hasRuns)
    const out = new Uint8Array(headBytes + 2 * this.#used)
    const view = new DataView(out.buffer)
    if (hasRuns) view.setUint32(0, COOKIE_WITH_RUNS | ((count - 1) << 16), true)
    else {
      view.setUint32(0, COOKIE_WITHOUT_RUNS, true)
      view.setUint32(4, count, true)
    }
    let position = headBytes
    this.#containers.forEach(({ key, cardinality, isRuns, sizeBytes }, i) => {
      if (isRuns) out[4 + (i >>> 3)] = (out[4 + (i >>> 3)] as number) | (1 << (i & 7))
      view.setUint16(keysAt + 4 * i, key, true)
      view.setUint16(keysAt + 4 * i + 2, cardinality - 1, true)
      if (hasOffsets) view.setUint32(keysAt + 4 * (count + i), position, true)
      position += sizeBytes
    })
    out.set(new Uint8Array(this.#body.buffer, 0, 2 * this.#used), headBytes)
    return out
  }
}

interface Layout {
  keysAt: number
  hasOffsets: boolean
  /** Of everything before the first container. */
  headBytes: number
}

function layoutOf(count: number, hasRuns: boolean): Layout {
  const keysAt = hasRuns ? 4 + Math.ceil(count / 8) : 8
  const hasOffsets = !hasRuns || count >= OFFSETS_FROM
  return { keysAt, hasOffsets, headBytes: keysAt + count * (hasOffsets ? 8 : 4) }
}

interface StoredContainer {
  key: number
  cardinality: number
  isRuns: boolean
  bytes: Uint8Array
}

/**
 * @param rows of the segment
 * @throws FormatProblem when the bytes are not a bitmap, or hold a row that the segment does not have
 */
export function decodeRowSet(bytes: Uint8Array, rows: number): RowSet {
  const found = readHead(bytes, rows)
  const set = new RowSet(rows)
  for (const { key, cardinality, isRuns, bytes: container } of found) {
    const base = key * CONTAINER_ROWS
    // Rows of this container that the segment has.
    const limit = Math.min(CONTAINER_ROWS, rows - base)
    if (isRuns) decodeRuns(set, base, limit, container, cardinality)
    else if (cardinality <= MAX_ARRAY) decodeArray(set, base, limit, container)
    else decodeBitmap(set, base, limit, container, cardinality)
  }
  return set
}

/** Checks everything but the containers' content: lengths, offsets, and keys against each other and `rows`. */
function readHead(bytes: Uint8Array, rows: number): StoredContainer[] {
  if (bytes.length < 8) throw new FormatProblem(`a bitmap of ${bytes.length} bytes is cut off`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const cookie = view.getUint32(0, true)
  const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS
  if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) throw new FormatProblem(`a bitmap does not begin with ${cookie}`)
  const count = hasRuns ? (cookie >>> 16) + 1 : view.getUint32(4, true)
  const { keysAt, hasOffsets, headBytes } = layoutOf(count, hasRuns)
  if (headBytes > bytes.length) throw new FormatProblem(`its ${count} containers are cut off`)
  if (hasRuns && (count & 7) !== 0 && (bytes[keysAt - 1] as number) >>> (count & 7) !== 0)
    throw new FormatProblem(`it marks runs in more than its ${count} containers`)

  const containers: StoredContainer[] = []
  let position = headBytes
  let lastKey = -1
  for (let i = 0; i < count; i++) {
    const key = view.getUint16(keysAt + 4 * i, true)
    const cardinality = view.getUint16(keysAt + 4 * i + 2, true) + 1
    if (key <= lastKey) throw new FormatProblem(`container ${key} follows container ${lastKey}`)
    if (key * CONTAINER_ROWS >= rows) throw new FormatProblem(`row ${key * CONTAINER_ROWS} or later of ${rows} rows`)
    if (hasOffsets && view.getUint32(keysAt + 4 * (count + i), true) !== position)
      throw new FormatProblem(`the offset of container ${key} is not ${position}`)
    const isRuns = hasRuns && (((bytes[4 + (i >>> 3)] as number) >>> (i & 7)) & 1) === 1
    if (isRuns && position + 2 > bytes.length) throw new FormatProblem(`container ${key} is cut off`)
    let sizeBytes = cardinality <= MAX_ARRAY ? 2 * cardinality : BITMAP_BYTES
    if (isRuns) sizeBytes = 2 + 4 * view.getUint16(position, true)
    if (position + sizeBytes > bytes.length) throw new FormatProblem(`container ${key} is cut off`)
    containers.push({ key, cardinality, isRuns, bytes: bytes.subarray(position, position + sizeBytes) })
    position += sizeBytes
    lastKey = key
  }
  if (position !== bytes.length) throw new FormatProblem(`${bytes.length - position} bytes follow its containers`)
  return containers
}

function decodeArray(set: RowSet, base: number, limit: number, bytes: Uint8Array): void {
  const { bits } = set
  let last = -1
  for (let at = 0; at < bytes.length; at += 2) {
    const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
    if (low <= last) throw new FormatProblem(`row ${base + low} follows row ${base + last}`)
    if (low >= limit) throw outside(base + low, set)
    const row = base + low
    bits[row >>> 5] = (bits[row >>> 5] as number) | (1 << (row & 31))
    last = low
  }
}

function decodeRuns(set: RowSet, base: number, limit: number, bytes: Uint8Array, cardinality: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let end = 0
  let count = 0
  for (let at = 2; at < bytes.length; at += 4) {
    const start = view.getUint16(at, true)
    const length = view.getUint16(at + 2, true) + 1
    if (start < end) throw new FormatProblem(`a run from row ${base + start} follows row ${base + end - 1}`)
    end = start + length
    if (end > limit) throw outside(base + end - 1, set)
    set.addRange(base + start, base + end)
    count += length
  }
  checkCount(base, count, cardinality)
}

function decodeBitmap(set: RowSet, base: number, limit: number, bytes: Uint8Array, cardinality: number): void {
  for (let at = limit >>> 3; at < bytes.length; at++) {
    const extra = (bytes[at] as number) >>> (at === limit >>> 3 ? limit & 7 : 0)
    if (extra !== 0) throw outside(base + Math.max(limit, at * 8), set)
  }
  const target = new Uint8Array(set.bits.buffer, set.bits.byteOffset, set.bits.byteLength)
  target.set(bytes.subarray(0, Math.ceil(limit / 8)), base / 8)
  checkCount(base, set.rangeCount(base, base + limit), cardinality)
}

function checkCount(base: number, count: number, cardinality: number): void {
  if (count === cardinality) return
  throw new FormatProblem(`its container of row ${base} holds ${count} rows, its head says ${cardinality}`)
}

function outside(row: number, set: RowSet): FormatProblem {
  return new FormatProblem(`row ${row} of ${set.rows} rows`)
}
