/**
 * Writes a body to a new file and hashes it, block by block: while some blocks are hashed and written, the next one is
 * filled. A body that fits into one block is hashed by the thread that receives it, a larger one by another.
 *
 * The disk is told to keep what was written so far now and then, so that the end of a large body need not wait for all of it.
 */
import { type FileHandle, unlink } from 'node:fs/promises'
import { BodyHash, type BodyHashes, type WantedHashes } from '../../../host/blob-checksum.ts'
import { type BodyHasher, hashThreads } from '../../../host/hash-threads.ts'

const BLOCK_BYTES = 512 * 1024
/** Blocks of one body that are hashed or written. */
const AHEAD_BLOCKS = 4
/** Blocks that are kept for the next bodies, in all. */
const KEPT_BLOCKS = 32
const SYNC_EACH_BYTES = 64 * 1024 * 1024

interface Block {
  memory: SharedArrayBuffer
  bytes: Uint8Array
}

const keptBlocks: Block[] = []

function newBlock(): Block {
  const memory = new SharedArrayBuffer(BLOCK_BYTES)
  return { memory, bytes: new Uint8Array(memory) }
}

function giveBack(block: Block): void {
  if (keptBlocks.length < KEPT_BLOCKS) keptBlocks.push(block)
}

export class BodyFile {
  readonly name: string
  readonly path: string
  readonly #handle: FileHandle
  readonly #wanted: WantedHashes
  #block: Block | undefined
  /** Bytes in the block. */
  #filled = 0
  /** Where the block will be in the file. */
  #position = 0
  /** Blocks that are hashed and written, oldest first. */
  readonly #working: Promise<Block>[] = []
  #hasher: BodyHasher | undefined
  #syncedBytes = 0
  #sync: Promise<void> | undefined

  /** @param handle of a new file, which this object closes */
  constructor(name: string, path: string, handle: FileHandle, wanted: WantedHashes) {
    this.name = name
    this.path = path
    this.#handle = handle
    this.#wanted = wanted
  }

  /** The chunk may be changed when this returns. @throws what writing an earlier one threw */
  async push(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      this.#block ??= await this.#nextBlock()
      const some = chunk.subarray(at, at + BLOCK_BYTES - this.#filled)
      this.#block.bytes.set(some, this.#filled)
      this.#filled += some.length
      at += some.length
      if (this.#filled === BLOCK_BYTES) this.#handOn()
    }
  }

  /** All bytes are written when this returns, and may be lost yet. */
  async end(): Promise<BodyHashes> {
    if (this.#hasher === undefined) {
      const hash = new BodyHash(this.#wanted)
      if (this.#block !== undefined) {
        const bytes = this.#block.bytes.subarray(0, this.#filled)
        hash.update(bytes)
        await this.#writeAll(bytes, 0)
        giveBack(this.#block)
        this.#block = undefined
      }
      return hash.digest()
    }
    if (this.#filled > 0) this.#handOn()
    for (const block of await Promise.all(this.#working.splice(0))) giveBack(block)
    const hashes = await this.#hasher.digest()
    await this.#sync
    return hashes
  }

  /** The bytes are durable when this returns; the name of the file is not yet. */
  async keep(): Promise<void> {
    await this.#handle.sync()
    await this.#handle.close()
  }

  /** What cannot be removed is found by the next search for strays. */
  async discard(): Promise<void> {
    this.#hasher?.close()
    await Promise.allSettled([...this.#working, this.#sync])
    await this.#handle.close().catch(() => undefined)
    await unlink(this.path).catch(() => undefined)
  }

  async #nextBlock(): Promise<Block> {
    const oldest = this.#working.length < AHEAD_BLOCKS ? undefined : this.#working.shift()
    return oldest === undefined ? (keptBlocks.pop() ?? newBlock()) : oldest
  }

  #handOn(): void {
    const block = this.#block as Block
    const length = this.#filled
    this.#hasher ??= hashThreads.open(this.#wanted)
    const hashed = this.#hasher.update(block.memory, length)
    const written = this.#writeAll(block.bytes.subarray(0, length), this.#position)
    const worked = Promise.allSettled([hashed, written]).then(([hash, write]) => {
      for (const one of [write, hash]) if (one.status === 'rejected') throw one.reason
      return block
    })
    // Its failure is thrown by the wait for it.
    worked.catch(() => undefined)
    this.#working.push(worked)
    this.#position += length
    this.#block = undefined
    this.#filled = 0
  }

  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    // A call may write less than it was given.
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, position + at)
      at += bytesWritten
    }
    this.#syncSoon(position)
  }

  #syncSoon(position: number): void {
    if (this.#sync !== undefined || position - this.#syncedBytes < SYNC_EACH_BYTES) return
    this.#syncedBytes = position
    const sync = this.#handle.datasync().then(() => {
      this.#sync = undefined
    })
    // A failure stays, and is thrown at the end: the disk tells it once.
    sync.catch(() => undefined)
    this.#sync = sync
  }
}
