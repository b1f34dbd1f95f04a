/**
 * A block of a dictionary. Stored as
 *
 *     u32 CRC-32 of all that follows | u32 words | u32 raw length | u32 compression (0 none, 1 zstd) | payload
 *
 * and raw as columns, which compress better than rows: for each word the number of bytes that it shares with the one before
 * (0 for the first); for each word the number of its further bytes; these bytes; for each word the number of documents,
 * in bytes of 7 bits, the lowest first.
 */
import { allocate, crc32, utf8Decode, utf8Encode, zstdCompress, zstdDecompress } from '#codec'
import { readUint32, writeUint32 } from '../../codec/bytes.ts'
import { BLOCK_RAW_BYTES, type WordRows } from './layout.ts'

const HEADER_BYTES = 16
const MOST_WORD_BYTES = 255
/** No writer makes a larger block. */
const MOST_RAW_BYTES = 2 * BLOCK_RAW_BYTES

/** Builds one block after another. Words come in byte order. */
export class DictionaryBlockBuilder {
  readonly #shared: number[] = []
  readonly #more: number[] = []
  #suffixes = new Uint8Array(BLOCK_RAW_BYTES)
  #suffixBytes = 0
  readonly #rows: number[] = []
  #before: Uint8Array = new Uint8Array(0)
  /** Of the block at hand. */
  first: string | undefined

  get words(): number {
    return this.#shared.length
  }

  get isFull(): boolean {
    return this.#suffixBytes + 3 * this.words >= BLOCK_RAW_BYTES
  }

  add({ word, rows }: WordRows): void {
    const bytes = utf8Encode(word)
    if (bytes.length > MOST_WORD_BYTES) throw new RangeError(`a word has ${bytes.length} bytes`)
    let shared = 0
    while (shared < this.#before.length && this.#before[shared] === bytes[shared]) shared++
    this.first ??= word
    this.#shared.push(shared)
    this.#more.push(bytes.length - shared)
    if (this.#suffixBytes + bytes.length > this.#suffixes.length) {
      const larger = new Uint8Array(2 * this.#suffixes.length)
      larger.set(this.#suffixes)
      this.#suffixes = larger
    }
    this.#suffixes.set(bytes.subarray(shared), this.#suffixBytes)
    this.#suffixBytes += bytes.length - shared
    for (let rest = rows; ; rest = Math.floor(rest / 128)) {
      this.#rows.push(rest > 127 ? (rest % 128) | 128 : rest)
      if (rest <= 127) break
    }
    this.#before = bytes
  }

  /** Returns the stored block and empties the builder. */
  finish(): Uint8Array {
    const { words } = this
    const raw = allocate(2 * words + this.#suffixBytes + this.#rows.length)
    raw.set(this.#shared, 0)
    raw.set(this.#more, words)
    raw.set(this.#suffixes.subarray(0, this.#suffixBytes), 2 * words)
    raw.set(this.#rows, 2 * words + this.#suffixBytes)
    const packed = zstdCompress(raw)
    const isSmaller = packed.length < raw.length
    const payload = isSmaller ? packed : raw
    const block = allocate(HEADER_BYTES + payload.length)
    writeUint32(block, 4, words)
    writeUint32(block, 8, raw.length)
    writeUint32(block, 12, isSmaller ? 1 : 0)
    block.set(payload, HEADER_BYTES)
    writeUint32(block, 0, crc32(block.subarray(4)))
    this.#shared.length = this.#more.length = this.#rows.length = 0
    this.#suffixBytes = 0
    this.#before = new Uint8Array(0)
    this.first = undefined
    return block
  }
}

/**
 * @param fail throws the error of a damaged block
 * @returns at least one word, in byte order
 */
export function decodeBlock(stored: Uint8Array, fail: (reason: string, cause?: unknown) => never): WordRows[] {
  if (stored.length < HEADER_BYTES) return fail('is too short')
  if (crc32(stored.subarray(4)) !== readUint32(stored, 0)) return fail('does not match its checksum')
  const [words, rawBytes] = [readUint32(stored, 4), readUint32(stored, 8)]
  if (words === 0 || rawBytes > MOST_RAW_BYTES || 3 * words > rawBytes) return fail('has another size')
  const raw = rawOf(stored, rawBytes, fail)
  const decoded: WordRows[] = []
  const word = new Uint8Array(MOST_WORD_BYTES)
  let suffix = 2 * words
  let countAt = suffix
  for (let i = 0; i < words; i++) countAt += raw[words + i] as number
  let length = 0
  for (let i = 0; i < words; i++) {
    const [shared, more] = [raw[i] as number, raw[words + i] as number]
    if (shared > length || shared + more > MOST_WORD_BYTES || suffix + more > raw.length || (i === 0 && shared > 0))
      return fail(`has a damaged word ${i}`)
    // In byte order: what follows the shared bytes is greater, or the word before ends there.
    const isGreater = more > 0 && (shared === length || (raw[suffix] as number) > (word[shared] as number))
    if (i > 0 && !isGreater) return fail(`is out of order at word ${i}`)
    word.set(raw.subarray(suffix, suffix + more), shared)
    length = shared + more
    suffix += more
    let rows = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = raw[countAt++]
      if (byte === undefined || factor > 2 ** 28) return fail(`ends within the documents of word ${i}`)
      rows += (byte & 127) * factor
      if (byte < 128) break
    }
    decoded.push({ word: utf8Decode(word, 0, length), rows })
  }
  return countAt === raw.length ? decoded : fail('has bytes behind its last word')
}

function rawOf(stored: Uint8Array, rawBytes: number, fail: (reason: string, cause?: unknown) => never): Uint8Array {
  const payload = stored.subarray(HEADER_BYTES)
  const compression = readUint32(stored, 12)
  if (compression > 1) return fail(`is compressed by method ${compression}`)
  let raw = payload
  if (compression === 1)
    try {
      raw = zstdDecompress(payload, rawBytes)
    } catch (cause) {
      return fail('cannot be decompressed', cause)
    }
  return raw.length === rawBytes ? raw : fail('has another size')
}
