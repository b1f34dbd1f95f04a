/**
 * The second half of an external merge sort: sorted runs on the scratch disk, merged as they are read back. Memory: a
 * chunk of each run.
 *
 * A run is its items one after another, each preceded by its length in bytes (u32, little-endian).
 */
import { readUint32, writeUint32 } from '../codec/bytes.ts'
import { corrupt } from '../errors.ts'
import type { Scratch, ScratchFile } from '../ports/scratch.ts'

/** What is read of a run at a time. */
export const SPILLED_CHUNK_BYTES = 1024 * 1024
const BATCH = 1_024

/** What is sorted, and how it is stored. */
export interface RunItems<T extends object> {
  /** @returns bytes, valid until the next call */
  readonly encode: (item: T) => Uint8Array
  /** @param bytes of one item, which stay as they are */
  readonly decode: (bytes: Uint8Array) => T
  readonly compare: (a: T, b: T) => number
}

export class SpilledRuns<T extends object> {
  readonly #scratch: Scratch
  readonly #items: RunItems<T>
  readonly #files: ScratchFile[] = []

  constructor(scratch: Scratch, items: RunItems<T>) {
    this.#scratch = scratch
    this.#items = items
  }

  /** Number of runs. */
  get count(): number {
    return this.#files.length
  }

  /** Writes a run. @param sorted ascending @throws SiltstoneError `unavailable` (`disk-full`, …) */
  async add(sorted: Iterable<T>): Promise<void> {
    const file = await this.#scratch.create()
    this.#files.push(file)
    let chunk = new Uint8Array(SPILLED_CHUNK_BYTES)
    let end = 0
    for (const item of sorted) {
      const bytes = this.#items.encode(item)
      const sizeBytes = 4 + bytes.length
      if (end + sizeBytes > chunk.length) {
        if (end > 0) await file.append(chunk.subarray(0, end))
        end = 0
        if (sizeBytes > chunk.length) chunk = new Uint8Array(sizeBytes)
      }
      writeUint32(chunk, end, bytes.length)
      chunk.set(bytes, end + 4)
      end += sizeBytes
    }
    if (end > 0) await file.append(chunk.subarray(0, end))
  }

  /** All items ascending, equal ones in the order of their runs, in batches of at least one. Call once. */
  async *merged(): AsyncGenerator<T[]> {
    const { decode, compare } = this.#items
    const runs = this.#files.map((file) => new RunReader(file, decode))
    const heads: (T | undefined)[] = await Promise.all(runs.map((run) => run.read()))
    let batch: T[] = []
    for (;;) {
      let least = -1
      for (let i = 0; i < heads.length; i++) {
        const head = heads[i]
        if (head && (least < 0 || compare(head, heads[least] as T) < 0)) least = i
      }
      if (least < 0) break
      batch.push(heads[least] as T)
      const run = runs[least] as RunReader<T>
      heads[least] = run.buffered()
      if (heads[least] !== undefined && batch.length < BATCH) continue
      // Before the next chunk is read, so that items that are views do not keep many chunks in memory.
      yield batch
      batch = []
      heads[least] ??= await run.read()
    }
    if (batch.length > 0) yield batch
  }

  /** Frees the scratch disk. */
  async close(): Promise<void> {
    await Promise.all(this.#files.splice(0).map((file) => file.discard()))
  }
}

class RunReader<T> {
  readonly #file: ScratchFile
  readonly #decode: (bytes: Uint8Array) => T
  #chunk = new Uint8Array(0)
  /** Offset of the next item in the chunk. */
  #at = 0
  /** Offset in the file of what follows the chunk. */
  #position = 0

  constructor(file: ScratchFile, decode: (bytes: Uint8Array) => T) {
    this.#file = file
    this.#decode = decode
  }

  /** The next item if it is in memory. */
  buffered(): T | undefined {
    const start = this.#at + 4
    if (start > this.#chunk.length) return undefined
    const end = start + readUint32(this.#chunk, this.#at)
    if (end > this.#chunk.length) return undefined
    this.#at = end
    return this.#decode(this.#chunk.subarray(start, end))
  }

  /** The next item; undefined at the end of the run. */
  async read(): Promise<T | undefined> {
    for (;;) {
      const item = this.buffered()
      if (item !== undefined) return item
      const left = this.#chunk.subarray(this.#at)
      const unread = this.#file.sizeBytes - this.#position
      if (unread === 0) {
        if (left.length > 0) throw corrupt('scratch-truncated', 'a sorted run on the scratch disk ends within an item')
        return undefined
      }
      // The length of an item larger than a chunk is known once its first four bytes are.
      const missing = left.length >= 4 ? readUint32(left, 0) + 4 - left.length : 0
      const more = Math.min(unread, Math.max(SPILLED_CHUNK_BYTES, missing))
      const chunk = new Uint8Array(left.length + more)
      chunk.set(left)
      await this.#file.read(this.#position, chunk.subarray(left.length))
      this.#position += more
      this.#chunk = chunk
      this.#at = 0
    }
  }
}
