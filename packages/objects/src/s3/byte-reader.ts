/** Reads lines and runs of bytes from a stream of chunks. The memory of a piece may be used again when the next one is asked for. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #buffer: Buffer = Buffer.alloc(0)
  #ended = false

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** Up to and without CR LF; undefined if the stream ends or has no line end within `maxBytes`. */
  async line(maxBytes = 16_384): Promise<string | undefined> {
    for (;;) {
      const at = this.#buffer.indexOf('\r\n')
      if (at !== -1 && at <= maxBytes) {
        const text = this.#buffer.toString('utf8', 0, at)
        this.#buffer = this.#buffer.subarray(at + 2)
        return text
      }
      // The carriage return may be there without its line feed.
      if (at > maxBytes || this.#buffer.length > maxBytes + 1 || !(await this.#more())) return undefined
    }
  }

  /** Exactly `length` bytes in pieces as they come; returns how many were missing. */
  async *take(length: number): AsyncGenerator<Uint8Array, number> {
    let left = length
    while (left > 0) {
      if (this.#buffer.length === 0 && !(await this.#more())) return left
      const piece = this.#buffer.subarray(0, left)
      this.#buffer = this.#buffer.subarray(piece.length)
      left -= piece.length
      yield piece
    }
    return 0
  }

  /** Everything before `mark`, which is skipped; returns whether it was found. */
  async *until(mark: Buffer): AsyncGenerator<Uint8Array, boolean> {
    for (;;) {
      const at = this.#buffer.indexOf(mark)
      if (at !== -1) {
        if (at > 0) yield this.#buffer.subarray(0, at)
        this.#buffer = this.#buffer.subarray(at + mark.length)
        return true
      }
      // The mark may begin at the end of this chunk.
      const safe = this.#buffer.length - mark.length + 1
      if (safe > 0) {
        yield this.#buffer.subarray(0, safe)
        this.#buffer = this.#buffer.subarray(safe)
      }
      if (!(await this.#more())) return false
    }
  }

  async #more(): Promise<boolean> {
    if (this.#ended) return false
    // The memory of what came before is no longer ours then.
    const rest = Buffer.from(this.#buffer)
    const next = await this.#chunks.next()
    if (next.done === true) {
      this.#buffer = rest
      this.#ended = true
      return false
    }
    const { buffer, byteOffset, length } = next.value
    const chunk = Buffer.from(buffer, byteOffset, length)
    this.#buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    return true
  }
}
