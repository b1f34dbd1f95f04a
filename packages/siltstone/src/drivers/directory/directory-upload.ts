import { ContentEtag } from '../../host/content-etag.ts'
import type { PutResult, Upload } from '../../ports/object-store.ts'
import { uploadEnded } from '../../ports/upload-ended.ts'
import type { FinishedFile } from './publish.ts'
import type { TempFile } from './temp-files.ts'

export interface UploadSteps {
  /** Gives the finished file its name. */
  publish(file: FinishedFile): Promise<PutResult>
  /** Removes the temporary file. It never throws, since no result depends on it. */
  drop(path: string): Promise<void>
  /** The public error for a failed write. */
  failure(error: unknown): Error
}

const BLOCK_BYTES = 512 * 1024
/** One block is filled while these are written. */
const AHEAD_BLOCKS = 2
/** The disk is told to keep what was written so far now and then, so that the end of a large object need not wait for all of it. */
const SYNC_EACH_BYTES = 64 * 1024 * 1024

/**
 * An object written in parts into a temporary file, which is removed at the first failure. Parts are joined to blocks, and a block is
 * written while the next one is filled; so a failure may be that of an earlier part.
 */
export class DirectoryUpload implements Upload {
  readonly #steps: UploadSteps
  readonly #etag = new ContentEtag()
  #file: TempFile | undefined
  #block: Buffer | undefined
  /** Bytes in the block. */
  #filled = 0
  /** Where the block will be in the file. */
  #position = 0
  /** Blocks that are being written, oldest first. */
  readonly #writing: Promise<Buffer>[] = []
  #syncedBytes = 0
  #sync: Promise<void> | undefined

  constructor(file: TempFile, steps: UploadSteps) {
    this.#file = file
    this.#steps = steps
  }

  async write(chunk: Uint8Array): Promise<void> {
    if (this.#file === undefined) throw uploadEnded()
    try {
      this.#etag.update(chunk)
      for (let at = 0; at < chunk.length; ) {
        this.#block ??= await this.#nextBlock()
        const some = chunk.subarray(at, at + BLOCK_BYTES - this.#filled)
        this.#block.set(some, this.#filled)
        this.#filled += some.length
        at += some.length
        if (this.#filled === BLOCK_BYTES) this.#handOn(this.#file)
      }
    } catch (error) {
      await this.abort()
      throw this.#steps.failure(error)
    }
  }

  sha256(): string {
    return this.#etag.sha256()
  }

  async complete(): Promise<PutResult> {
    const file = this.#file
    if (file === undefined) throw uploadEnded()
    this.#file = undefined
    try {
      if (this.#filled > 0) this.#handOn(file)
      await this.#settled(file)
      return await this.#steps.publish(await finish(file, this.#etag.digest()))
    } catch (error) {
      throw this.#steps.failure(error)
    } finally {
      await this.#steps.drop(file.path)
    }
  }

  async abort(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    try {
      await Promise.allSettled([...this.#writing, this.#sync])
      await file.handle.close()
    } finally {
      await this.#steps.drop(file.path)
    }
  }

  /** Waits until nothing is written any more. If that failed, closes the file. */
  async #settled(file: TempFile): Promise<void> {
    const results = await Promise.allSettled([...this.#writing, this.#sync])
    const failed = results.find((result) => result.status === 'rejected')
    if (failed === undefined) return
    await file.handle.close()
    throw failed.reason
  }

  async #nextBlock(): Promise<Buffer> {
    const oldest = this.#writing.length < AHEAD_BLOCKS ? undefined : this.#writing.shift()
    return (await oldest) ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
  }

  #handOn(file: TempFile): void {
    const block = this.#block as Buffer
    const written = this.#writeAll(file, block, this.#filled, this.#position)
    // Its failure is thrown by the wait for it.
    written.catch(() => undefined)
    this.#writing.push(written)
    this.#position += this.#filled
    this.#block = undefined
    this.#filled = 0
  }

  async #writeAll({ handle }: TempFile, block: Buffer, length: number, position: number): Promise<Buffer> {
    // A call may write less than it was given.
    for (let at = 0; at < length; ) {
      const { bytesWritten } = await handle.write(block, at, length - at, position + at)
      at += bytesWritten
    }
    if (this.#sync === undefined && position - this.#syncedBytes >= SYNC_EACH_BYTES) {
      this.#syncedBytes = position
      const sync = handle.datasync().then(() => {
        this.#sync = undefined
      })
      // A failure stays, and is thrown at the end: the disk tells it once.
      sync.catch(() => undefined)
      this.#sync = sync
    }
    return block
  }
}

/** Syncs the content and closes the file. */
export async function finish({ handle, path }: TempFile, etag: string): Promise<FinishedFile> {
  try {
    await handle.datasync()
    return { path, etag, stat: await handle.stat({ bigint: true }) }
  } finally {
    await handle.close()
  }
}

/** Writes the whole content of a file, and closes the file if that fails. */
export async function writeAll({ handle }: TempFile, body: Uint8Array): Promise<void> {
  try {
    await handle.writeFile(body)
  } catch (error) {
    await handle.close()
    throw error
  }
}
