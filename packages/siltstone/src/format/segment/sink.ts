/** Destinations of sections: a file of their own, or memory until the file that holds several of them is written. */

import { crc32 } from '#codec'
import { concatBytes } from '../../codec/bytes.ts'
import { crcHex } from '../checksum.ts'
import type { FileDescriptor } from './descriptor.ts'

export interface OutputFile {
  /** The callee owns the chunk from now on. */
  write(chunk: Uint8Array): Promise<void>
}
export type OpenFile = (key: string) => Promise<OutputFile>

/** A promise only when there is something to wait for; the caller awaits it before the next call. */
export type Pending = Promise<void> | undefined

/** Waits for two; for nothing if there is nothing to wait for, as for most rows. */
export function both(first: Pending, second: Pending): Pending {
  if (!first || !second) return first ?? second
  return Promise.all([first, second]).then(() => undefined)
}

export interface Sink {
  /** Bytes written so far. */
  readonly position: number
  /** The sink owns the bytes from now on. */
  write(bytes: Uint8Array): Pending
}

const CHUNK_BYTES = 1 << 20
/** What is at least this large is passed on as it is, because a copy would cost more than another write. */
const LARGE_BYTES = CHUNK_BYTES / 2

/** Gathers small writes into chunks of about 1 MB; opens the file at the first of them. */
export class FileSink implements Sink {
  readonly key: string
  readonly #open: OpenFile
  #file: OutputFile | undefined
  #pieces: Uint8Array[] = []
  #pending = 0
  #crc = 0
  position = 0

  constructor(key: string, open: OpenFile) {
    this.key = key
    this.#open = open
  }

  write(bytes: Uint8Array): Pending {
    this.#crc = crc32(bytes, this.#crc)
    this.position += bytes.length
    const isLarge = bytes.length >= LARGE_BYTES
    if (isLarge && this.#pending > 0) return this.#flush().then(() => this.#passOn(bytes))
    if (isLarge) return this.#passOn(bytes)
    this.#pieces.push(bytes)
    this.#pending += bytes.length
    return this.#pending >= CHUNK_BYTES ? this.#flush() : undefined
  }

  async #flush(): Promise<void> {
    const pieces = this.#pieces
    this.#pieces = []
    this.#pending = 0
    const [only] = pieces
    await this.#passOn(pieces.length === 1 && only !== undefined ? only : concatBytes(pieces))
  }

  async #passOn(chunk: Uint8Array): Promise<void> {
    this.#file ??= await this.#open(this.key)
    await this.#file.write(chunk)
  }

  async finish(): Promise<FileDescriptor> {
    if (this.#pending > 0) await this.#flush()
    return { key: this.key, sizeBytes: this.position, crc32: crcHex(this.#crc) }
  }
}

export class MemorySink implements Sink {
  #pieces: Uint8Array[] = []
  position = 0

  write(bytes: Uint8Array): Pending {
    this.#pieces.push(bytes)
    this.position += bytes.length
    return undefined
  }

  content(): Uint8Array {
    return concatBytes(this.#pieces)
  }

  async copyTo(target: Sink): Promise<void> {
    for (const piece of this.#pieces) await target.write(piece)
    this.#pieces = []
  }
}
