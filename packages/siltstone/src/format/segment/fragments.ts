/**
 * Blocks of rows with all their texts, for segments that pages read: a hit needs its id, metadata and document together, so
 * they lie together. Stored as
 *
 *     u32 CRC-32 of all that follows | varint: twice the raw length, plus 1 if compressed with Zstandard | payload
 *
 * and raw as, column by column, for each row a varint: the length of its text in bytes plus 1, or 0 for none; then the texts'
 * UTF-8 in the same order.
 */
import { crc32, utf8Decode, utf8Encode, zstdCompress, zstdDecompress } from '#codec'
import { concatBytes, readUint32, writeUint32 } from '../../codec/bytes.ts'
import { readVarint, varint } from '../../codec/varint.ts'
import { corrupt } from '../../errors.ts'

export const FRAGMENTS = { name: 'fragments', type: 'text-rows', firstVersion: 1, version: 2 } as const
export const FRAGMENT_COLUMNS = ['ids', 'metadata', 'documents', 'uris'] as const
export type FragmentColumn = (typeof FRAGMENT_COLUMNS)[number]
export type FragmentRow = Record<FragmentColumn, string | null>

/** Level of Zstandard: of blocks this small, higher ones save no byte. */
const LEVEL = 6
/** More is damage. */
const MOST_RAW_BYTES = 2 ** 31

export function encodeFragments(rows: readonly FragmentRow[]): Uint8Array {
  const lengths: Uint8Array[] = []
  const texts: Uint8Array[] = []
  for (const column of FRAGMENT_COLUMNS)
    for (const row of rows) {
      const text = row[column]
      const bytes = text === null ? undefined : utf8Encode(text)
      lengths.push(varint(bytes ? bytes.length + 1 : 0))
      if (bytes) texts.push(Uint8Array.from(bytes))
    }
  const raw = concatBytes([...lengths, ...texts])
  const packed = zstdCompress(raw, LEVEL)
  const isSmaller = packed.length < raw.length
  const block = concatBytes([new Uint8Array(4), varint(raw.length * 2 + (isSmaller ? 1 : 0)), isSmaller ? packed : raw])
  writeUint32(block, 0, crc32(block.subarray(4)))
  return block
}

export class FragmentBlock {
  readonly firstRow: number
  readonly rows: number
  /** About the bytes that it takes in memory. */
  readonly sizeBytes: number
  readonly #texts: Record<FragmentColumn, (string | null)[]>

  private constructor(
    firstRow: number,
    rows: number,
    sizeBytes: number,
    texts: Record<FragmentColumn, (string | null)[]>,
  ) {
    this.firstRow = firstRow
    this.rows = rows
    this.sizeBytes = sizeBytes
    this.#texts = texts
  }

  /** @throws SiltstoneError `corrupt` (`block-damaged`), `where` naming section and block */
  static parse(stored: Uint8Array, firstRow: number, rows: number, where: string, key: string): FragmentBlock {
    const fail = (reason: string, cause?: unknown): never => {
      throw corrupt('block-damaged', `${key}: ${where} ${reason}`, { key, cause })
    }
    if (stored.length < 5 || crc32(stored.subarray(4)) !== readUint32(stored, 0)) fail('does not match its checksum')
    const head = readVarint(stored, 4) ?? fail('is too short')
    const rawLength = Math.floor(head.value / 2)
    if (rawLength > MOST_RAW_BYTES) fail(`has a raw length of ${rawLength}`)
    let raw = stored.subarray(head.end)
    if (head.value % 2 === 1) {
      try {
        raw = zstdDecompress(raw, rawLength)
      } catch (cause) {
        fail('cannot be decompressed', cause)
      }
    }
    if (raw.length !== rawLength) fail(`has ${raw.length} bytes of ${rawLength}`)
    const lengths: number[] = []
    let at = 0
    while (lengths.length < rows * FRAGMENT_COLUMNS.length) {
      const next = readVarint(raw, at) ?? fail('has lengths that do not fit')
      lengths.push(next.value)
      at = next.end
    }
    let next = 0
    const columns = FRAGMENT_COLUMNS.map((column) => {
      const texts: (string | null)[] = []
      for (let row = 0; row < rows; row++) {
        const length = lengths[next++] as number
        texts.push(length === 0 ? null : utf8Decode(raw, at, at + length - 1))
        at += Math.max(0, length - 1)
      }
      return [column, texts] as const
    })
    if (at !== raw.length) fail('has texts that do not fit their lengths')
    const texts = Object.fromEntries(columns) as Record<FragmentColumn, (string | null)[]>
    return new FragmentBlock(firstRow, rows, 2 * raw.length + 200, texts)
  }

  /** @param row of the segment */
  get(column: FragmentColumn, row: number): string | null {
    return this.#texts[column][row - this.firstRow] ?? null
  }
}
