/**
 * Which documents can hold a text: for blocks of rows a Bloom filter of the trigrams in their documents, stored bit by
 * bit across blocks ("bit-sliced"; Goodwin et al., "BitFunnel", SIGIR 2017), so that a query reads a few slices instead
 * of all filters. Rows of a cluster share words, so a block of them has not many more trigrams than one of its rows.
 *
 * It can only say that a text is certainly absent; whoever is left has to be looked at.
 */
import { crcHex } from '../format/checksum.ts'
import type { SegmentReader } from '../format/segment/reader.ts'
import type { SegmentWriter } from '../format/segment/writer.ts'
import { DOCUMENT_SIGNATURES, type Part } from './layout.ts'
import { PartReader } from './part-reader.ts'

const SLICES = 16_384
/** One trigram sets this many bits of a block's filter. */
const BITS = 2
/** Rows are put together until their documents have about so many characters: the filters are then 20 to 40 % full. */
const BLOCK_CHARACTERS = 8_000
const MAX_BLOCK_ROWS = 256
/** Documents kept until the size of blocks is chosen. */
const PROBE_ROWS = 1_024
/** Slices that share a checksum. */
const GROUP = 16

export class SignatureBuilder {
  readonly #rows: number
  #probe: { row: number; text: string }[] | undefined = []
  #blockRows = 0
  #stride = 0
  #bits = new Uint8Array(0)

  constructor(rows: number) {
    this.#rows = rows
  }

  add(row: number, text: string): void {
    if (this.#probe) {
      this.#probe.push({ row, text })
      if (this.#probe.length === PROBE_ROWS) this.#begin()
    } else this.#mark(row, text)
  }

  #begin(): void {
    const probe = this.#probe ?? []
    this.#probe = undefined
    if (probe.length === 0) return
    const mean = probe.reduce((sum, { text }) => sum + text.length, 0) / probe.length
    const wanted = Math.max(1, BLOCK_CHARACTERS / Math.max(1, mean))
    this.#blockRows = Math.min(MAX_BLOCK_ROWS, 2 ** Math.round(Math.log2(wanted)))
    this.#stride = strideOf(this.#rows, this.#blockRows)
    this.#bits = new Uint8Array(SLICES * this.#stride)
    for (const { row, text } of probe) this.#mark(row, text)
  }

  #mark(row: number, text: string): void {
    const block = Math.floor(row / this.#blockRows)
    const byte = block >>> 3
    const bit = 1 << (block & 7)
    for (let i = 0; i + 3 <= text.length; i++) {
      const hash = trigram(text, i)
      for (let b = 0; b < BITS; b++) {
        const at = sliceOf(hash, b) * this.#stride + byte
        this.#bits[at] = (this.#bits[at] as number) | bit
      }
    }
  }

  /** Writes nothing when no row has a document. */
  async section(writer: SegmentWriter): Promise<void> {
    if (this.#probe) this.#begin()
    if (this.#blockRows === 0) return
    const stride = this.#stride
    await writer.addSection(DOCUMENT_SIGNATURES.name, async (sink) => {
      const groupBytes = GROUP * stride
      const checksums = new Uint32Array(SLICES / GROUP)
      for (let group = 0; group < checksums.length; group++) {
        const bytes = this.#bits.slice(group * groupBytes, (group + 1) * groupBytes)
        checksums[group] = Number.parseInt(crcHex(bytes), 16)
        await sink.write(bytes)
      }
      const directory = new Uint8Array(checksums.buffer)
      const place = { offset: sink.position, length: directory.length, crc32: crcHex(directory) }
      await sink.write(directory)
      const params = { slices: SLICES, bits: BITS, blockRows: this.#blockRows, group: GROUP }
      return { type: DOCUMENT_SIGNATURES.type, params, directory: place }
    })
  }
}

/** Bytes of a slice: a bit for each block. */
function strideOf(rows: number, blockRows: number): number {
  return Math.ceil(Math.ceil(rows / blockRows) / 8)
}

/** The trigrams' hash; units are UTF-16. */
function trigram(text: string, at: number): number {
  let hash = Math.imul(text.charCodeAt(at), 0x9e3779b1)
  hash = Math.imul(hash ^ text.charCodeAt(at + 1) ^ (hash >>> 15), 0x85ebca6b)
  hash = Math.imul(hash ^ text.charCodeAt(at + 2) ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

function sliceOf(hash: number, bit: number): number {
  return (bit === 0 ? hash : Math.imul(hash, 0x27d4eb2f) >>> 12) & (SLICES - 1)
}

export class Signatures {
  readonly #parts: PartReader
  readonly #rows: number
  readonly #blockRows: number
  /** Of one slice. */
  readonly #stride: number
  readonly #checksums: Part

  private constructor(parts: PartReader, rows: number, blockRows: number, checksums: Part) {
    this.#parts = parts
    this.#rows = rows
    this.#blockRows = blockRows
    this.#stride = strideOf(rows, blockRows)
    this.#checksums = checksums
  }

  /** Undefined when the segment has none. @throws SiltstoneError `corrupt` */
  static of(reader: SegmentReader): Signatures | undefined {
    const section = reader.section(DOCUMENT_SIGNATURES.name, DOCUMENT_SIGNATURES.type)
    if (!section) return undefined
    const parts = new PartReader(reader.source, section)
    const { directory, params, length } = section
    const blockRows = Number(params['blockRows'])
    const isKnown = params['slices'] === SLICES && params['bits'] === BITS && params['group'] === GROUP
    if (!directory || !isKnown || !Number.isSafeInteger(blockRows) || blockRows < 1)
      return parts.fail(`params are ${JSON.stringify(params)}`)
    if (SLICES * strideOf(reader.rows, blockRows) + (SLICES / GROUP) * 4 !== length)
      parts.fail('its slices do not fit the rows')
    return new Signatures(parts, reader.rows, blockRows, { ...directory, offset: directory.offset - section.offset })
  }

  /** Calls `take(first row, row after the last)` for every stretch of rows whose documents may hold the text. */
  async candidates(text: string, take: (start: number, end: number) => void): Promise<void> {
    const [blockRows, stride] = [this.#blockRows, this.#stride]
    const slices = new Set<number>()
    for (let i = 0; i + 3 <= text.length; i++) for (let b = 0; b < BITS; b++) slices.add(sliceOf(trigram(text, i), b))
    const checksums = await this.#parts.part(this.#checksums)
    const view = new DataView(checksums.buffer, checksums.byteOffset, checksums.byteLength)
    const left = new Uint8Array(stride).fill(255)
    await Promise.all(
      [...slices].map(async (slice) => {
        const group = Math.floor(slice / GROUP)
        const crc32 = view
          .getUint32(group * 4, true)
          .toString(16)
          .padStart(8, '0')
        const bytes = await this.#parts.part({ offset: group * GROUP * stride, length: GROUP * stride, crc32 })
        const at = (slice % GROUP) * stride
        for (let i = 0; i < stride; i++) left[i] = (left[i] as number) & (bytes[at + i] as number)
      }),
    )
    for (let block = 0; block * blockRows < this.#rows; block++)
      if (((left[block >>> 3] as number) >>> (block & 7)) & 1)
        take(block * blockRows, Math.min(this.#rows, (block + 1) * blockRows))
  }
}
