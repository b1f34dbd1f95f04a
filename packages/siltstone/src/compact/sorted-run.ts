/** A run of rows on the scratch disk, in the order in which they were appended. */
import type { SegmentRow } from '../format/segment/writer.ts'
import type { ScratchFile } from '../ports/scratch.ts'

const CHUNK_BYTES = 1024 * 1024
/** Length of what follows, cluster, arrival, dimension, ordinal, version. */
const HEAD_BYTES = 32
const NO_TEXT = 0xffffffff

export interface PlacedRow {
  row: SegmentRow
  cluster: number
  /** Position at which the row was added, from 0. */
  arrival: number
}

export class RunWriter {
  readonly run: Run
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #at = 0

  constructor(file: ScratchFile) {
    this.run = new Run(file)
  }

  async append({ row, cluster, arrival }: PlacedRow): Promise<void> {
    const texts = [row.id, row.document, row.metadata, row.uri]
    const most = HEAD_BYTES + 4 * row.vector.length + texts.reduce((sum, text) => sum + 4 + 3 * (text?.length ?? 0), 0)
    if (this.#at + most > this.#chunk.length) await this.#flush(most)
    const chunk = this.#chunk
    const start = this.#at
    chunk.writeUInt32LE(cluster, start + 4)
    chunk.writeUInt32LE(arrival, start + 8)
    chunk.writeUInt32LE(row.vector.length, start + 12)
    chunk.writeDoubleLE(row.ordinal, start + 16)
    chunk.writeDoubleLE(row.version, start + 24)
    const { buffer, byteOffset, byteLength } = row.vector
    chunk.set(new Uint8Array(buffer, byteOffset, byteLength), start + HEAD_BYTES)
    let at = start + HEAD_BYTES + byteLength
    for (const text of texts) {
      const length = text === null ? 0 : chunk.write(text, at + 4)
      chunk.writeUInt32LE(text === null ? NO_TEXT : length, at)
      at += 4 + length
    }
    chunk.writeUInt32LE(at - start - 4, start)
    this.#at = at
  }

  async #flush(room: number): Promise<void> {
    if (this.#at > 0) await this.run.file.append(this.#chunk.subarray(0, this.#at))
    this.#at = 0
    if (room > this.#chunk.length) this.#chunk = Buffer.allocUnsafe(room)
  }

  finish(): Promise<void> {
    return this.#flush(0)
  }
}

/** Reads the rows back. Each row is read once. */
export class Run {
  readonly file: ScratchFile
  #chunk = Buffer.alloc(0)
  #at = 0
  /** Bytes of the file that have been read. */
  #position = 0

  constructor(file: ScratchFile) {
    this.file = file
  }

  async next(): Promise<PlacedRow | undefined> {
    const buffered = this.buffered()
    if (buffered) return buffered
    const left = this.#chunk.subarray(this.#at)
    const rest = this.file.sizeBytes - this.#position
    if (left.length === 0 && rest === 0) return undefined
    // A row may be larger than a chunk. Its first four bytes tell its length.
    const wanted = left.length >= 4 ? Math.max(CHUNK_BYTES, left.readUInt32LE(0) + 4 - left.length) : CHUNK_BYTES
    const more = await this.file.read(this.#position, Math.min(rest, wanted))
    this.#position += more.length
    this.#chunk = Buffer.concat([left, more])
    this.#at = 0
    return this.next()
  }

  /** The next row if it is in memory. */
  buffered(): PlacedRow | undefined {
    const chunk = this.#chunk
    const start = this.#at
    if (start + 4 > chunk.length) return undefined
    const end = start + 4 + chunk.readUInt32LE(start)
    if (end > chunk.length) return undefined
    this.#at = end
    const dimension = chunk.readUInt32LE(start + 12)
    const vectorEnd = start + HEAD_BYTES + 4 * dimension
    const vector = new Float32Array(dimension)
    new Uint8Array(vector.buffer).set(chunk.subarray(start + HEAD_BYTES, vectorEnd))
    let at = vectorEnd
    const text = (): string | null => {
      const length = chunk.readUInt32LE(at)
      at += 4
      if (length === NO_TEXT) return null
      at += length
      return chunk.toString('utf8', at - length, at)
    }
    const row: SegmentRow = {
      id: text() as string,
      ordinal: chunk.readDoubleLE(start + 16),
      version: chunk.readDoubleLE(start + 24),
      vector,
      document: text(),
      metadata: text(),
      uri: text(),
    }
    return { row, cluster: chunk.readUInt32LE(start + 4), arrival: chunk.readUInt32LE(start + 8) }
  }
}
