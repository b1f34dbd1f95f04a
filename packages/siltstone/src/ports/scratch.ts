/** Temporary space for computations that do not fit into memory. It does not outlive its process. */
export interface Scratch {
  /** @throws SiltstoneError `unavailable` (`disk-full`, …) */
  create(): Promise<ScratchFile>
  /** Bytes that are free for new files. Default: not known. */
  freeBytes?(): Promise<number>
}

export interface ScratchFile {
  readonly sizeBytes: number
  append(bytes: Uint8Array): Promise<void>
  /** Fills `into` with bytes that were appended before. */
  read(offset: number, into: Uint8Array): Promise<void>
  /** Frees the space. */
  discard(): Promise<void>
}

export const memoryScratch: Scratch = {
  create: async () => new MemoryScratchFile(),
}

class MemoryScratchFile implements ScratchFile {
  #bytes = new Uint8Array(0)
  sizeBytes = 0

  async append(bytes: Uint8Array): Promise<void> {
    if (this.sizeBytes + bytes.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.sizeBytes + bytes.length))
      larger.set(this.#bytes.subarray(0, this.sizeBytes))
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.sizeBytes)
    this.sizeBytes += bytes.length
  }

  async read(offset: number, into: Uint8Array): Promise<void> {
    const { length } = into
    if (offset < 0 || offset + length > this.sizeBytes) throw new RangeError(`${offset}+${length} of ${this.sizeBytes}`)
    into.set(this.#bytes.subarray(offset, offset + length))
  }

  async discard(): Promise<void> {
    this.#bytes = new Uint8Array(0)
    this.sizeBytes = 0
  }
}
